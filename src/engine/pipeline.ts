import { DeviceError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import { type Dispatch, type KernelInterface, kernelText, readInterface } from './kernel.js';
import { shaderText } from './shaderSource.js';

/** A kernel ready to run. */
export interface CompiledKernel {
  /** the WGSL that runs, prelude included */
  readonly text: string;
  readonly declared: KernelInterface;
  readonly pipeline: GPUComputePipeline;
}

/** Kernels by device and text: the same file with the same constants is compiled once. */
const compiled = new WeakMap<GPUDevice, Map<string, Promise<CompiledKernel>>>();

/**
 * Compile the kernel of a dispatch. Callers start many at once, and the driver compiles them in parallel.
 *
 * @throws DeviceError with each message printed under its line of WGSL
 */
export async function compileKernel({ gpu }: Pick<Device, 'gpu'>, dispatch: Dispatch): Promise<CompiledKernel> {
  const file = await shaderText(dispatch.shader);
  const text = kernelText(file, dispatch);
  const known = compiled.get(gpu) ?? new Map<string, Promise<CompiledKernel>>();
  const kernel = known.get(text) ?? compile(gpu, dispatch.shader, text, readInterface(dispatch.shader, file));
  compiled.set(gpu, known.set(text, kernel));
  return kernel;
}

async function compile(gpu: GPUDevice, label: string, text: string, declared: KernelInterface) {
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label, code: text });
  // The layout is explicit: a derived one drops bindings that a constant has made unused.
  const layout = gpu.createBindGroupLayout({
    label,
    // visibility 0x4: compute
    entries: declared.bindings.map(({ binding, type }) => ({ binding, visibility: 0x4, buffer: { type } })),
  });
  const [{ messages }] = await Promise.all([module.getCompilationInfo(), gpu.popErrorScope()]);
  checkMessages(label, text, messages);
  const pipeline = await gpu.createComputePipelineAsync({
    label,
    layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  });
  return { text, declared, pipeline };
}

/** A shader must compile without errors. */
function checkMessages(label: string, text: string, messages: readonly GPUCompilationMessage[]): void {
  const errors = messages.filter((message) => message.type === 'error');
  if (errors.length > 0) throw new DeviceError(printMessages(label, text, errors), 'invalid', label);
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
    const before = line.slice(0, Math.max(0, linePos - 1)).replace(/[^\t]/g, ' '); // a tab stays one
    return `${String(lineNum).padStart(5)} | ${line}\n        ${before}^ ${message}`;
  });
  return `${label}.wgsl does not compile:\n${printed.join('\n')}`;
}
