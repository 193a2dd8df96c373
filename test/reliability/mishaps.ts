/*
 * Loaded before the command line by a process that is to come to harm: MISHAP names the harm, AT the dispatch at which it
 * happens, of all that the process makes.
 */
import { CpuDevice } from '../../src/device/cpuDevice.js';
import { watchDispatches } from '../support/faults.js';

const mishaps: Readonly<Record<string, (gpu: GPUDevice) => void>> = {
  lost: (gpu) => gpu.destroy(),
  uncaught: () => {
    setTimeout(() => {
      throw new TypeError('a bug, made up');
    });
  },
  rejected: () => {
    void Promise.reject(new TypeError('a bug, made up'));
  },
};

const mishap = mishaps[process.env.MISHAP!]!;
let dispatches = 0;
const watch = (gpu: GPUDevice) =>
  watchDispatches(gpu, () => {
    if (++dispatches === Number(process.env.AT)) mishap(gpu);
  });

// Bundled with the command line, whose device this is: see `build.ts`.
const prototype = CpuDevice.prototype as unknown as GPUDevice;
const { createCommandEncoder } = prototype;
prototype.createCommandEncoder = function (this: GPUDevice, descriptor) {
  // The first call of a device: from then on it has a method of its own, which watches.
  this.createCommandEncoder = createCommandEncoder;
  watch(this);
  return this.createCommandEncoder(descriptor);
};
