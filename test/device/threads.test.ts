import { expect, test } from 'vitest';
import { createCpuAdapter } from '../../src/device/cpu.js';
import { nodeHost } from '../../src/device/nodeHost.js';
import { handCompiler, wgslOf } from '../support/wasmKernels.js';

test('smoke', async () => {
  for (const threads of [0, 1, 2, 3]) {
    const { spawn: _, ...alone } = nodeHost;
    const adapter = createCpuAdapter({ host: threads ? nodeHost : alone, compiler: handCompiler, threads: threads || undefined });
    const gpu = await adapter.requestDevice();
    const n = 1 << 20;
    const x = gpu.createBuffer({ size: n * 4, usage: 0x8c });
    const out = gpu.createBuffer({ size: n * 4, usage: 0x9 });
    const module = gpu.createShaderModule({ code: wgslOf('addOne') });
    const pipeline = await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: x } }] });
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < 200; i++) pass.dispatchWorkgroups(n / 64 / 1024);
      pass.end();
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
      console.log(threads, 'small', (performance.now() - start) / 200 * 1000, 'µs per dispatch');
    }
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < 200; i++) pass.dispatchWorkgroups(n / 64 / 16);
      pass.end();
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
      console.log(threads, 'middle', (performance.now() - start) / 200 * 1000, 'µs per dispatch');
    }
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(n / 64);
    pass.end();
    encoder.copyBufferToBuffer(x, 0, out, 0, n * 4);
    gpu.queue.submit([encoder.finish()]);
    await out.mapAsync(1);
    const f = new Float32Array(out.getMappedRange());
    expect(f[0]).toBe(2001);
    expect(f[1024*64-1]).toBe(1001);
    expect(f[n-1]).toBe(1);
    gpu.destroy();
  }
});
