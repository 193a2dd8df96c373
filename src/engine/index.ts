/** The engine: tensors, ops, programs, plans, and a device to run them on. See README.md for the reading order. */

export { type DeviceName, type Listed, listDevices, type OpenOptions, openDevice, type Source } from './adapters.js';
export * from './portable.js';
