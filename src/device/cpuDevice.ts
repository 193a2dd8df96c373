import type { Range } from './allocator.js';
import { CpuBindGroup, CpuBindGroupLayout, CpuPipelineLayout } from './bindings.js';
import { CpuBuffer } from './buffer.js';
import type { Compiler } from './compiler.js';
import { CpuCommandEncoder } from './encoder.js';
import {
  abortError,
  type GPUError,
  GPUInternalError,
  GPUOutOfMemoryError,
  GPUPipelineError,
  GPUValidationError,
  Refusal,
  UnsupportedError,
} from './errors.js';
import type { Executor } from './executor.js';
import type { Host } from './host.js';
import type { Limits } from './limits.js';
import type { DeviceMemory } from './memory.js';
import { enforceRange, MAX_U32 } from './numbers.js';
import type { DeviceObject } from './object.js';
import { CpuComputePipeline, checkNumbers, compileFor, inWords, layoutFor } from './pipeline.js';
import { Pool } from './pool.js';
import { CpuQuerySet } from './querySet.js';
import { CpuQueue } from './queue.js';
import { CpuShaderModule } from './shader.js';
import { Slices } from './slices.js';
import { Timeline } from './timeline.js';

/** The parts of a device. */
export interface CpuDeviceSetup {
  readonly host: Host;
  readonly compiler: Compiler;
  readonly memory: DeviceMemory;
  readonly threads: number;
  readonly isRobust: boolean;
  readonly onKernel?: ((text: string) => void) | undefined;
  readonly info: GPUAdapterInfo;
  readonly features: readonly string[];
  readonly limits: Limits;
  readonly label: string | undefined;
}

type ErrorListener = ((event: GPUUncapturedErrorEvent) => unknown) | null;

/** The compute part of `GPUDevice`, over one memory and the threads of this machine. */
export class CpuDevice extends EventTarget {
  label: string;
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
  readonly adapterInfo: GPUAdapterInfo;
  readonly queue: CpuQueue;
  readonly lost: Promise<GPUDeviceLostInfo>;
  onuncapturederror: ErrorListener = null;

  // For the objects of this device.
  readonly compiler: Compiler;
  readonly memory: DeviceMemory;
  readonly timeline: Timeline;
  readonly isRobust: boolean;

  readonly #onKernel: ((text: string) => void) | undefined;
  readonly #executor: Executor;
  readonly #scopes: { readonly filter: GPUErrorFilter; error: GPUError | null }[] = [];
  readonly #alive = new Set<{ reject(error: DOMException): void }>();
  readonly #collected: FinalizationRegistry<Range>;
  readonly #collectedPipelines: FinalizationRegistry<number>;
  #resolveLost!: (info: GPUDeviceLostInfo) => void;
  #loss: { readonly reason: GPUDeviceLostReason; readonly message: string } | undefined;
  #pipelines = 0;

  constructor({ host, compiler, memory, threads, isRobust, onKernel, info, features, limits, label }: CpuDeviceSetup) {
    super();
    this.label = label ?? '';
    this.features = new Set(features);
    this.limits = Object.freeze(limits) as unknown as GPUSupportedLimits;
    this.adapterInfo = info;
    this.compiler = compiler;
    this.memory = memory;
    this.isRobust = isRobust;
    this.#onKernel = onKernel;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    const listener = {
      done: (job: number) => this.timeline.done(job),
      failed: (reason: string) => this.#lose('unknown', reason),
    };
    const most = limits.maxComputeWorkgroupsPerDimension!;
    const { spawn } = host;
    this.#executor =
      memory.shared && spawn !== undefined
        ? new Pool({ ...host, spawn }, memory.wasm, threads, most, listener)
        : new Slices(host, memory.wasm, most, listener);
    this.timeline = new Timeline(memory, this.#executor);
    // Buffers that are collected without `destroy`: submitted work may still use them.
    const { timeline } = this;
    const executor = this.#executor;
    this.#collected = new FinalizationRegistry((range) => timeline.release(range));
    this.#collectedPipelines = new FinalizationRegistry((id) => executor.unload(id));
    this.queue = new CpuQueue(this, undefined);
  }

  /** Bytes that buffers can still take while the system has `systemBytes` free. */
  bytesWithin(systemBytes: number): number {
    return this.memory.within(systemBytes);
  }

  override toString(): string {
    return `[Device${this.label ? ` "${this.label}"` : ''}]`;
  }

  // ---- creating objects ----

  createBuffer(given: GPUBufferDescriptor): CpuBuffer {
    const size = enforceRange('size', given.size);
    const usage = enforceRange('usage', given.usage, MAX_U32);
    const descriptor = { ...given, size, usage };
    const { label = '', mappedAtCreation = false } = given;
    if (mappedAtCreation && size % 4 !== 0) {
      throw new RangeError(`createBuffer: size (${size}) must be a multiple of 4 to be mapped at creation`);
    }
    const call = `calling ${this}.CreateBuffer([BufferDescriptor "${label}"])`;
    const buffer = this.check(call, () => {
      CpuBuffer.check({ label, size, usage }, this.limits);
      return new CpuBuffer(this, descriptor);
    });
    if (buffer === undefined) return this.invalid(new CpuBuffer(this, descriptor));
    buffer.range = this.isLost ? undefined : this.memory.allocate(size);
    if (buffer.range !== undefined) {
      this.#collected.register(buffer, buffer.range, buffer);
    } else {
      this.invalid(buffer);
      const message = `[Buffer "${label}"] ${size} bytes do not fit; ${this.memory.free} of the device's memory are free`;
      if (mappedAtCreation && !this.isLost) throw new RangeError(`createBuffer: ${message}`);
      this.report(new GPUOutOfMemoryError(`${message}.\n - While ${call}`));
    }
    return buffer;
  }

  createQuerySet(descriptor: GPUQuerySetDescriptor): CpuQuerySet {
    const set = new CpuQuerySet(this, descriptor);
    const made = this.check(`calling ${this}.CreateQuerySet`, () => {
      CpuQuerySet.check(descriptor, this.features);
      return true;
    });
    if (!made) return this.invalid(set);
    set.range = this.isLost ? undefined : this.memory.allocate(set.count * 8);
    if (set.range !== undefined) {
      this.#collected.register(set, set.range, set);
      return set;
    }
    this.report(new GPUOutOfMemoryError(`${set} does not fit in the device's memory`));
    return this.invalid(set);
  }

  createShaderModule(descriptor: GPUShaderModuleDescriptor): CpuShaderModule {
    return new CpuShaderModule(this, descriptor);
  }

  createBindGroupLayout(descriptor: GPUBindGroupLayoutDescriptor): CpuBindGroupLayout {
    const call = `calling ${this}.CreateBindGroupLayout([BindGroupLayoutDescriptor "${descriptor.label ?? ''}"])`;
    const entries = this.check(call, () => CpuBindGroupLayout.read(descriptor, this.limits));
    const layout = new CpuBindGroupLayout(this, descriptor.label, entries ?? []);
    return entries ? layout : this.invalid(layout);
  }

  createPipelineLayout(descriptor: GPUPipelineLayoutDescriptor): CpuPipelineLayout {
    const groups = Array.from(
      descriptor.bindGroupLayouts,
      (layout) => (layout as unknown as CpuBindGroupLayout) ?? undefined,
    );
    const layout = new CpuPipelineLayout(this, descriptor.label, groups);
    const made = this.check(`calling ${this}.CreatePipelineLayout`, () => {
      CpuPipelineLayout.check(groups, this);
      return true;
    });
    return made ? layout : this.invalid(layout);
  }

  createBindGroup(descriptor: GPUBindGroupDescriptor): CpuBindGroup {
    const call = `calling ${this}.CreateBindGroup([BindGroupDescriptor "${descriptor.label ?? ''}"])`;
    const layout = descriptor.layout as unknown as CpuBindGroupLayout;
    const ranges = this.check(call, () => CpuBindGroup.read(descriptor, this));
    const group = new CpuBindGroup(this, descriptor.label, layout, ranges ?? []);
    return ranges ? group : this.invalid(group);
  }

  createComputePipeline(descriptor: GPUComputePipelineDescriptor): CpuComputePipeline {
    checkNumbers(descriptor);
    try {
      const { pipeline, bytes } = this.#preparePipeline(descriptor);
      this.#load(pipeline, new WebAssembly.Module(bytes));
      return pipeline;
    } catch (error) {
      const { reason, message } = pipelineErrorOf(error, this, descriptor.label);
      this.report(new (reason === 'validation' ? GPUValidationError : GPUInternalError)(message));
      return this.invalid(
        new CpuComputePipeline(this, descriptor.label, 0, undefined, new CpuPipelineLayout(this, '', [])),
      );
    }
  }

  async createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor): Promise<CpuComputePipeline> {
    checkNumbers(descriptor);
    try {
      const { pipeline, bytes } = this.#preparePipeline(descriptor);
      this.#load(pipeline, await WebAssembly.compile(bytes));
      return pipeline;
    } catch (error) {
      throw pipelineErrorOf(error, this, descriptor.label);
    }
  }

  #preparePipeline(descriptor: GPUComputePipelineDescriptor) {
    const { kernel, entryPoint } = compileFor(this, descriptor);
    const id = ++this.#pipelines;
    const name = descriptor.label || `kernel ${id}`;
    this.#onKernel?.(`;; ${name}: ${entryPoint}, workgroup size ${kernel.workgroupSize.join(', ')}\n${kernel.text()}`);
    const pipeline = new CpuComputePipeline(
      this,
      descriptor.label,
      id,
      kernel,
      layoutFor(this, descriptor, kernel, id),
    );
    if (!this.isLost && !this.timeline.reserveScratch(kernel.scratchBytes)) {
      throw new Error(`${pipeline}: ${kernel.scratchBytes} bytes for each thread do not fit in the device's memory`);
    }
    return { pipeline, bytes: kernel.bytes as Uint8Array<ArrayBuffer> };
  }

  #load(pipeline: CpuComputePipeline, module: WebAssembly.Module): void {
    if (this.isLost) return;
    const { id, label } = pipeline;
    this.#executor.load({ id, module, label: label || `kernel ${id}` });
    this.#collectedPipelines.register(pipeline, id);
  }

  createCommandEncoder({ label }: GPUCommandEncoderDescriptor = {}): CpuCommandEncoder {
    return new CpuCommandEncoder(this, label);
  }

  createTexture(): never {
    throw new UnsupportedError('createTexture');
  }

  createSampler(): never {
    throw new UnsupportedError('createSampler');
  }

  createRenderPipeline(): never {
    throw new UnsupportedError('createRenderPipeline');
  }

  createRenderPipelineAsync(): never {
    throw new UnsupportedError('createRenderPipelineAsync');
  }

  createRenderBundleEncoder(): never {
    throw new UnsupportedError('createRenderBundleEncoder');
  }

  importExternalTexture(): never {
    throw new UnsupportedError('importExternalTexture');
  }

  // ---- errors ----

  pushErrorScope(filter: GPUErrorFilter): undefined {
    this.#scopes.push({ filter, error: null });
  }

  popErrorScope(): Promise<GPUError | null> {
    const scope = this.#scopes.pop();
    if (scope !== undefined) return Promise.resolve(scope.error);
    if (this.isLost) return Promise.resolve(null);
    return Promise.reject(new DOMException('popErrorScope: no error scope is open', 'OperationError'));
  }

  /** Pass an error to the innermost scope for its kind, else to the listener; a lost device reports none. */
  report(error: GPUError): void {
    if (this.isLost) return;
    const filter = FILTERS.get(error.constructor);
    const scope = this.#scopes.findLast((candidate) => candidate.filter === filter);
    if (scope !== undefined) scope.error ??= error;
    else queueMicrotask(() => this.#reportUncaptured(error));
  }

  #reportUncaptured(error: GPUError): void {
    const event = Object.assign(new Event('uncapturederror', { cancelable: true }), { error });
    this.onuncapturederror?.(event as unknown as GPUUncapturedErrorEvent);
    this.dispatchEvent(event);
    if (!event.defaultPrevented) console.error(`${error.constructor.name}: ${error.message}`);
  }

  /** Report a validation error. */
  refuse(message: string): void {
    this.report(new GPUValidationError(message));
  }

  /** The result of `body`, or undefined if WebGPU forbids the call, which is then reported. */
  check<T>(call: string, body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.refuse(`${error.message}.\n - While ${call}`);
      return undefined;
    }
  }

  /** An invalid object in place of a refused one. */
  invalid<T extends DeviceObject>(object: T): T {
    object.isValid = false;
    return object;
  }

  // ---- device loss ----

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  get lossInWords(): string {
    return this.#loss?.reason === 'destroyed'
      ? 'the device was destroyed'
      : `the device was lost: ${this.#loss?.message}`;
  }

  /** Reject a promise when the device is lost, unless it was removed before. */
  whileAlive(pending: { reject(error: DOMException): void }): void {
    this.#alive.add(pending);
  }

  forget(pending: { reject(error: DOMException): void }): void {
    this.#alive.delete(pending);
  }

  /** Free the memory of a buffer or query set. */
  release(owner: CpuBuffer | CpuQuerySet): void {
    this.#collected.unregister(owner);
    if (!this.isLost) this.timeline.release(owner.range!);
  }

  destroy(): undefined {
    this.#lose('destroyed', 'the device was destroyed');
  }

  #lose(reason: GPUDeviceLostReason, message: string): void {
    if (this.isLost) return;
    this.#loss = { reason, message };
    this.#executor.close();
    this.memory.close();
    const pending = [...this.#alive];
    this.#alive.clear();
    for (const { reject } of pending) reject(abortError(this.lossInWords));
    this.#resolveLost({ reason, message } as GPUDeviceLostInfo);
  }
}

const FILTERS = new Map<unknown, GPUErrorFilter>([
  [GPUValidationError, 'validation'],
  [GPUOutOfMemoryError, 'out-of-memory'],
  [GPUInternalError, 'internal'],
]);

function pipelineErrorOf(error: unknown, device: CpuDevice, label = ''): GPUPipelineError {
  const reason = error instanceof Refusal || 'rule' in (error as object) ? 'validation' : 'internal';
  const call = `${device}.CreateComputePipeline([ComputePipelineDescriptor "${label}"])`;
  return new GPUPipelineError(`${inWords(error)}\n - While calling ${call}`, { reason });
}
