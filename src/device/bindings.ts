import type { CpuBuffer } from './buffer.js';
import type { BufferBindingType, KernelBinding } from './compiler.js';
import { GPUBufferUsage, GPUShaderStage } from './constants.js';
import type { CpuDevice } from './cpuDevice.js';
import { ensure, UnsupportedError } from './errors.js';
import { enforceRange } from './numbers.js';
import { DeviceObject } from './object.js';

/** One slot of a bind group. */
export interface LayoutEntry {
  readonly binding: number;
  readonly type: BufferBindingType;
  readonly hasDynamicOffset: boolean;
  /** 0: checked at each dispatch instead */
  readonly minBindingSize: number;
  readonly isVisible: boolean;
}

/** The layout of bind groups. */
export class CpuBindGroupLayout extends DeviceObject {
  /** layouts with the same key are interchangeable */
  readonly key: string;
  /** by binding number */
  readonly entries: readonly LayoutEntry[];

  /** @param exclusive the pipeline that derived it, whose bind groups fit no other; undefined for an explicit layout */
  constructor(
    device: CpuDevice,
    label: string | undefined,
    entries: readonly LayoutEntry[],
    readonly exclusive?: number,
  ) {
    super(device, 'BindGroupLayout', label);
    this.entries = [...entries].sort((a, b) => a.binding - b.binding);
    this.key = JSON.stringify([exclusive ?? 0, this.entries]);
  }

  /** @throws Refusal, or UnsupportedError for anything but a buffer */
  static read({ entries }: GPUBindGroupLayoutDescriptor, limits: GPUSupportedLimits): LayoutEntry[] {
    const seen = new Set<number>();
    const read = [...entries].map(({ binding, visibility, buffer, ...others }) => {
      for (const [kind, value] of Object.entries(others)) {
        if (value !== undefined) throw new UnsupportedError(`createBindGroupLayout: binding ${binding} is a ${kind}`);
      }
      ensure(buffer !== undefined, () => `binding ${binding} has no buffer layout`);
      ensure(!seen.has(binding), () => `binding index (${binding}) was specified by a previous entry`);
      seen.add(binding);
      const { type = 'uniform' } = buffer;
      if (!TYPES.includes(type)) throw new TypeError(`type must be one of ${TYPES.join(', ')}; got ${type}`);
      ensure((visibility & ~ALL_STAGES) === 0, () => `visibility (${visibility}) is not a set of shader stages`);
      ensure(
        type !== 'storage' || (visibility & GPUShaderStage.VERTEX) === 0,
        () => `binding ${binding} is writable storage, which a vertex shader cannot have`,
      );
      ensure(
        binding < limits.maxBindingsPerBindGroup,
        () => `binding number (${binding}) exceeds maxBindingsPerBindGroup (${limits.maxBindingsPerBindGroup})`,
      );
      return {
        binding,
        type,
        hasDynamicOffset: buffer.hasDynamicOffset ?? false,
        minBindingSize: buffer.minBindingSize ?? 0,
        isVisible: (visibility & GPUShaderStage.COMPUTE) !== 0,
      };
    });
    checkCounts(read, limits);
    return read;
  }

  /** The layout of one group, from a kernel's declarations. */
  static derive(device: CpuDevice, bindings: readonly KernelBinding[], exclusive: number): CpuBindGroupLayout {
    const entries = bindings.map(({ binding, type, minSize }) => ({
      binding,
      type,
      hasDynamicOffset: false,
      minBindingSize: minSize,
      isVisible: true,
    }));
    return new CpuBindGroupLayout(device, undefined, entries, exclusive);
  }
}

const TYPES: readonly string[] = ['uniform', 'storage', 'read-only-storage'] satisfies GPUBufferBindingType[];
const ALL_STAGES = Object.values(GPUShaderStage).reduce((all, stage) => all | stage, 0);

/** The bind group layouts of a pipeline, by group; a hole is an unused group. */
export class CpuPipelineLayout extends DeviceObject {
  constructor(
    device: CpuDevice,
    label: string | undefined,
    readonly groups: readonly (CpuBindGroupLayout | undefined)[],
  ) {
    super(device, 'PipelineLayout', label);
  }

  /** @throws Refusal for more buffers than a stage may have */
  static check(groups: readonly (CpuBindGroupLayout | undefined)[], device: CpuDevice): void {
    const { limits } = device;
    ensure(
      groups.length <= limits.maxBindGroups,
      () => `number of bind group layouts (${groups.length}) exceeds maxBindGroups (${limits.maxBindGroups})`,
    );
    for (const group of groups) group?.requireOf(device);
    checkCounts(
      groups.flatMap((group) => group?.entries ?? []),
      limits,
    );
  }
}

/** @throws Refusal for more buffers than a stage or a pipeline may have */
function checkCounts(all: readonly LayoutEntry[], limits: GPUSupportedLimits): void {
  const uniforms = all.filter(({ type }) => type === 'uniform');
  const storage = all.filter(({ type }) => type !== 'uniform');
  for (const [entries, limit] of [
    [uniforms, 'maxUniformBuffersPerShaderStage'],
    [storage, 'maxStorageBuffersPerShaderStage'],
    [uniforms.filter((entry) => entry.hasDynamicOffset), 'maxDynamicUniformBuffersPerPipelineLayout'],
    [storage.filter((entry) => entry.hasDynamicOffset), 'maxDynamicStorageBuffersPerPipelineLayout'],
  ] as const) {
    ensure(
      entries.length <= limits[limit],
      () => `number of buffers (${entries.length}) exceeds ${limit} (${limits[limit]})`,
    );
  }
}

/** A range of a buffer in a slot of a bind group. */
export interface BoundRange {
  readonly entry: LayoutEntry;
  readonly buffer: CpuBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Buffers, bound to the slots of a layout. */
export class CpuBindGroup extends DeviceObject {
  /** slots with a dynamic offset, by binding number, the order of the offsets */
  readonly dynamic: readonly BoundRange[];

  constructor(
    device: CpuDevice,
    label: string | undefined,
    readonly layout: CpuBindGroupLayout | undefined,
    /** in the order of the layout's entries */
    readonly ranges: readonly BoundRange[],
  ) {
    super(device, 'BindGroup', label);
    this.dynamic = ranges.filter(({ entry }) => entry.hasDynamicOffset);
  }

  /** @throws Refusal when a binding is missing, too small, misaligned or of another kind */
  static read(descriptor: GPUBindGroupDescriptor, device: CpuDevice): BoundRange[] {
    const layout = descriptor.layout as unknown as CpuBindGroupLayout;
    layout.requireOf(device);
    const given = new Map<number, GPUBindingResource>();
    for (const { binding, resource } of descriptor.entries) {
      ensure(!given.has(binding), () => `binding index (${binding}) already used by a previous entry`);
      ensure(
        layout.entries.some((entry) => entry.binding === binding),
        () => `binding index (${binding}) not present in the bind group layout ${layout}`,
      );
      given.set(binding, resource);
    }
    return layout.entries.map((entry) => {
      const resource = given.get(entry.binding);
      ensure(
        resource !== undefined,
        () => `binding index (${entry.binding}) of ${layout} is missing in the bind group`,
      );
      return bind(entry, resource, device);
    });
  }
}

function bind(entry: LayoutEntry, resource: GPUBindingResource, device: CpuDevice): BoundRange {
  const { limits } = device;
  const where = `binding ${entry.binding}`;
  const asBinding = 'buffer' in resource ? resource : { buffer: resource as unknown as GPUBuffer };
  const buffer = asBinding.buffer as unknown as CpuBuffer;
  if (typeof buffer?.requireUsage !== 'function')
    throw new UnsupportedError(`createBindGroup: ${where} is not a buffer`);
  const offset = enforceRange('offset', asBinding.offset ?? 0);
  const size = asBinding.size === undefined ? buffer.size - offset : enforceRange('size', asBinding.size);
  const isUniform = entry.type === 'uniform';
  buffer.requireOf(device);
  buffer.requireUsage(isUniform ? GPUBufferUsage.UNIFORM : GPUBufferUsage.STORAGE);
  const alignment = isUniform ? limits.minUniformBufferOffsetAlignment : limits.minStorageBufferOffsetAlignment;
  ensure(
    offset % alignment === 0,
    () =>
      `${where}: offset (${offset}) of ${buffer} is not a multiple of the alignment of ${entry.type} (${alignment})`,
  );
  ensure(size > 0, () => `${where}: the bound range of ${buffer} is empty`);
  buffer.requireBytes(offset, size);
  const most = isUniform ? limits.maxUniformBufferBindingSize : limits.maxStorageBufferBindingSize;
  ensure(size <= most, () => `${where}: size (${size}) of the range of ${buffer} exceeds the limit (${most})`);
  ensure(
    isUniform || size % 4 === 0,
    () => `${where}: size (${size}) of the range of ${buffer} is not a multiple of 4`,
  );
  ensure(
    size >= entry.minBindingSize,
    () => `${where}: size (${size}) of the range of ${buffer} is smaller than the minimum (${entry.minBindingSize})`,
  );
  return { entry, buffer, offset, size };
}
