import { InputError, kindOf } from '../common/errors.js';
import { GPUBufferUsage, GPUMapMode } from '../device/constants.js';
import type { Device } from '../device/device.js';
import type { AdapterProfile } from './kernel.js';
import { planMemory, type SharedBuffer } from './memory.js';
import { observers } from './observer.js';
import { checkIds, flopsOf } from './op.js';
import { compileKernel } from './pipeline.js';
import { PlanBuffers } from './planBuffers.js';
import { bytesOf, type PlanBytes, type Prediction, predictMemory } from './prediction.js';
import { type PreparedDispatch, selectKernels } from './prepare.js';
import type { Entry, Program } from './program.js';
import { type Role, type Storage, Tensor } from './tensor.js';

/** Options of `Plan.compile`. */
export interface CompileOptions {
  /** tensors to read after a replay; `'all'` shares no buffer, so that every tensor can be read */
  readonly keep?: readonly Tensor[] | 'all';
  /** initial numbers of parameters, by name; others start at 0 */
  readonly parameters?: ReadonlyMap<string, Float32Array>;
  /** replaces the device in the choice of kernels: `{ ...device, kernels: 'readable' }` runs the readable ones */
  readonly profile?: AdapterProfile;
  /**
   * maximum operations of one submit; default 20e9 on a GPU, about 100 ms on an integrated one, elsewhere no limit. A
   * whole step of `lean` takes it four seconds, and Windows resets a GPU whose submit runs for two
   */
  readonly submitFlops?: number;
  /** a plan that outlives this one: its parameters, and its states of the same label, are used in place of new ones */
  readonly shared?: Plan;
}

/** Options of `Plan.replay`. */
export interface ReplayOptions {
  /** also run the `update` entries (clip, AdamW). Default true. */
  readonly update?: boolean;
  /** add to the gradients of the previous replay instead of starting from 0. Default false. */
  readonly accumulate?: boolean;
  /** run only these entries, in the program's order: the dependencies of a tensor. Default all */
  readonly only?: ReadonlySet<Entry>;
}

/** Does a replay run an entry? */
export function runsIn({ update = true, only }: ReplayOptions, entry: Entry): boolean {
  return (update || entry.phase !== 'update') && (only?.has(entry) ?? true);
}

/** Numbers that a replay copies for TypeScript. */
export interface Copied {
  /** Wait for the device and read them, once. @throws DeviceError when something went wrong on the device */
  read(): Promise<Float32Array[]>;
}

/**
 * A program prepared for repeated runs: buffers by liveness, pipelines and bind groups created once, and one command
 * buffer with one compute pass per replay; several on a GPU if the work is long.
 */
export class Plan {
  /** inputs that have numbers */
  readonly #written = new Set<Storage>();
  #begun = false;
  #freed = false;

  private constructor(
    readonly program: Program,
    readonly device: Device,
    readonly dispatches: readonly PreparedDispatch[],
    /** the buffers that activations share */
    readonly memory: readonly SharedBuffer[],
    private readonly buffers: PlanBuffers,
    /** maximum operations per submit */
    private readonly submitFlops: number,
  ) {}

  /**
   * Choose kernels, share memory, compile pipelines in parallel, and upload constants and parameters.
   *
   * @throws DeviceError when memory does not suffice (see `predict`), before anything is allocated; or when a shader
   * fails
   */
  static async compile(program: Program, device: Device, options: CompileOptions = {}): Promise<Plan> {
    const { parameters = new Map<string, Float32Array>(), shared, profile = device } = options;
    const { submitFlops = device.kind === 'cpu' ? Number.POSITIVE_INFINITY : 20e9 } = options;
    const dispatches = selectKernels(program, profile);
    const memory = planMemory(program, dispatches, options.keep);
    const buffers = new PlanBuffers(program, device, memory, shared?.buffers);
    try {
      const compiling = [...dispatches].flatMap(([entry, calls]) =>
        calls.map(async (dispatch) => {
          return { entry, dispatch, flops: flopsOf(entry) / calls.length, ...(await compileKernel(device, dispatch)) };
        }),
      );
      const kernels = await device.settle(Promise.all(compiling));
      const prepared = kernels.map((kernel) => ({ ...kernel, bindGroup: buffers.bindGroup(kernel) }));
      const plan = new Plan(program, device, prepared, memory, buffers, submitFlops);
      checkNames(program, parameters);
      for (const { name, tensor, init } of program.parameters) {
        // Parameters that another plan shares have numbers already.
        const data = parameters.get(name) ?? (shared === undefined ? init : undefined);
        if (data !== undefined) plan.write(tensor, data);
      }
      await device.wait(); // so that an error of the device is thrown here
      return plan;
    } catch (error) {
      buffers.destroy();
      throw error;
    }
  }

  /**
   * Predict the allocations of `compile`, without allocating anything.
   *
   * @returns bytes by kind, and the error if they exceed the adapter's limits or the free memory
   */
  static predict(
    program: Program,
    device: Device,
    options: Omit<CompileOptions, 'shared'> & { readonly shared?: Pick<Plan, 'program'> } = {},
  ): Prediction {
    const memory = planMemory(program, selectKernels(program, options.profile ?? device), options.keep);
    return predictMemory(program, device, memory, options.shared?.program);
  }

  /**
   * Write the numbers of an input, a state or a parameter.
   *
   * @throws InputError when the tensor is none of these or a strided view, the length or the type differs, or an id is
   * out of range
   */
  write(tensor: Tensor, data: Float32Array | Uint32Array): void {
    this.#check(tensor);
    checkNumbers(tensor, data);
    const { buffer, offset } = this.buffers.locate(tensor.storage);
    this.device.gpu.queue.writeBuffer(buffer, offset, data as Float32Array<ArrayBuffer>);
    this.#written.add(tensor.storage);
  }

  /**
   * Run the program: clear accumulated tensors, then run every dispatch in order, as one submit; on a GPU in submits of
   * about 100 ms.
   *
   * @returns after the submit, without waiting for the device, unless an observer is set
   * @throws InputError when an input was never written, or the plan was freed
   * @throws ParityError under `PARITY=1`, at the first dispatch that disagrees with its reference
   */
  async replay(options: ReplayOptions = {}): Promise<void> {
    const observer = observers.get(this.device);
    if (observer !== undefined) await observer(this, options);
    else this.submit(options);
  }

  /** `replay` without an observer. */
  submit(options: ReplayOptions = {}): void {
    this.device.gpu.queue.submit([this.#encodeReplay(options).finish()]);
  }

  /** Run the program and read numbers back without another submit: the copies follow the last dispatch. */
  async replayAndRead(tensors: readonly Tensor[], options: ReplayOptions = {}): Promise<Float32Array[]> {
    return (await this.replayAndCopy(tensors, options)).read();
  }

  /**
   * As `replayAndRead`, but without waiting for the device: the copies go into one staging buffer, to read after other
   * work.
   *
   * @returns after the submit, unless an observer is set
   */
  async replayAndCopy(tensors: readonly Tensor[], options: ReplayOptions = {}): Promise<Copied> {
    if (observers.has(this.device)) {
      await this.replay(options);
      const numbers = await Promise.all(tensors.map((tensor) => this.read(tensor)));
      return { read: async () => numbers };
    }
    this.#checkNotFreed();
    // Bad input is refused before anything runs; a replay will have run by the time of the copies.
    for (const tensor of tensors) this.#checkReadable(tensor, true);
    const encoder = this.#encodeReplay(options);
    const storages = tensors.map(({ storage }) => storage);
    const read = this.#recordCopies(encoder, storages);
    this.device.gpu.queue.submit([encoder.finish()]);
    return { read: async () => (await read()) as Float32Array[] };
  }

  /** Encode a replay. Where a submit would have too much work, what is encoded so far is submitted. @returns the rest */
  #encodeReplay(options: ReplayOptions): GPUCommandEncoder {
    const { gpu } = this.device;
    let encoder = gpu.createCommandEncoder();
    this.begin(encoder, options);
    let pass = encoder.beginComputePass();
    let flops = 0;
    for (const prepared of this.dispatches) {
      if (!runsIn(options, prepared.entry)) continue;
      if (flops > 0 && flops + prepared.flops > this.submitFlops) {
        pass.end();
        gpu.queue.submit([encoder.finish()]);
        encoder = gpu.createCommandEncoder();
        pass = encoder.beginComputePass();
        flops = 0;
      }
      this.encode(pass, prepared);
      flops += prepared.flops;
    }
    pass.end();
    return encoder;
  }

  #checkWritten(options: ReplayOptions): void {
    for (const { entry } of this.dispatches) {
      const missing = entry.inputs.find(
        ({ storage }) => storage.role === 'input' && storage.length > 0 && !this.#written.has(storage),
      );
      if (missing === undefined || !runsIn(options, entry)) continue;
      throw new InputError(
        `replay: ${entry.op.name} reads ${missing.storage.label}, which was never written; plan.write gives it numbers`,
      );
    }
  }

  #checkNotFreed(): void {
    if (this.#freed) throw new InputError('replay: this plan was freed; compile the program again');
  }

  /**
   * Start of every replay: clear accumulators, and gradients unless they accumulate.
   *
   * @throws InputError when an input was never written, or the plan was freed
   */
  begin(encoder: GPUCommandEncoder, options: ReplayOptions = {}): void {
    this.#checkNotFreed();
    this.#checkWritten(options);
    this.#begun = true;
    if (!options.accumulate && this.buffers.gradients !== undefined) encoder.clearBuffer(this.buffers.gradients);
    for (const buffer of this.buffers.accumulators) encoder.clearBuffer(buffer);
  }

  /** Put one dispatch into a pass. */
  encode(pass: GPUComputePassEncoder, { pipeline, bindGroup, dispatch }: PreparedDispatch): void {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...dispatch.workgroups);
  }

  /** Wait until everything submitted has run. @throws DeviceError when something went wrong on the device */
  finished(): Promise<void> {
    return this.device.wait();
  }

  /**
   * The numbers of a tensor after the last replay, row-major.
   *
   * @throws InputError before the first replay, or when the tensor's buffer has been used again by a later entry, with
   * the name of its present user
   */
  async read(tensor: Tensor): Promise<Float32Array> {
    this.#checkReadable(tensor, this.#begun);
    return (await this.readback([tensor.storage]))[0] as Float32Array;
  }

  /** As `read`, for ids. */
  async readIds(tensor: Tensor): Promise<Uint32Array> {
    return (await this.read(tensor)) as Float32Array | Uint32Array as Uint32Array;
  }

  /**
   * The present content of some storages, for runs that stop after each entry.
   *
   * @returns one array per storage, of its type
   */
  async readback(storages: readonly Storage[]): Promise<(Float32Array | Uint32Array)[]> {
    const encoder = this.device.gpu.createCommandEncoder();
    const read = this.#recordCopies(encoder, storages);
    this.device.gpu.queue.submit([encoder.finish()]);
    return read();
  }

  /**
   * Record copies of storages into buffers that TypeScript can map, behind what the encoder holds already.
   *
   * @returns a function to call once, after the submit: it waits for the device, and gives the numbers of each storage
   */
  #recordCopies(encoder: GPUCommandEncoder, storages: readonly Storage[]) {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const copies = storages.map((storage) => {
      const { buffer, offset } = this.buffers.locate(storage);
      const copy = this.device.gpu.createBuffer({ label: 'copy', size: Math.max(4, storage.length * 4), usage });
      encoder.copyBufferToBuffer(buffer, offset, copy, 0, storage.length * 4);
      return copy;
    });
    return async () => {
      await this.device.settle(Promise.all(copies.map((copy) => copy.mapAsync(GPUMapMode.READ))));
      return storages.map(({ dtype, length }, i) => {
        const bytes = copies[i]!.getMappedRange().slice(0, length * 4);
        copies[i]!.destroy();
        return dtype === 'f32' ? new Float32Array(bytes) : new Uint32Array(bytes);
      });
    };
  }

  #checkReadable(tensor: Tensor, isComputed: boolean): void {
    this.#check(tensor);
    if (!tensor.isContiguous) throw new InputError(`read: ${tensor} is a strided view; read its base tensor`);
    if (!isComputed && COMPUTED.includes(tensor.storage.role)) {
      throw new InputError(`read: ${tensor} is computed by a replay, and there was none yet`);
    }
    const users = this.memory.find(({ allocations }) => allocations.some(({ of }) => of === tensor.storage));
    const last = users?.allocations.at(-1);
    if (last !== undefined && last.of !== tensor.storage) {
      throw new InputError(
        `read: the buffer of ${tensor} was used again by ${last.of.label}; name it in \`keep\` when compiling`,
      );
    }
  }

  #check(tensor: Tensor): void {
    if (this.#freed) throw new InputError(`${tensor}: its plan was freed; compile the program again`);
    if (!(tensor instanceof Tensor)) throw new InputError(`a plan reads and writes tensors; got ${kindOf(tensor)}`);
    if (tensor.program !== this.program) throw new InputError(`${tensor} belongs to another program than this plan`);
  }

  /** Did a storage of the program exist when the plan was compiled? */
  knows(storage: Storage): boolean {
    return this.buffers.knows(storage);
  }

  /** Bytes of GPU memory this plan holds, by kind. */
  get bytes(): PlanBytes {
    return bytesOf(this.program, this.memory, this.buffers.shared?.program);
  }

  /** Free all GPU memory. Tensors cannot be read afterwards. */
  free(): void {
    this.#freed = true;
    this.buffers.destroy();
  }
}

/** Numbers to write must be for a tensor that TypeScript writes, of its type and length, and ids within their bounds. */
function checkNumbers(tensor: Tensor, data: Float32Array | Uint32Array): void {
  const { role } = tensor.storage;
  if (!WRITABLE.includes(role)) {
    throw new InputError(`write: ${tensor} is of the role ${role}; inputs, states and parameters are written`);
  }
  if (!tensor.isContiguous) throw new InputError(`write: ${tensor} is a strided view; write its base tensor`);
  const type = tensor.dtype === 'f32' ? Float32Array : Uint32Array;
  if (!(data instanceof type) || data.length !== tensor.size) {
    throw new InputError(
      `write: ${tensor} takes ${tensor.size} ${tensor.dtype} numbers; got ${data?.length} in a ${kindOf(data)}`,
    );
  }
  checkIds('write', tensor.storage, data);
}

/** Numbers for parameters must be for parameters that exist. */
function checkNames({ parameters }: Program, given: ReadonlyMap<string, Float32Array>): void {
  const unknown = [...given.keys()].find((name) => !parameters.some((parameter) => parameter.name === name));
  if (unknown !== undefined) throw new InputError(`there is no parameter ${unknown}`);
}

/** Roles that TypeScript writes, and roles that only a replay computes. */
const WRITABLE: readonly Role[] = ['input', 'state', 'parameter'];
const COMPUTED: readonly Role[] = ['activation', 'accumulator', 'gradient'];
