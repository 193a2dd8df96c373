import { openDevice } from '../../src/engine/adapters.js';
import type { Device } from '../../src/engine/device.js';

let device: Promise<Device> | undefined;

/** The device of this test process, with every access in shaders checked against its bounds. */
export function testDevice(): Promise<Device> {
  device ??= openDevice({ robust: true });
  return device;
}
