import { openDevice } from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';
import { observeAsAsked } from '../../src/inspect/debug.js';

let device: Promise<Device> | undefined;

/** The device of this test process, with every access in shaders checked against its bounds. */
export function testDevice(): Promise<Device> {
  device ??= openDevice({ robust: true }).then((opened) => observeAsAsked(opened));
  return device;
}
