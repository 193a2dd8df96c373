import { openDevice } from '../../src/engine/browserDevice.js';
import type { Device } from '../../src/engine/device.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';

/** The files of shaders/, as they stand: what Node reads from disk is inlined here by the bundler. */
const shaders = import.meta.glob<string>('../../shaders/*.wgsl', { query: '?raw', import: 'default', eager: true });

/** The browser's own device, with the shaders handed to the engine. @throws DeviceError in words for the page */
export function openBrowserDevice(): Promise<Device> {
  setShaderSource((name) => shaders[`../../shaders/${name}.wgsl`]);
  return openDevice();
}
