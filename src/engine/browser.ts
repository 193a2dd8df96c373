/** The engine in a web page: bundlers and import maps take this file in the place of index.ts. */

export { openCpuDevice, openDevice } from './browserDevice.js';
export * from './portable.js';
