import { type Device, requestDevice } from './device.js';
import { DeviceError } from './errors.js';

/**
 * The browser's own WebGPU device.
 *
 * @throws DeviceError in words for the page: what is missing, and what would help
 */
export async function openDevice(): Promise<Device> {
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
