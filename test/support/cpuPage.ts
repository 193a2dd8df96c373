/** The script of a page that runs the CPU device; browser.test.ts bundles it. */
import { createCpuAdapter } from '../../src/device/cpu.js';
import { webHost } from '../../src/device/webHost.js';
import { dispatch, pipelineOf, workload } from './cpuPrograms.js';
import { handCompiler } from './wasmKernels.js';

const open = (threads: number) =>
  createCpuAdapter({ host: webHost(), compiler: handCompiler, threads }).requestDevice();

/** Runs of the CPU device in a page, by name. */
export const runOnCpu = {
  /** What the adapter is, and the numbers of `workload`. */
  async workload(threads: number): Promise<{ description: string; numbers: number[] }> {
    const gpu = await open(threads);
    const numbers = [...(await workload(gpu))];
    gpu.destroy();
    return { description: gpu.adapterInfo.description, numbers };
  },
  async trap(threads: number): Promise<string> {
    const gpu = await open(threads);
    dispatch(gpu, pipelineOf(gpu, 'trap'), undefined, 64);
    return (await gpu.lost).message;
  },
};

Object.assign(globalThis, { runOnCpu });
