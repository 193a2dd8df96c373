/*
 * Loaded before the command line by a process that is to come to harm: MISHAP names the harm, AT the dispatch at which it
 * happens, of all that the process makes.
 */
import { globals } from 'webgpu';
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
const { prototype } = (globals as { GPUAdapter: { prototype: GPUAdapter } }).GPUAdapter;
const { requestDevice } = prototype;
prototype.requestDevice = async function (descriptor) {
  const gpu = await requestDevice.call(this, descriptor);
  watchDispatches(gpu, () => {
    if (++dispatches === Number(process.env.AT)) mishap(gpu);
  });
  return gpu;
};
