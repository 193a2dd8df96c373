/** The engine in a web page: bundlers and import maps take this file in place of engine.ts. */

export { openCpuDevice, openDevice } from './device/browserDevice.js';
export * from './engine/index.js';
