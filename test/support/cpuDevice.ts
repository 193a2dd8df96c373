import { type CpuOptions, createCpuAdapter } from '../../src/device/cpu.js';
import type { Host } from '../../src/device/host.js';
import { nodeHost } from '../../src/device/nodeHost.js';
import { handCompiler } from './wasmKernels.js';

const { spawn: _, ...withoutThreads } = nodeHost;
/** Node as a page from a file sees it: no threads that share memory. */
export const aloneHost: Host = withoutThreads;

/** A CPU device with the kernels of wasmKernels.ts, and every limit that its adapter has. */
export async function openCpu(options: Partial<CpuOptions> = {}): Promise<GPUDevice> {
  const adapter = createCpuAdapter({ host: nodeHost, compiler: handCompiler, threads: 2, ...options });
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  return adapter.requestDevice({
    requiredFeatures: [...adapter.features] as GPUFeatureName[],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
}
