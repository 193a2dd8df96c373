import { type Device, requestDevice } from '../../src/engine/device.js';
import { DeviceError } from '../../src/engine/errors.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';

/** The files of shaders/, as they stand: what Node reads from disk is inlined here by the bundler. */
const shaders = import.meta.glob<string>('../../shaders/*.wgsl', { query: '?raw', import: 'default', eager: true });

/**
 * The browser's own WebGPU device, with the shaders handed to the engine.
 *
 * @throws DeviceError in words for the page: what is missing, and what would help
 */
export async function openBrowserDevice(): Promise<Device> {
  setShaderSource((name) => shaders[`../../shaders/${name}.wgsl`]);
  // Absent in browsers without WebGPU, and on pages that were not loaded from https, localhost or a file.
  const gpu = navigator.gpu as GPU | undefined;
  if (gpu === undefined) {
    throw new DeviceError(
      'This browser has no WebGPU. Current versions of Chrome, Edge, Safari and Firefox have it on most systems; on Linux, ' +
        'Chrome needs chrome://flags/#enable-unsafe-webgpu switched on.',
    );
  }
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    throw new DeviceError(
      'This browser has WebGPU but found no adapter to run it on. Hardware acceleration may be switched off in its settings.',
    );
  }
  return requestDevice(adapter);
}
