/** What tests of the CPU device do with one, in Node and in a page. */
import { type HandMadeName, wgslOf } from './wasmKernels.js';

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

/** Read a buffer back as float32. */
export async function readFloats(gpu: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  return new Float32Array((await readWords(gpu, buffer)).buffer);
}

/** A few hundred dispatches over numbers of every size of work, and what comes of them. */
export async function workload(gpu: GPUDevice): Promise<Float32Array> {
  const [add, scale] = [pipelineOf(gpu, 'addOne'), pipelineOf(gpu, 'scale')];
  const length = 100_003;
  const [x, y, params] = [
    gpu.createBuffer({ size: length * 4, usage: USAGE.STORAGE }),
    gpu.createBuffer({ size: length * 4, usage: USAGE.STORAGE }),
    gpu.createBuffer({ size: 16, usage: USAGE.UNIFORM }),
  ];
  gpu.queue.writeBuffer(
    x,
    0,
    Float32Array.from({ length }, (_, i) => Math.sin(i)),
  );
  gpu.queue.writeBuffer(params, 0, Float32Array.of(1.1));
  const [addGroup, there, back] = [
    bindTo(gpu, add, x),
    bindTo(gpu, scale, params, x, y),
    bindTo(gpu, scale, params, y, x),
  ];
  for (let round = 0; round < 10; round++) {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < 10; i++) {
      pass.setPipeline(add);
      pass.setBindGroup(0, addGroup);
      pass.dispatchWorkgroups(1 + ((round * 157 * i) % 1563));
      pass.setPipeline(scale);
      pass.setBindGroup(0, i % 2 ? back : there);
      pass.dispatchWorkgroups(1563);
    }
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  }
  return readFloats(gpu, x);
}
