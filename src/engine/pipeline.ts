import { DeviceError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import type { KernelInterface } from './kernel.js';

/** A kernel ready to run, and the layout of its bind groups. */
export interface CompiledKernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines by device and text: the same kernel with the same constants is compiled once. */
const compiled = new WeakMap<GPUDevice, Map<string, Promise<CompiledKernel>>>();

/**
 * Compile one kernel asynchronously; callers start many at once, and the driver compiles them in parallel.
 *
 * @throws DeviceError with each message printed under its line of WGSL
 */
export function compilePipeline(
  device: Device,
  label: string,
  text: string,
  declared: KernelInterface,
): Promise<CompiledKernel> {
  let known = compiled.get(device.gpu);
  if (known === undefined) {
    known = new Map();
    compiled.set(device.gpu, known);
  }
  let kernel = known.get(text);
  if (kernel === undefined) {
    kernel = compile(device.gpu, label, text, declared);
    known.set(text, kernel);
  }
  return kernel;
}

async function compile(
  gpu: GPUDevice,
  label: string,
  text: string,
  declared: KernelInterface,
): Promise<CompiledKernel> {
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label, code: text });
  // The layout is explicit: a derived one drops bindings that a constant has made unused.
  const layout = gpu.createBindGroupLayout({
    label,
    entries: declared.bindings.map(({ binding, access }) => ({
      binding,
      visibility: 0x4, // compute
      buffer: { type: access === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage' },
    })),
  });
  const [{ messages }] = await Promise.all([module.getCompilationInfo(), gpu.popErrorScope()]);
  const errors = messages.filter((message) => message.type === 'error');
  if (errors.length > 0) throw new DeviceError(printMessages(label, text, errors), 'invalid', label);
  try {
    const pipeline = await gpu.createComputePipelineAsync({
      label,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    return { pipeline, layout };
  } catch (error) {
    throw new DeviceError(`${label}.wgsl: the driver refused it: ${(error as Error).message}`, 'internal', label);
  }
}

/** Each message under its line. */
export function printMessages(
  label: string,
  text: string,
  messages: readonly { readonly lineNum: number; readonly linePos: number; readonly message: string }[],
): string {
  const lines = text.split('\n');
  const printed = messages.map(({ lineNum, linePos, message }) => {
    const line = lines[lineNum - 1] ?? '';
    return `${String(lineNum).padStart(5)} | ${line}\n        ${' '.repeat(Math.max(0, linePos - 1))}^ ${message}`;
  });
  return `${label}.wgsl does not compile:\n${printed.join('\n')}`;
}
