import type { BoundRange, CpuBindGroup } from './bindings.js';
import type { CpuBuffer } from './buffer.js';
import { COMMANDS } from './commands.js';
import { GPUBufferUsage } from './constants.js';
import type { CpuDevice } from './cpuDevice.js';
import { ensure, Refusal, UnsupportedError } from './errors.js';
import { enforceRange, MAX_U32 } from './numbers.js';
import { DeviceObject } from './object.js';
import type { CpuComputePipeline } from './pipeline.js';
import type { CpuQuerySet } from './querySet.js';

/** Commands that wait for a submit. */
export class CpuCommandBuffer extends DeviceObject {
  isSubmitted = false;

  constructor(
    device: CpuDevice,
    label: string | undefined,
    readonly words: readonly number[],
    /** pipelines whose kernels the threads must keep until the submit */
    readonly pipelines: ReadonlySet<CpuComputePipeline>,
    /** everything that must not be destroyed or mapped at the submit */
    readonly uses: ReadonlySet<CpuBuffer | CpuQuerySet>,
    /** true if a dispatch has more than one workgroup */
    readonly isParallel: boolean,
  ) {
    super(device, 'CommandBuffer', label);
  }
}

/** Debug groups have no effect here, but each that is opened must be closed. */
class DebugGroups {
  #open = 0;

  push(): void {
    this.#open++;
  }

  pop(): void {
    ensure(this.#open > 0, () => 'there is no debug group to pop');
    this.#open--;
  }

  requireNone(): void {
    ensure(this.#open === 0, () => `${this.#open} debug groups were not popped`);
  }
}

/** Records commands. `finish` reports the errors. */
export class CpuCommandEncoder extends DeviceObject {
  readonly #words: number[] = [];
  readonly #uses = new Set<CpuBuffer | CpuQuerySet>();
  readonly #pipelines = new Set<CpuComputePipeline>();
  #isParallel = false;
  #error: string | undefined;
  #pass: CpuComputePass | undefined;
  #isFinished = false;
  private readonly debugGroups = new DebugGroups();

  constructor(device: CpuDevice, label: string | undefined) {
    super(device, 'CommandEncoder', label);
  }

  beginComputePass(descriptor: GPUComputePassDescriptor = {}): CpuComputePass {
    const pass = new CpuComputePass(this, descriptor);
    this.encode('BeginComputePass', () => {
      this.#pass = pass;
      pass.begin();
    });
    return pass;
  }

  beginRenderPass(): never {
    throw new UnsupportedError('beginRenderPass');
  }

  copyBufferToTexture(): never {
    throw new UnsupportedError('copyBufferToTexture');
  }

  copyTextureToBuffer(): never {
    throw new UnsupportedError('copyTextureToBuffer');
  }

  copyTextureToTexture(): never {
    throw new UnsupportedError('copyTextureToTexture');
  }

  copyBufferToBuffer(source: GPUBuffer, destination: GPUBuffer, size?: number): undefined;
  copyBufferToBuffer(source: GPUBuffer, from: number, destination: GPUBuffer, to: number, size?: number): undefined;
  copyBufferToBuffer(source: GPUBuffer, ...rest: readonly (GPUBuffer | number | undefined)[]): undefined {
    const [from, destination, to, size] = typeof rest[0] === 'number' ? rest : [0, rest[0], 0, rest[1]];
    const [a, b] = [source, destination] as unknown as readonly [CpuBuffer, CpuBuffer];
    const [fromByte, toByte] = [
      enforceRange('sourceOffset', from as number),
      enforceRange('destinationOffset', to as number),
    ];
    this.encode('CopyBufferToBuffer', () => {
      const bytes = size === undefined ? a.size - fromByte : enforceRange('size', size as number);
      a.requireUsage(GPUBufferUsage.COPY_SRC);
      b.requireUsage(GPUBufferUsage.COPY_DST);
      ensure(a !== b, () => `source and destination are the same buffer ${a}`);
      ensure(bytes % 4 === 0, () => `copy size (${bytes}) is not a multiple of 4`);
      ensure(fromByte % 4 === 0 && toByte % 4 === 0, () => `copy offsets (${from}, ${to}) are not multiples of 4`);
      a.requireBytes(fromByte, bytes);
      b.requireBytes(toByte, bytes);
      this.use(a).use(b);
      if (bytes > 0) this.write(COMMANDS.copy, b.address + toByte, a.address + fromByte, bytes);
    });
  }

  clearBuffer(target: GPUBuffer, from = 0, size?: number): undefined {
    const buffer = target as unknown as CpuBuffer;
    const offset = enforceRange('offset', from);
    const bytes = size === undefined ? buffer.size - offset : enforceRange('size', size);
    this.encode('ClearBuffer', () => {
      buffer.requireUsage(GPUBufferUsage.COPY_DST);
      ensure(
        offset % 4 === 0 && bytes % 4 === 0,
        () => `offset (${offset}) and size (${bytes}) must be multiples of 4`,
      );
      buffer.requireBytes(offset, bytes);
      this.use(buffer);
      if (bytes > 0) this.write(COMMANDS.clear, buffer.address + offset, bytes);
    });
  }

  resolveQuerySet(set: GPUQuerySet, from: number, to: number, target: GPUBuffer, targetOffset: number): undefined {
    const [first, count] = [enforceRange('firstQuery', from, MAX_U32), enforceRange('queryCount', to, MAX_U32)];
    const offset = enforceRange('destinationOffset', targetOffset);
    const [queries, buffer] = [set, target] as unknown as readonly [CpuQuerySet, CpuBuffer];
    this.encode('ResolveQuerySet', () => {
      queries.requireOf(this.device);
      ensure(first + count <= queries.count, () => `queries ${first} … ${first + count - 1} are not all in ${queries}`);
      buffer.requireUsage(GPUBufferUsage.QUERY_RESOLVE);
      ensure(offset % 256 === 0, () => `destination offset (${offset}) is not a multiple of 256`);
      buffer.requireBytes(offset, count * 8);
      this.use(queries).use(buffer);
      if (count > 0) this.write(COMMANDS.copy, buffer.address + offset, queries.address + first * 8, count * 8);
    });
  }

  pushDebugGroup(): undefined {
    return this.encode('PushDebugGroup', () => this.debugGroups.push());
  }

  popDebugGroup(): undefined {
    return this.encode('PopDebugGroup', () => this.debugGroups.pop());
  }

  insertDebugMarker(): undefined {}

  finish({ label }: GPUCommandBufferDescriptor = {}): CpuCommandBuffer {
    const made = new CpuCommandBuffer(this.device, label, this.#words, this.#pipelines, this.#uses, this.#isParallel);
    const done = this.device.check(`finishing ${this}`, () => {
      ensure(!this.#isFinished, () => `${this} was finished before`);
      this.#isFinished = true;
      if (this.#error !== undefined) throw new Refusal(this.#error);
      ensure(this.#pass === undefined, () => `${this} has a compute pass that was not ended`);
      this.debugGroups.requireNone();
      return true;
    });
    return done ? made : this.device.invalid(made);
  }

  // For passes.

  /** Run a call, or keep its error. A call on the encoder itself is refused while a pass is open. */
  encode(call: string, body: () => void, pass?: CpuComputePass): undefined {
    if (this.#error !== undefined) return undefined;
    try {
      ensure(!this.#isFinished, () => `${this} is already finished`);
      ensure(this.#pass === pass, () =>
        pass ? `${pass} was ended` : `${this} is locked while a compute pass is open`,
      );
      body();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#error = `${error.message}.\n - While encoding ${pass ?? this}.${call}`;
    }
    return undefined;
  }

  write(...words: readonly number[]): void {
    for (const word of words) this.#words.push(word);
  }

  use(object: CpuBuffer | CpuQuerySet): this {
    object.requireOf(this.device);
    this.#uses.add(object);
    return this;
  }

  usePipeline(pipeline: CpuComputePipeline): void {
    this.#pipelines.add(pipeline);
  }

  endPass(): void {
    this.#pass = undefined;
  }

  set isParallel(value: boolean) {
    this.#isParallel ||= value;
  }
}

type Three = [x: number, y: number, z: number];

interface SetGroup {
  readonly group: CpuBindGroup;
  readonly offsets: readonly number[];
}

/** Dispatches, one after another. Each sees everything that earlier ones wrote. */
export class CpuComputePass extends DeviceObject {
  #pipeline: CpuComputePipeline | undefined;
  readonly #groups: (SetGroup | undefined)[] = [];
  /** true if pipeline and groups are those of the last dispatch, which was checked */
  #isChecked = false;
  readonly #times: { readonly queries: CpuQuerySet; readonly first?: number; readonly last?: number } | undefined;
  private readonly debugGroups = new DebugGroups();

  constructor(
    private readonly encoder: CpuCommandEncoder,
    { label, timestampWrites: times }: GPUComputePassDescriptor,
  ) {
    super(encoder.device, 'ComputePassEncoder', label);
    if (times === undefined) return;
    const { beginningOfPassWriteIndex: first, endOfPassWriteIndex: last } = times;
    this.#times = {
      queries: times.querySet as unknown as CpuQuerySet,
      ...(first !== undefined && { first: enforceRange('beginningOfPassWriteIndex', first, MAX_U32) }),
      ...(last !== undefined && { last: enforceRange('endOfPassWriteIndex', last, MAX_U32) }),
    };
  }

  begin(): void {
    if (this.#times === undefined) return;
    const { queries, first, last } = this.#times;
    queries.requireOf(this.device);
    ensure(first !== last, () => 'timestampWrites need one index, or two that differ');
    for (const index of [first, last]) {
      ensure(index === undefined || index < queries.count, () => `query index (${index}) is not in ${queries}`);
    }
    this.encoder.use(queries);
    this.#writeTime(first);
  }

  setPipeline(pipeline: GPUComputePipeline): undefined {
    const given = pipeline as unknown as CpuComputePipeline;
    return this.#encode('SetPipeline', () => {
      given.requireOf(this.device);
      this.#pipeline = given;
      this.#isChecked = false;
    });
  }

  setBindGroup(index: number, group: GPUBindGroup | null, offsets?: Iterable<number>): undefined;
  setBindGroup(
    index: number,
    group: GPUBindGroup | null,
    offsets: Uint32Array,
    start: number,
    length: number,
  ): undefined;
  setBindGroup(
    at: number,
    given: GPUBindGroup | null,
    offsets: Iterable<number> = [],
    start?: number,
    length?: number,
  ): undefined {
    const index = enforceRange('index', at, MAX_U32);
    const group = given as unknown as CpuBindGroup | null;
    const all = Array.from(offsets, (offset) => enforceRange('dynamicOffset', offset, MAX_U32));
    const dynamic = start === undefined ? all : all.slice(start, start + length!);
    return this.#encode('SetBindGroup', () => {
      const { limits } = this.device;
      ensure(index < limits.maxBindGroups, () => `bind group index (${index}) exceeds maxBindGroups`);
      this.#isChecked = false;
      if (group === null) {
        this.#groups[index] = undefined;
        return;
      }
      group.requireOf(this.device);
      ensure(
        dynamic.length === group.dynamic.length,
        () => `number of dynamic offsets (${dynamic.length}) is not that of ${group} (${group.dynamic.length})`,
      );
      group.dynamic.forEach((range, i) => {
        checkDynamicOffset(range, dynamic[i]!, limits);
      });
      for (const { buffer } of group.ranges) this.encoder.use(buffer);
      this.#groups[index] = { group, offsets: dynamic };
    });
  }

  dispatchWorkgroups(countX: number, countY = 1, countZ = 1): undefined {
    const [x, y, z] = [countX, countY, countZ].map((count) => enforceRange('workgroupCount', count, MAX_U32)) as Three;
    return this.#encode('DispatchWorkgroups', () => {
      const pipeline = this.#ready();
      const most = this.device.limits.maxComputeWorkgroupsPerDimension;
      ensure(
        Math.max(x, y, z) <= most,
        () => `dispatch workgroup count (${x}, ${y}, ${z}) exceeds maxComputeWorkgroupsPerDimension (${most})`,
      );
      ensure(
        x * y * z < 2 ** 31,
        () => `dispatch workgroup count (${x}, ${y}, ${z}) exceeds 2^31 - 1 workgroups in all`,
      );
      if (x * y * z === 0) return;
      this.encoder.isParallel = x * y * z > 1;
      this.encoder.write(COMMANDS.dispatch, pipeline.id, x, y, z);
      this.#writeBindings(pipeline);
    });
  }

  dispatchWorkgroupsIndirect(given: GPUBuffer, indirectOffset: number): undefined {
    const offset = enforceRange('indirectOffset', indirectOffset);
    const buffer = given as unknown as CpuBuffer;
    return this.#encode('DispatchWorkgroupsIndirect', () => {
      const pipeline = this.#ready();
      buffer.requireUsage(GPUBufferUsage.INDIRECT);
      ensure(offset % 4 === 0, () => `indirect offset (${offset}) is not a multiple of 4`);
      buffer.requireBytes(offset, 12);
      const isWritten = this.#used(pipeline).some((range) => range.buffer === buffer && range.entry.type === 'storage');
      ensure(!isWritten, () => inTwoUsages(buffer));
      this.encoder.use(buffer).isParallel = true;
      this.encoder.write(COMMANDS.dispatchIndirect, pipeline.id, buffer.address + offset);
      this.#writeBindings(pipeline);
    });
  }

  pushDebugGroup(): undefined {
    return this.#encode('PushDebugGroup', () => this.debugGroups.push());
  }

  popDebugGroup(): undefined {
    return this.#encode('PopDebugGroup', () => this.debugGroups.pop());
  }

  insertDebugMarker(): undefined {}

  end(): undefined {
    return this.#encode('End', () => {
      this.debugGroups.requireNone();
      this.#writeTime(this.#times?.last);
      this.encoder.endPass();
    });
  }

  #encode(call: string, body: () => void): undefined {
    return this.encoder.encode(call, body, this);
  }

  #writeTime(index: number | undefined): void {
    if (index === undefined) return;
    this.encoder.write(COMMANDS.time, this.#times!.queries.address + index * 8);
  }

  /** The pipeline, with every bind group that it needs. @throws Refusal */
  #ready(): CpuComputePipeline {
    const pipeline = this.#pipeline;
    ensure(pipeline !== undefined, () => `no pipeline set on ${this}`);
    if (this.#isChecked) return pipeline;
    pipeline.layout.groups.forEach((layout, index) => {
      if (layout === undefined || layout.entries.length === 0) return;
      const group = this.#groups[index]?.group;
      ensure(group !== undefined, () => `no bind group set at index ${index}, which ${pipeline} needs`);
      if (group.layout === layout) return;
      ensure(
        group.layout!.key === layout.key,
        () =>
          `layout ${group.layout} of ${group}, set at index ${index}, is not compatible with ${layout} of ${pipeline}${
            layout.exclusive === undefined ? '' : ", which has a default layout: use the pipeline's getBindGroupLayout"
          }`,
      );
    });
    for (const { group, binding, name, range, minSize } of pipeline.places) {
      const bound = this.#groups[group]!.group.ranges[range]!;
      ensure(
        bound.size >= minSize,
        () =>
          `${bound.buffer} bound with size ${bound.size} at group ${group}, binding ${binding} is too small: ` +
          `${name} in ${pipeline} needs ${minSize} bytes`,
      );
    }
    checkSharing(this.#used(pipeline));
    this.encoder.usePipeline(pipeline);
    this.#isChecked = true;
    return pipeline;
  }

  /** The ranges bound for a pipeline, dynamic offsets included. */
  #used(pipeline: CpuComputePipeline): BoundRange[] {
    return pipeline.layout.groups.flatMap((_, index) => {
      const set = this.#groups[index];
      return set === undefined ? [] : set.group.ranges.map((range) => ({ ...range, offset: startOf(set, range) }));
    });
  }

  #writeBindings(pipeline: CpuComputePipeline): void {
    this.encoder.write(pipeline.places.length);
    for (const { group, range } of pipeline.places) {
      const set = this.#groups[group]!;
      const bound = set.group.ranges[range]!;
      this.encoder.write(bound.buffer.address + startOf(set, bound), bound.size);
    }
  }
}

/** First byte of a bound range in its buffer, its dynamic offset included. */
function startOf({ group, offsets }: SetGroup, range: BoundRange): number {
  return range.offset + (range.entry.hasDynamicOffset ? offsets[group.dynamic.indexOf(range)]! : 0);
}

function checkDynamicOffset(
  { entry, buffer, offset, size }: BoundRange,
  dynamic: number,
  limits: GPUSupportedLimits,
): void {
  const alignment =
    entry.type === 'uniform' ? limits.minUniformBufferOffsetAlignment : limits.minStorageBufferOffsetAlignment;
  ensure(dynamic % alignment === 0, () => `dynamic offset (${dynamic}) is not a multiple of ${alignment}`);
  ensure(
    offset + dynamic + size <= buffer.size,
    () => `dynamic offset (${dynamic}) moves binding ${entry.binding} past the end of ${buffer} (${buffer.size})`,
  );
}

const inTwoUsages = (buffer: CpuBuffer) =>
  `${buffer} usage includes writable usage and another usage in the same synchronization scope`;

/** A buffer range that a dispatch writes must be bound only once. @throws Refusal */
function checkSharing(ranges: readonly BoundRange[]): void {
  const writers = ranges.filter(({ entry }) => entry.type === 'storage');
  for (const writer of writers) {
    for (const other of ranges) {
      if (other === writer || other.buffer !== writer.buffer) continue;
      ensure(other.entry.type === 'storage', () => inTwoUsages(writer.buffer));
      const overlap = other.offset < writer.offset + writer.size && writer.offset < other.offset + other.size;
      ensure(
        !overlap,
        () => `writable storage buffer binding aliasing: ${writer.buffer} is bound twice, in ranges that overlap`,
      );
    }
  }
}
