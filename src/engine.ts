/**
 * The engine as a program in Node imports it, with its devices and what looks at a run: `byte-to-loss/engine`.
 *
 * @module
 */
import { type OpenOptions, openDevice as open, type Source } from './device/adapters.js';
import type { Device } from './device/device.js';
import { observeAsAsked } from './inspect/debug.js';

export { type DeviceName, type Listed, listDevices, type OpenOptions, type Source } from './device/adapters.js';
export * from './engine/index.js';
export { describe } from './inspect/describe.js';

/**
 * Open the best device of this machine: a hardware GPU through Dawn, else our own CPU device.
 * `options.device`, then the variable BYTE_TO_LOSS_DEVICE, name one of them instead; `DEBUG` and `PARITY` look at its runs.
 *
 * @throws InputError when the name is unknown, or the number of threads is not one
 * @throws DeviceError when none opens: what was tried, why each failed, and what to do
 */
export async function openDevice(options?: OpenOptions, sources?: readonly Source[]): Promise<Device> {
  return observeAsAsked(await open(options, sources));
}
