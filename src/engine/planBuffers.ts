import { InputError } from '../common/errors.js';
import { GPUBufferUsage } from '../device/constants.js';
import type { Device } from '../device/device.js';
import { type Binding, type Dispatch, type KernelInterface, packParams, type Scratch } from './kernel.js';
import type { SharedBuffer } from './memory.js';
import { checkMemory, isSameState } from './prediction.js';
import type { PreparedDispatch } from './prepare.js';
import type { Program } from './program.js';
import type { Storage } from './tensor.js';

const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage;

/** Every GPU buffer of a plan, and the location of each storage. */
export class PlanBuffers {
  /** all parameters, and all gradients: one flat buffer each, of which a storage is a range */
  readonly parameters: GPUBuffer | undefined;
  readonly gradients: GPUBuffer | undefined;
  readonly accumulators: GPUBuffer[] = [];
  readonly #bufferOf = new Map<Storage | Scratch, GPUBuffer>();
  /** buffers that this plan created and did not borrow */
  readonly #made: GPUBuffer[] = [];

  /**
   * Create the buffers, and write the constants.
   *
   * @param shared buffers of another plan: its parameters, and states of the same label, are used in place of new ones
   * @throws DeviceError, before the first buffer is created, when memory does not suffice
   */
  constructor(
    readonly program: Program,
    private readonly device: Device,
    memory: readonly SharedBuffer[],
    readonly shared?: PlanBuffers,
  ) {
    checkMemory(program, device, memory, shared?.program);
    if (shared !== undefined) checkSameParameters(program, shared.program);
    const roles = new Set(program.storages.map(({ role }) => role));
    const flatBytes = program.flatLength * 4;
    if (roles.has('parameter')) this.parameters = shared?.parameters ?? this.#make('parameters', flatBytes);
    if (roles.has('gradient')) this.gradients = this.#make('gradients', flatBytes);
    for (const storage of program.storages) {
      if (storage.role === 'activation') continue;
      const buffer = this.#bufferFor(storage);
      this.#bufferOf.set(storage, buffer);
      if (storage.role === 'accumulator') this.accumulators.push(buffer);
    }
    for (const { size, allocations } of memory) {
      const buffer = this.#make(`${allocations[0]!.of.label} …`, size);
      for (const { of } of allocations) this.#bufferOf.set(of, buffer);
    }
  }

  /** The buffer of a storage that lives as long as the plan. */
  #bufferFor(storage: Storage): GPUBuffer {
    const { role, label, length, data } = storage;
    if (role === 'parameter') return this.parameters!;
    if (role === 'gradient') return this.gradients!;
    const theirs = this.shared?.program.storages.find((other) => isSameState(other, storage));
    const borrowed = theirs && this.shared!.#bufferOf.get(theirs);
    return borrowed ?? this.#make(label, (data as BufferSource | undefined) ?? length * 4);
  }

  /** A new buffer of so many bytes, or with this content. */
  #make(label: string, content: number | BufferSource, usage: number = STORAGE | COPY_SRC | COPY_DST): GPUBuffer {
    const bytes = typeof content === 'number' ? content : content.byteLength;
    const buffer = this.device.gpu.createBuffer({ label, size: Math.max(16, bytes), usage });
    if (typeof content !== 'number') this.device.gpu.queue.writeBuffer(buffer, 0, content);
    this.#made.push(buffer);
    return buffer;
  }

  /** Does a storage have memory in this plan? */
  knows(storage: Storage): boolean {
    return this.#bufferOf.has(storage);
  }

  /** The buffer of a storage or of scratch memory, and its first byte in it. */
  locate(of: Storage | Scratch): { buffer: GPUBuffer; offset: number } {
    const buffer = this.#bufferOf.get(of);
    if (buffer === undefined) throw new InputError(`${of.label} is used by no entry of this plan`);
    return { buffer, offset: 'flatOffset' in of ? of.flatOffset! * 4 : 0 };
  }

  /** A dispatch's tensors and parameters, bound by the names in its WGSL. */
  bindGroup({ entry, dispatch, declared, pipeline }: Omit<PreparedDispatch, 'bindGroup'>): GPUBindGroup {
    checkBindings(dispatch, declared);
    const params = () => this.#make(`${dispatch.shader} Params`, packParams(dispatch, declared), UNIFORM | COPY_DST);
    return this.device.gpu.createBindGroup({
      label: `${[entry.scope, entry.op.name].filter(Boolean).join(' ')} (${dispatch.shader})`,
      layout: pipeline.getBindGroupLayout(0),
      entries: declared.bindings.map(({ binding, name, type }) => ({
        binding,
        resource: type === 'uniform' ? { buffer: params() } : this.#range(dispatch.bind[name]!),
      })),
    });
  }

  #range({ storage, offset = 0, length = storage.length }: Binding): GPUBufferBinding {
    const place = this.locate(storage);
    // A binding must not be empty: an empty tensor binds 4 bytes that no kernel reads.
    return { buffer: place.buffer, offset: place.offset + offset * 4, size: Math.max(4, length * 4) };
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy();
  }
}

/** Shader and dispatch must name the same bindings. */
function checkBindings({ shader, bind }: Dispatch, { bindings }: KernelInterface): void {
  const unknown = Object.keys(bind).filter((name) => !bindings.some((binding) => binding.name === name));
  if (unknown.length > 0) throw new InputError(`${shader}.wgsl declares no binding ${unknown.join(', ')}`);
  const missing = bindings.find(({ name, type }) => type !== 'uniform' && bind[name] === undefined);
  if (missing !== undefined) throw new InputError(`${shader}.wgsl needs a tensor for its binding ${missing.name}`);
}

/** Plans share one flat buffer of parameters, so that it must have one layout. */
function checkSameParameters(mine: Program, theirs: Program): void {
  const layout = ({ parameters }: Program) =>
    parameters.map(({ name, tensor }) => `${name} ${tensor.storage.flatOffset} ${tensor.size}`).join();
  if (layout(mine) === layout(theirs)) return;
  throw new InputError('compile: a plan shares parameters only with a plan that has the same parameters');
}
