import { InputError, kindOf } from '../common/errors.js';
import type { Device } from '../device/device.js';
import { type Dispatch, type KernelInterface, packParams } from './kernel.js';
import { type MemoryPlan, scratchKey } from './memory.js';
import { hasGradients, type PlanBytes, predictMemory } from './prediction.js';
import type { Entry, Program } from './program.js';
import type { Storage } from './tensor.js';

/** GPUBufferUsage as numbers: Node has no such globals. */
const STORAGE = 0x0080 | 0x0004 | 0x0008; // STORAGE | COPY_SRC | COPY_DST
const UNIFORM = 0x0040 | 0x0008; // UNIFORM | COPY_DST

/** Every GPU buffer of a plan, and the location of each storage. */
export class PlanBuffers {
  readonly gradients: GPUBuffer | undefined;
  readonly accumulators: GPUBuffer[] = [];
  readonly bytes: PlanBytes;
  readonly #parameters: GPUBuffer | undefined;
  readonly #shared: GPUBuffer[];
  readonly #own = new Map<number, GPUBuffer>();
  /** buffers that this plan created and did not borrow */
  readonly #made: GPUBuffer[] = [];
  #params: GPUBuffer | undefined;
  #paramOffsets: number[] = [];

  constructor(
    private readonly program: Program,
    private readonly device: Device,
    private readonly memory: MemoryPlan,
    private readonly shared?: PlanBuffers,
  ) {
    // Everything is checked against the adapter's limits and free memory before the first buffer is created.
    const { bytes, memoryError } = predictMemory(program, device, memory, shared?.program);
    if (memoryError !== undefined) throw memoryError;
    this.bytes = bytes;
    const flatBytes = program.flatLength * 4;
    if (flatBytes > 0) this.#parameters = this.#sharedParameters() ?? this.#make('parameters', flatBytes);
    if (hasGradients(program)) this.gradients = this.#make('gradients', flatBytes);
    for (const storage of program.storages) {
      if (!['input', 'constant', 'state', 'accumulator'].includes(storage.role)) continue;
      const borrowed = storage.role === 'state' ? this.#sharedState(storage) : undefined;
      const buffer = borrowed ?? this.#make(storage.label, storage.length * 4);
      this.#own.set(storage.id, buffer);
      if (storage.role === 'accumulator') this.accumulators.push(buffer);
    }
    this.#shared = memory.buffers.map(({ size, allocations }, i) =>
      this.#make(`shared ${i}: ${allocations[0]!.label} …`, size),
    );
  }

  /** The buffer of a storage, and its first byte in it. */
  locate(storage: Storage): { buffer: GPUBuffer; offset: number } {
    if (storage.flatOffset !== undefined) {
      const buffer = storage.role === 'gradient' ? this.gradients : this.#parameters;
      if (buffer === undefined) throw new InputError(`${storage.label} is used by no entry of this plan`);
      return { buffer, offset: storage.flatOffset * 4 };
    }
    const own = this.#own.get(storage.id);
    if (own !== undefined) return { buffer: own, offset: 0 };
    const index = this.memory.bufferOf.get(storage.id);
    if (index === undefined) throw new InputError(`${storage.label} is used by no entry of this plan`);
    return { buffer: this.#shared[index]!, offset: 0 };
  }

  /** Constants, and the parameters' starting numbers. */
  upload(parameters: ReadonlyMap<string, Float32Array> | undefined): void {
    for (const storage of this.program.storages) {
      const buffer = this.#own.get(storage.id);
      if (storage.data !== undefined && buffer !== undefined && storage.length > 0) {
        this.device.gpu.queue.writeBuffer(buffer, 0, storage.data as Float32Array<ArrayBuffer>);
      }
    }
    // Parameters that another plan shares have numbers already.
    const initial = this.shared === undefined ? this.program.parameters : [];
    const start = initial.flatMap(({ name, init }) => (init === undefined ? [] : [[name, init] as const]));
    for (const [name, data] of [...start, ...(parameters ?? [])]) {
      const entry = this.program.parameters.find((parameter) => parameter.name === name);
      if (entry === undefined) throw new InputError(`there is no parameter ${name}`);
      if (!(data instanceof Float32Array)) {
        throw new InputError(`parameter ${entry.tensor} takes a Float32Array; got ${kindOf(data)}`);
      }
      if (data.length !== entry.tensor.size) {
        throw new InputError(`parameter ${entry.tensor} takes ${entry.tensor.size} numbers; got ${data.length}`);
      }
      this.device.gpu.queue.writeBuffer(this.#parameters!, entry.offset * 4, data as Float32Array<ArrayBuffer>);
    }
  }

  /** Does a storage have memory in this plan? */
  knows({ id, flatOffset }: Storage): boolean {
    return flatOffset !== undefined || this.#own.has(id) || this.memory.bufferOf.has(id);
  }

  /** All `Params` of a plan in one uniform buffer, each at its own aligned offset. */
  writeParams(kernels: readonly { dispatch: Dispatch; declared: KernelInterface }[]): void {
    const align = this.device.limits.minUniformBufferOffsetAlignment;
    const blocks = kernels.map(({ dispatch, declared }) =>
      packParams(dispatch.shader, declared.params, dispatch.params ?? {}),
    );
    let size = 0;
    this.#paramOffsets = blocks.map((block) => {
      const offset = size;
      size += Math.ceil(block.byteLength / align) * align;
      return offset;
    });
    const bytes = new Uint8Array(size);
    for (const [i, block] of blocks.entries()) bytes.set(new Uint8Array(block), this.#paramOffsets[i]!);
    this.#params = this.device.gpu.createBuffer({ label: 'params', size: Math.max(16, size), usage: UNIFORM });
    this.device.gpu.queue.writeBuffer(this.#params, 0, bytes);
  }

  /**
   * A dispatch's tensors and parameters, bound by the names in its WGSL.
   *
   * @param index the dispatch's index in the plan, which determines the offset of its parameters
   * @throws InputError when shader and dispatch do not name the same bindings
   */
  bindGroup(
    entry: Entry,
    dispatch: Dispatch,
    declared: KernelInterface,
    layout: GPUBindGroupLayout,
    index: number,
  ): GPUBindGroup {
    const label = `${[entry.scope, entry.op.name].filter(Boolean).join(' ')} (${dispatch.shader})`;
    const unknown = Object.keys(dispatch.bind).filter((name) => !declared.bindings.some((b) => b.name === name));
    if (unknown.length > 0) throw new InputError(`${dispatch.shader}.wgsl declares no binding ${unknown.join(', ')}`);
    const entries = declared.bindings.map(({ binding, name, access }) => {
      if (access === 'uniform') {
        const size = Math.max(16, Math.ceil((declared.params.length * 4) / 16) * 16);
        return { binding, resource: { buffer: this.#params!, offset: this.#paramOffsets[index]!, size } };
      }
      const bound = dispatch.bind[name];
      if (bound === undefined) throw new InputError(`${dispatch.shader}.wgsl needs a tensor for its binding ${name}`);
      return { binding, resource: this.#range(entry, bound) };
    });
    return this.device.gpu.createBindGroup({ label, layout, entries });
  }

  #range(entry: Entry, bound: Dispatch['bind'][string]): GPUBufferBinding {
    // A binding must not be empty: an empty tensor binds 4 bytes that no kernel reads.
    const bytes = (length: number) => Math.max(4, length * 4);
    if ('scratch' in bound) {
      const index = this.memory.bufferOf.get(scratchKey(entry.index, bound.scratch))!;
      return { buffer: this.#shared[index]!, offset: 0, size: bytes(bound.length) };
    }
    const [tensor, start, length] =
      'tensor' in bound ? [bound.tensor, bound.offset, bound.length] : [bound, 0, bound.storage.length];
    const { buffer, offset } = this.locate(tensor.storage);
    return { buffer, offset: offset + start * 4, size: bytes(length) };
  }

  #sharedParameters(): GPUBuffer | undefined {
    if (this.shared === undefined) return undefined;
    const [mine, theirs] = [this.program, this.shared.program].map((program) =>
      program.parameters.map(({ name, offset, tensor }) => `${name} ${offset} ${tensor.size}`).join(),
    );
    if (mine !== theirs)
      throw new InputError('compile: a plan shares parameters only with a plan that has the same parameters');
    return this.shared.#parameters;
  }

  #sharedState({ label, length }: Storage): GPUBuffer | undefined {
    const theirs = this.shared?.program.storages.find((storage) => storage.role === 'state' && storage.label === label);
    return theirs?.length === length ? this.shared!.#own.get(theirs.id) : undefined;
  }

  #make(label: string, bytes: number): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    const buffer = this.device.gpu.createBuffer({ label, size, usage: STORAGE });
    this.#made.push(buffer);
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy();
    this.#params?.destroy();
  }
}
