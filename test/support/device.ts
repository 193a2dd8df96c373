import { openDevice } from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';
import { observeAsAsked } from '../../src/inspect/debug.js';

let device: Promise<Device> | undefined;
let bundled: Promise<Device> | undefined;

/** The device of this test process, with every access in shaders checked against its bounds. */
export function testDevice(): Promise<Device> {
  device ??= openDevice({ robust: true }).then((opened) => observeAsAsked(opened));
  return device;
}

/** Dawn with the bundled driver, where `runsBundled()`; the device of the tests where that is it. */
export function bundledDevice(): Promise<Device> {
  if (process.env.BYTE_TO_LOSS_DEVICE === 'bundled') return testDevice();
  bundled ??= openDevice({ device: 'bundled', robust: true });
  return bundled;
}
