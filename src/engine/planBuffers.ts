import { InputError, kindOf } from '../common/errors.js';
import type { Device } from '../device/device.js';
import { type Dispatch, type KernelInterface, packParams } from './kernel.js';
import { type Allocation, type MemoryPlan, scratchKey } from './memory.js';
import { hasGradients, type PlanBytes, predictMemory } from './prediction.js';
import type { PreparedDispatch } from './prepare.js';
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
  /** by the key of its allocation, which is the storage's id; parameters and gradients are ranges of two others */
  readonly #bufferOf = new Map<Allocation['key'], GPUBuffer>();
  /** buffers that this plan created and did not borrow */
  readonly #made: GPUBuffer[] = [];

  constructor(
    private readonly program: Program,
    private readonly device: Device,
    memory: MemoryPlan,
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
      this.#bufferOf.set(storage.id, buffer);
      if (storage.role === 'accumulator') this.accumulators.push(buffer);
    }
    for (const [i, { size, allocations }] of memory.buffers.entries()) {
      const buffer = this.#make(`shared ${i}: ${allocations[0]!.label} …`, size);
      for (const { key } of allocations) this.#bufferOf.set(key, buffer);
    }
  }

  /** The buffer of a storage, and its first byte in it. */
  locate(storage: Storage): { buffer: GPUBuffer; offset: number } {
    const { id, role, label, flatOffset } = storage;
    const flat = role === 'gradient' ? this.gradients : this.#parameters;
    const buffer = flatOffset === undefined ? this.#bufferOf.get(id) : flat;
    if (buffer === undefined) throw new InputError(`${label} is used by no entry of this plan`);
    return { buffer, offset: (flatOffset ?? 0) * 4 };
  }

  /** Constants, and the parameters' starting numbers. */
  upload(parameters: ReadonlyMap<string, Float32Array> | undefined): void {
    for (const storage of this.program.storages) {
      const buffer = this.#bufferOf.get(storage.id);
      if (storage.data !== undefined && buffer !== undefined && storage.length > 0) {
        this.device.gpu.queue.writeBuffer(buffer, 0, storage.data as Float32Array<ArrayBuffer>);
      }
    }
    for (const [name, data] of parameters ?? []) checkParameter(this.program, name, data);
    for (const { name, init, offset } of this.program.parameters) {
      // Parameters that another plan shares have numbers already.
      const data = parameters?.get(name) ?? (this.shared === undefined ? init : undefined);
      if (data === undefined) continue;
      this.device.gpu.queue.writeBuffer(this.#parameters!, offset * 4, data as Float32Array<ArrayBuffer>);
    }
  }

  /** Does a storage have memory in this plan? */
  knows({ id, flatOffset }: Storage): boolean {
    return flatOffset !== undefined || this.#bufferOf.has(id);
  }

  /** A dispatch's tensors and parameters, bound by the names in its WGSL. */
  bindGroup(kernel: Pick<PreparedDispatch, 'entry' | 'dispatch' | 'declared' | 'layout'>): GPUBindGroup {
    const { entry, dispatch, declared, layout } = kernel;
    checkBindings(dispatch, declared);
    const label = `${[entry.scope, entry.op.name].filter(Boolean).join(' ')} (${dispatch.shader})`;
    const entries = declared.bindings.map(({ binding, name, access }) => {
      const isParams = access === 'uniform';
      return { binding, resource: isParams ? this.#params(kernel) : this.#range(entry, dispatch.bind[name]!) };
    });
    return this.device.gpu.createBindGroup({ label, layout, entries });
  }

  /** The `Params` of a dispatch, in a small buffer of their own. */
  #params({ dispatch, declared }: Pick<PreparedDispatch, 'dispatch' | 'declared'>): GPUBufferBinding {
    const bytes = packParams(dispatch.shader, declared.params, dispatch.params ?? {});
    const buffer = this.#make(`${dispatch.shader} Params`, bytes.byteLength, UNIFORM);
    this.device.gpu.queue.writeBuffer(buffer, 0, bytes);
    return { buffer };
  }

  #range(entry: Entry, bound: Dispatch['bind'][string]): GPUBufferBinding {
    // A binding must not be empty: an empty tensor binds 4 bytes that no kernel reads.
    const bytes = (length: number) => Math.max(4, length * 4);
    if ('scratch' in bound) {
      const buffer = this.#bufferOf.get(scratchKey(entry.index, bound.scratch))!;
      return { buffer, offset: 0, size: bytes(bound.length) };
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
    return theirs?.length === length ? this.shared!.#bufferOf.get(theirs.id) : undefined;
  }

  #make(label: string, bytes: number, usage = STORAGE): GPUBuffer {
    const buffer = this.device.gpu.createBuffer({ label, size: Math.max(16, bytes), usage });
    this.#made.push(buffer);
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy();
  }
}

/** Shader and dispatch must name the same bindings. */
function checkBindings({ shader, bind }: Dispatch, { bindings }: KernelInterface): void {
  const unknown = Object.keys(bind).filter((name) => !bindings.some((binding) => binding.name === name));
  if (unknown.length > 0) throw new InputError(`${shader}.wgsl declares no binding ${unknown.join(', ')}`);
  const missing = bindings.find(({ name, access }) => access !== 'uniform' && bind[name] === undefined);
  if (missing !== undefined) throw new InputError(`${shader}.wgsl needs a tensor for its binding ${missing.name}`);
}

/** Numbers for a parameter must be for one that exists, of its type and length. */
function checkParameter({ parameters }: Program, name: string, data: Float32Array): void {
  const known = parameters.find((parameter) => parameter.name === name);
  if (known === undefined) throw new InputError(`there is no parameter ${name}`);
  if (!(data instanceof Float32Array)) {
    throw new InputError(`parameter ${known.tensor} takes a Float32Array; got ${kindOf(data)}`);
  }
  if (data.length !== known.tensor.size) {
    throw new InputError(`parameter ${known.tensor} takes ${known.tensor.size} numbers; got ${data.length}`);
  }
}
