import { openCpuDevice, openDevice } from '../../src/device/browserDevice.js';
import type { Device } from '../../src/device/device.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';

/** The files of shaders/, unchanged: the bundler inlines the files that Node reads from disk. */
const shaders = import.meta.glob<string>('../../shaders/**/*.wgsl', { query: '?raw', import: 'default', eager: true });
setShaderSource((name) => shaders[`../../shaders/${name}.wgsl`]);

/** A device for the page, and the reason if it is not the browser's own WebGPU. */
export interface PageDevice {
  readonly device: Device;
  readonly withoutWebGpu?: string;
}

/** Devices that the address of the page can ask for: `index.html?device=webgpu`. */
export type Wanted = 'webgpu' | 'cpu' | undefined;

/**
 * The browser's own device if it is a GPU, else the CPU device. A software driver of the browser takes many times as
 * long as the CPU device, so it runs only if the address requests it.
 *
 * @throws DeviceError when the browser has neither WebGPU nor WebAssembly SIMD
 */
export async function openBrowserDevice(wanted: Wanted): Promise<PageDevice> {
  const reason = await (wanted === 'cpu' ? Promise.resolve('The address of this page asks for it.') : own(wanted));
  return typeof reason === 'string' ? { device: await openCpuDevice(), withoutWebGpu: reason } : { device: reason };
}

/** The browser's device, or the reason that it is not used. */
async function own(wanted: Wanted): Promise<Device | string> {
  try {
    const device = await openDevice();
    if (device.kind === 'gpu' || wanted === 'webgpu') return device;
    device.close();
    return `This browser's WebGPU is a software driver, ${device.driver}, which is slower.`;
  } catch (error) {
    return (error as Error).message;
  }
}
