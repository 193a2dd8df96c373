/** The engine: tensors, ops, programs, plans, and a device to run them on. See README.md for the reading order. */

export { listDevices, type OpenOptions, openDevice } from './adapters.js';
export * from './portable.js';
