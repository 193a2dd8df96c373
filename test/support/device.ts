import { openDevice } from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';
import { observeAsAsked } from '../../src/inspect/debug.js';

let device: Promise<Device> | undefined;
const bundled = new Map<boolean, Promise<Device>>();

/** The device of this test process, with every access in shaders checked against its bounds. */
export function testDevice(): Promise<Device> {
  device ??= openDevice({ robust: true }).then((opened) => observeAsAsked(opened));
  return device;
}

/**
 * Dawn with the bundled driver, where `runsBundled()`; the device of the tests where that is it.
 *
 * @param robust false takes kernels without checks of bounds, as users' cards do: its compiler is six times faster at them
 */
export function bundledDevice(robust = true): Promise<Device> {
  if (process.env.BYTE_TO_LOSS_DEVICE === 'bundled') return testDevice();
  const device = bundled.get(robust) ?? openDevice({ device: 'bundled', robust });
  bundled.set(robust, device);
  return device;
}
