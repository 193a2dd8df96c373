import { type CpuOptions, createCpuAdapter } from '../../src/device/cpu.js';
import type { Host } from '../../src/device/host.js';
import { nodeHost } from '../../src/device/nodeHost.js';
import { type HandMadeName, handCompiler, wgslOf } from './wasmKernels.js';

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

/** A pipeline of one of the kernels, its layout derived. */
export function pipelineOf(gpu: GPUDevice, name: HandMadeName): GPUComputePipeline {
  const module = gpu.createShaderModule({ label: name, code: wgslOf(name) });
  return gpu.createComputePipeline({ label: name, layout: 'auto', compute: { module } });
}

/** Bind buffers to bindings 0, 1, … of group 0. */
export function bindTo(gpu: GPUDevice, pipeline: GPUComputePipeline, ...buffers: readonly GPUBuffer[]): GPUBindGroup {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
}

/** Submit one dispatch. */
export function dispatch(
  gpu: GPUDevice,
  pipeline: GPUComputePipeline,
  group: GPUBindGroup | undefined,
  ...grid: [number, number?, number?]
): void {
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  if (group !== undefined) pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...grid);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
}

/** GPUBufferUsage, which is a global in pages only. */
export const USAGE = {
  STORAGE: 0x80 | 0x4 | 0x8,
  UNIFORM: 0x40 | 0x8,
  READ: 0x1 | 0x8,
  INDIRECT: 0x100 | 0x8,
} as const;

/** The 32-bit words of a buffer, after all that was submitted. */
export async function readWords(gpu: GPUDevice, buffer: GPUBuffer): Promise<Uint32Array> {
  const staging = gpu.createBuffer({ size: buffer.size, usage: USAGE.READ });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return words;
}

export async function readFloats(gpu: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  return new Float32Array((await readWords(gpu, buffer)).buffer);
}
