import { openCpuDevice, openDevice } from '../../src/device/browserDevice.js';
import type { Device } from '../../src/device/device.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';

/** The files of shaders/, as they stand: what Node reads from disk is inlined here by the bundler. */
const shaders = import.meta.glob<string>('../../shaders/**/*.wgsl', { query: '?raw', import: 'default', eager: true });

/** A device for the page, and where it is not the browser's own WebGPU, why. */
export interface PageDevice {
  readonly device: Device;
  readonly withoutWebGpu?: string;
}

/**
 * The browser's own device, else the CPU device, with the shaders handed to the engine.
 *
 * @throws DeviceError where the browser has neither WebGPU nor WebAssembly SIMD
 */
export async function openBrowserDevice(): Promise<PageDevice> {
  setShaderSource((name) => shaders[`../../shaders/${name}.wgsl`]);
  try {
    return { device: await openDevice() };
  } catch (error) {
    return { device: await openCpuDevice(), withoutWebGpu: (error as Error).message };
  }
}
