import { CpuBindGroupLayout, CpuPipelineLayout } from './bindings.js';
import { type CompiledKernel, compileErrorOf, type KernelBinding } from './compiler.js';
import type { CpuDevice } from './cpuDevice.js';
import { ensure } from './errors.js';
import { DeviceObject } from './object.js';
import type { CpuShaderModule } from './shader.js';

/** Location of a kernel's binding at a dispatch: the group, and the range in it. */
export interface BindingPlace extends KernelBinding {
  readonly range: number;
}

/** A compiled kernel and the layout of its bind groups. */
export class CpuComputePipeline extends DeviceObject {
  /** in the order of the kernel's arguments */
  readonly places: readonly BindingPlace[];

  constructor(
    device: CpuDevice,
    label: string | undefined,
    /** its number for the threads */
    readonly id: number,
    readonly kernel: CompiledKernel | undefined,
    readonly layout: CpuPipelineLayout,
  ) {
    super(device, 'ComputePipeline', label);
    this.places = (kernel?.bindings ?? []).map((binding) => ({
      ...binding,
      range: layout.groups[binding.group]!.entries.findIndex((entry) => entry.binding === binding.binding),
    }));
  }

  getBindGroupLayout(given: number): CpuBindGroupLayout {
    const index = given >>> 0; // WebIDL's unsigned long, which this alone of the interface's numbers is
    const { device, layout } = this;
    const made = device.check(`calling ${this}.GetBindGroupLayout(${index})`, () => {
      ensure(this.isValid, () => `${this} is invalid`);
      ensure(index < device.limits.maxBindGroups, () => `bind group layout index (${index}) exceeds maxBindGroups`);
      return layout.groups[index] ?? new CpuBindGroupLayout(device, undefined, []);
    });
    return made ?? device.invalid(new CpuBindGroupLayout(device, undefined, []));
  }
}

/** @throws TypeError for a constant that is not finite, for any module */
export function checkNumbers({ compute: { constants = {} } }: GPUComputePipelineDescriptor): void {
  for (const [key, value] of Object.entries(constants)) {
    if (!Number.isFinite(Number(value))) throw new TypeError(`constants: ${key} is ${value}, not a finite number`);
  }
}

/**
 * Compile the kernel of a descriptor.
 *
 * @throws Refusal when WebGPU forbids it, or an error with a position in the WGSL
 */
export function compileFor(
  device: CpuDevice,
  { compute }: GPUComputePipelineDescriptor,
): { readonly kernel: CompiledKernel; readonly entryPoint: string } {
  const shader = compute.module as unknown as CpuShaderModule;
  shader.requireOf(device);
  ensure(shader.module !== undefined, () => `${shader} is invalid`);
  const { entryPoints, overrides } = shader.module;
  const names = entryPoints.map(({ name }) => name);
  const entryPoint = compute.entryPoint ?? (names.length === 1 ? names[0] : undefined);
  ensure(
    entryPoint !== undefined,
    () => `${shader} has ${names.length} compute entry points (${names.join(', ')}); entryPoint must name one`,
  );
  const entry = entryPoints.find(({ name }) => name === entryPoint);
  ensure(entry !== undefined, () => `entry point "${entryPoint}" doesn't exist in ${shader}`);
  const constants: Record<string, number> = {};
  for (const [key, value] of Object.entries(compute.constants ?? {})) {
    const declared = overrides.some(({ name, id }) => (id === undefined ? name === key : String(id) === key));
    ensure(declared, () => `pipeline overridable constant "${key}" not found in ${shader}`);
    constants[key] = value;
  }
  for (const { name, id, required } of entry.overrides) {
    const given = constants[id === undefined ? name : String(id)] !== undefined;
    ensure(given || !required, () => `there is no value for the pipeline overridable constant "${name}" of ${shader}`);
  }
  const { memory, isRobust } = device;
  const options = { sharedMemory: memory.shared, robust: isRobust, maximumPages: memory.maximumPages };
  const kernel = shader.module.compile(entryPoint, constants, options);
  checkWorkgroup(kernel, device.limits);
  return { kernel, entryPoint };
}

function checkWorkgroup({ workgroupSize: size, workgroupBytes }: CompiledKernel, limits: GPUSupportedLimits): void {
  const most = [
    limits.maxComputeWorkgroupSizeX,
    limits.maxComputeWorkgroupSizeY,
    limits.maxComputeWorkgroupSizeZ,
  ] as const;
  const inWords = `workgroup size (${size.join(', ')})`;
  ensure(
    size.every((count, axis) => count <= most[axis]!),
    () => `${inWords} exceeds the maximum (${most.join(', ')})`,
  );
  const invocations = size[0] * size[1] * size[2];
  const limit = limits.maxComputeInvocationsPerWorkgroup;
  ensure(invocations <= limit, () => `${inWords} has ${invocations} invocations; the maximum is ${limit}`);
  const mostBytes = limits.maxComputeWorkgroupStorageSize;
  ensure(
    workgroupBytes <= mostBytes,
    () => `total use of workgroup storage (${workgroupBytes} bytes) is larger than the maximum (${mostBytes} bytes)`,
  );
}

/** The layout that a descriptor names, or one derived from the kernel. @throws Refusal when they do not agree */
export function layoutFor(
  device: CpuDevice,
  descriptor: GPUComputePipelineDescriptor,
  kernel: CompiledKernel,
  exclusive: number,
): CpuPipelineLayout {
  if (descriptor.layout === 'auto') {
    const count = Math.max(0, ...kernel.bindings.map(({ group }) => group + 1));
    const groups = Array.from({ length: count }, (_, index) =>
      CpuBindGroupLayout.derive(
        device,
        kernel.bindings.filter(({ group }) => group === index),
        exclusive,
      ),
    );
    CpuPipelineLayout.check(groups, device);
    return new CpuPipelineLayout(device, undefined, groups);
  }
  const layout = descriptor.layout as unknown as CpuPipelineLayout;
  layout.requireOf(device);
  for (const { group, binding, name, type, minSize } of kernel.bindings) {
    const entry = layout.groups[group]?.entries.find((candidate) => candidate.binding === binding);
    const where = `@group(${group}) @binding(${binding}) var ${name}`;
    ensure(entry !== undefined, () => `${where}: binding doesn't exist in ${layout.groups[group] ?? layout}`);
    ensure(entry.isVisible, () => `${where}: ${layout.groups[group]} does not show it to compute shaders`);
    ensure(entry.type === type, () => `${where}: type (${type}) is not that of the layout (${entry.type})`);
    ensure(
      entry.minBindingSize === 0 || entry.minBindingSize >= minSize,
      () => `${where}: needs ${minSize} bytes; the layout's minBindingSize is ${entry.minBindingSize}`,
    );
  }
  return layout;
}

/** The text of an error in WGSL, in Dawn's form. */
export function inWords(error: unknown): string {
  const known = compileErrorOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return known === undefined ? text : `Error while compiling WGSL: ${text}`;
}
