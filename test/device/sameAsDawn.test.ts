import { beforeAll, describe, expect, it } from 'vitest';
import { openDevice } from '../../src/device/adapters.js';
import { wgslCompiler } from '../../src/device/wgslCompiler.js';
import { openCpu } from '../support/cpuDevice.js';
import { bindTo, dispatch, pipelineOf, readFloats, readWords, USAGE } from '../support/cpuPrograms.js';
import { handCompiler, wgslOf } from '../support/wasmKernels.js';

const { STORAGE, UNIFORM, READ, INDIRECT } = USAGE;

const buffer = (gpu: GPUDevice, size: number, usage: number = STORAGE, more: Partial<GPUBufferDescriptor> = {}) =>
  gpu.createBuffer({ size, usage, ...more });

/** What can be seen of one step: a value, what was thrown, and which errors the device reported. */
async function outcome(gpu: GPUDevice, body: (gpu: GPUDevice) => unknown): Promise<unknown> {
  gpu.pushErrorScope('out-of-memory');
  gpu.pushErrorScope('validation');
  let result: unknown;
  try {
    result = { value: await body(gpu) };
  } catch (error) {
    result = { threw: (error as Error).name };
  }
  const errors = [await gpu.popErrorScope(), await gpu.popErrorScope()];
  return { ...(result as object), errors: errors.map((error) => error?.constructor.name ?? null) };
}

function encode(gpu: GPUDevice, body: (encoder: GPUCommandEncoder) => void): void {
  const encoder = gpu.createCommandEncoder();
  body(encoder);
  gpu.queue.submit([encoder.finish()]);
}

function encodePass(gpu: GPUDevice, body: (pass: GPUComputePassEncoder) => void): void {
  encode(gpu, (encoder) => {
    const pass = encoder.beginComputePass();
    body(pass);
    pass.end();
  });
}

function layoutOf(gpu: GPUDevice, ...buffers: readonly GPUBufferBindingLayout[]): GPUBindGroupLayout {
  return gpu.createBindGroupLayout({
    entries: buffers.map((layout, binding) => ({ binding, visibility: 4, buffer: layout })),
  });
}

function explicit(gpu: GPUDevice, kernel: 'addOne' | 'scale', ...layouts: GPUBindGroupLayout[]) {
  return gpu.createComputePipeline({
    layout: gpu.createPipelineLayout({ bindGroupLayouts: layouts }),
    compute: { module: gpu.createShaderModule({ code: wgslOf(kernel) }), entryPoint: 'main' },
  });
}

const ramp = (length: number) => Float32Array.from({ length }, (_, i) => i);
const THREE: readonly GPUBufferBindingLayout[] = [
  { type: 'uniform' },
  { type: 'read-only-storage' },
  { type: 'storage' },
];

/** Small programs against WebGPU, right ones and wrong ones. */
const PROGRAMS: Record<string, (gpu: GPUDevice) => unknown> = {
  // buffers
  'a new buffer is zero': async (gpu) => [...(await readWords(gpu, buffer(gpu, 16)))],
  'no usage': (gpu) => void buffer(gpu, 16, 0),
  'an unknown usage': (gpu) => void buffer(gpu, 16, 0x10000),
  'MAP_READ with STORAGE': (gpu) => void buffer(gpu, 16, 0x1 | 0x80),
  'MAP_WRITE with COPY_DST': (gpu) => void buffer(gpu, 16, 0x2 | 0x8),
  'a buffer of 0 bytes': (gpu) => buffer(gpu, 0).size,
  'a buffer beyond the limit': (gpu) => void buffer(gpu, gpu.limits.maxBufferSize + 4),
  'mapped at creation with an odd size': (gpu) => void buffer(gpu, 6, STORAGE, { mappedAtCreation: true }),
  'numbers given at creation arrive': async (gpu) => {
    const made = buffer(gpu, 16, STORAGE, { mappedAtCreation: true });
    new Float32Array(made.getMappedRange()).set([1, 2, 3, 4]);
    made.unmap();
    return [...(await readFloats(gpu, made))];
  },
  'a buffer mapped at creation is used': (gpu) => {
    const made = buffer(gpu, 16, STORAGE, { mappedAtCreation: true });
    encode(gpu, (encoder) => encoder.clearBuffer(made));
  },
  'label, size, usage and state can be read': (gpu) => {
    const made = buffer(gpu, 16, READ, { label: 'x' });
    return [made.label, made.size, made.usage, made.mapState];
  },
  // writeBuffer
  'a write arrives at its offset': async (gpu) => {
    const made = buffer(gpu, 16);
    gpu.queue.writeBuffer(made, 4, Float32Array.of(1, 2, 3, 4), 1, 2);
    return [...(await readFloats(gpu, made))];
  },
  'a write of an ArrayBuffer counts bytes': async (gpu) => {
    const made = buffer(gpu, 16);
    gpu.queue.writeBuffer(made, 0, Float32Array.of(1, 2, 3, 4).buffer, 4, 8);
    return [...(await readFloats(gpu, made))];
  },
  'a write past the end': (gpu) => gpu.queue.writeBuffer(buffer(gpu, 16), 12, new Float32Array(2)),
  'a write at an odd offset': (gpu) => gpu.queue.writeBuffer(buffer(gpu, 16), 2, new Float32Array(1)),
  'a write of an odd size': (gpu) => gpu.queue.writeBuffer(buffer(gpu, 16), 0, new Uint8Array(3)),
  'a write from beyond the data': (gpu) => gpu.queue.writeBuffer(buffer(gpu, 16), 0, new Float32Array(2), 3),
  'a write to a buffer without COPY_DST': (gpu) => gpu.queue.writeBuffer(buffer(gpu, 16, 0x80), 0, new Float32Array(1)),
  'a write to a destroyed buffer': (gpu) => {
    const made = buffer(gpu, 16);
    made.destroy();
    gpu.queue.writeBuffer(made, 0, new Float32Array(1));
  },
  'a write between two submits is seen by the second alone': async (gpu) => {
    const pipeline = pipelineOf(gpu, 'addOne');
    const [x, first] = [buffer(gpu, 4096), buffer(gpu, 4096)];
    for (let i = 0; i < 20; i++) dispatch(gpu, pipeline, bindTo(gpu, pipeline, x), 16);
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(x, 0, first, 0, 4096));
    gpu.queue.writeBuffer(x, 0, new Float32Array(1024).fill(100));
    dispatch(gpu, pipeline, bindTo(gpu, pipeline, x), 16);
    return [(await readFloats(gpu, first))[7], (await readFloats(gpu, x))[7]];
  },
  // copies
  'copies within limits': async (gpu) => {
    const [a, b] = [buffer(gpu, 32), buffer(gpu, 32)];
    gpu.queue.writeBuffer(a, 0, ramp(8));
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(a, 4, b, 8, 12));
    return [...(await readFloats(gpu, b))];
  },
  'a copy of nothing': (gpu) =>
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(buffer(gpu, 16), 0, buffer(gpu, 16), 0, 0)),
  'a copy onto itself': (gpu) => {
    const a = buffer(gpu, 32);
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(a, 0, a, 16, 16));
  },
  'a copy at an odd offset': (gpu) =>
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(buffer(gpu, 16), 2, buffer(gpu, 16), 0, 4)),
  'a copy of an odd size': (gpu) =>
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(buffer(gpu, 16), 0, buffer(gpu, 16), 0, 5)),
  'a copy past the end': (gpu) =>
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(buffer(gpu, 16), 8, buffer(gpu, 16), 0, 12)),
  'a copy from a buffer without COPY_SRC': (gpu) =>
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(buffer(gpu, 16, 0x80), 0, buffer(gpu, 16), 0, 4)),
  'a part is cleared': async (gpu) => {
    const a = buffer(gpu, 16);
    gpu.queue.writeBuffer(a, 0, Float32Array.of(1, 2, 3, 4));
    encode(gpu, (encoder) => encoder.clearBuffer(a, 4, 8));
    return [...(await readFloats(gpu, a))];
  },
  'a clear at an odd offset': (gpu) => encode(gpu, (encoder) => encoder.clearBuffer(buffer(gpu, 16), 2)),
  'a clear past the end': (gpu) => encode(gpu, (encoder) => encoder.clearBuffer(buffer(gpu, 16), 8, 12)),
  // mapping
  'a mapped part is read': async (gpu) => {
    const [a, out] = [buffer(gpu, 64), buffer(gpu, 64, READ)];
    gpu.queue.writeBuffer(a, 0, ramp(16));
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(a, 0, out, 0, 64));
    await out.mapAsync(1, 8, 16);
    const part = out.getMappedRange(8, 8);
    const seen = [...new Float32Array(part)];
    out.unmap();
    return [seen, part.byteLength, out.mapState];
  },
  'numbers written into a mapping arrive': async (gpu) => {
    const [a, b] = [buffer(gpu, 16, 0x2 | 0x4), buffer(gpu, 16)];
    await a.mapAsync(2);
    new Float32Array(a.getMappedRange(8, 8)).set([5, 6]);
    a.unmap();
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(a, 0, b, 0, 16));
    return [...(await readFloats(gpu, b))];
  },
  'mapped for reading without MAP_READ': (gpu) => buffer(gpu, 16).mapAsync(1),
  'mapped for writing without MAP_WRITE': (gpu) => buffer(gpu, 16, READ).mapAsync(2),
  'mapped at an odd offset': (gpu) => buffer(gpu, 16, READ).mapAsync(1, 4, 4),
  'mapped past the end': (gpu) => buffer(gpu, 16, READ).mapAsync(1, 8, 16),
  'mapped twice': async (gpu) => {
    const a = buffer(gpu, 16, READ);
    await a.mapAsync(1);
    await a.mapAsync(1);
  },
  'a range of what is not mapped': (gpu) => void buffer(gpu, 16, READ).getMappedRange(),
  'a range outside of the mapped one': async (gpu) => {
    const a = buffer(gpu, 32, READ);
    await a.mapAsync(1, 8, 8);
    a.getMappedRange(0, 8);
  },
  'ranges that overlap': async (gpu) => {
    const a = buffer(gpu, 32, READ);
    await a.mapAsync(1);
    a.getMappedRange(0, 16);
    a.getMappedRange(8, 16);
  },
  'unmapped before it was mapped': async (gpu) => {
    const a = buffer(gpu, 16, READ);
    const mapping = a.mapAsync(1);
    a.unmap();
    await mapping;
  },
  'destroyed before it was mapped': async (gpu) => {
    const a = buffer(gpu, 16, READ);
    const mapping = a.mapAsync(1);
    a.destroy();
    await mapping;
  },
  'submitted while it is mapped': async (gpu) => {
    const a = buffer(gpu, 16, READ);
    await a.mapAsync(1);
    encode(gpu, (encoder) => encoder.clearBuffer(a));
  },
  'submitted after it was destroyed': (gpu) => {
    const a = buffer(gpu, 16);
    const encoder = gpu.createCommandEncoder();
    encoder.clearBuffer(a);
    a.destroy();
    gpu.queue.submit([encoder.finish()]);
  },
  // shaders and pipelines
  'WGSL that does not parse': async (gpu) => {
    const module = gpu.createShaderModule({ code: '\n  fn (' });
    const { messages } = await module.getCompilationInfo();
    return [messages[0]!.type, messages[0]!.lineNum]; // Dawn continues and finds more
  },
  'a pipeline of WGSL that does not parse': (gpu) => {
    const module = gpu.createShaderModule({ code: '\n  fn (' });
    gpu.createComputePipeline({ layout: 'auto', compute: { module } });
  },
  'the same, asynchronously': async (gpu) => {
    const module = gpu.createShaderModule({ code: '\n  fn (' });
    return gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } }).then(String, ({ reason }) => reason);
  },
  'an entry point that does not exist': async (gpu) => {
    const module = gpu.createShaderModule({ code: wgslOf('addOne') });
    const asked = gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'other' } });
    return asked.then(String, ({ reason }) => reason);
  },
  'a constant that does not exist': (gpu) => {
    const module = gpu.createShaderModule({ code: wgslOf('addOne') });
    gpu.createComputePipeline({ layout: 'auto', compute: { module, constants: { size: 4 } } });
  },
  'a layout that has no such binding': (gpu) => void explicit(gpu, 'addOne', layoutOf(gpu)),
  'a layout of another type': (gpu) => void explicit(gpu, 'addOne', layoutOf(gpu, { type: 'read-only-storage' })),
  'a layout with more than is used': (gpu) => void explicit(gpu, 'addOne', layoutOf(gpu, { type: 'storage' }, {})),
  'a layout that allows too little': (gpu) =>
    void explicit(
      gpu,
      'scale',
      layoutOf(gpu, {}, { type: 'read-only-storage' }, { type: 'storage', minBindingSize: 2 }),
    ),
  'a layout that names a binding twice': (gpu) =>
    void gpu.createBindGroupLayout({ entries: [0, 0].map((binding) => ({ binding, visibility: 4, buffer: {} })) }),
  'more bind groups than there can be': (gpu) =>
    void gpu.createPipelineLayout({ bindGroupLayouts: Array(5).fill(layoutOf(gpu, {})) }),
  'a derived layout beyond the limit': (gpu) => void pipelineOf(gpu, 'addOne').getBindGroupLayout(4),
  // bind groups
  'a binding is missing': (gpu) =>
    void gpu.createBindGroup({
      layout: layoutOf(gpu, {}, {}),
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 16, UNIFORM) } }],
    }),
  'a binding that the layout does not have': (gpu) =>
    void bindTo(gpu, pipelineOf(gpu, 'addOne'), buffer(gpu, 16), buffer(gpu, 16)),
  'a uniform buffer bound as storage': (gpu) => void bindTo(gpu, pipelineOf(gpu, 'addOne'), buffer(gpu, 16, UNIFORM)),
  'a binding at an odd offset': (gpu) =>
    void gpu.createBindGroup({
      layout: layoutOf(gpu, { type: 'storage' }),
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 512), offset: 16 } }],
    }),
  'a binding past the end': (gpu) =>
    void gpu.createBindGroup({
      layout: layoutOf(gpu, { type: 'storage' }),
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 512), offset: 256, size: 512 } }],
    }),
  'a binding of an odd size': (gpu) =>
    void gpu.createBindGroup({
      layout: layoutOf(gpu, { type: 'storage' }),
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 512), size: 6 } }],
    }),
  'a binding smaller than the layout asks for': (gpu) =>
    void gpu.createBindGroup({
      layout: layoutOf(gpu, { type: 'storage', minBindingSize: 32 }),
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 16) } }],
    }),
  // dispatches
  'a kernel runs on a part of a buffer': async (gpu) => {
    const pipeline = pipelineOf(gpu, 'scale');
    const [params, x, y] = [buffer(gpu, 512, UNIFORM), buffer(gpu, 1024), buffer(gpu, 1024)];
    gpu.queue.writeBuffer(params, 256, Float32Array.of(2));
    gpu.queue.writeBuffer(x, 0, ramp(256));
    const group = gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: params, offset: 256 } },
        { binding: 1, resource: { buffer: x, offset: 256 } },
        { binding: 2, resource: { buffer: y, offset: 512, size: 16 } },
      ],
    });
    dispatch(gpu, pipeline, group, 2);
    return [...(await readFloats(gpu, y)).slice(126, 134)];
  },
  'dynamic offsets move a binding': async (gpu) => {
    const layout = layoutOf(gpu, { type: 'uniform', hasDynamicOffset: true }, THREE[1]!, {
      type: 'storage',
      hasDynamicOffset: true,
    });
    const pipeline = explicit(gpu, 'scale', layout);
    const [params, x, y] = [buffer(gpu, 512, UNIFORM), buffer(gpu, 256), buffer(gpu, 1024)];
    gpu.queue.writeBuffer(params, 256, Float32Array.of(3));
    gpu.queue.writeBuffer(x, 0, ramp(64));
    const entries = [params, x, y].map((bound, binding) => ({ binding, resource: { buffer: bound, size: 256 } }));
    const group = gpu.createBindGroup({ layout, entries });
    encodePass(gpu, (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group, [256, 512]);
      pass.dispatchWorkgroups(1);
      pass.setBindGroup(0, group, Uint32Array.of(9, 0, 768), 1, 2);
      pass.dispatchWorkgroups(1);
    });
    const out = await readFloats(gpu, y);
    return [...out.slice(126, 132), ...out.slice(190, 196)];
  },
  'too few dynamic offsets': (gpu) => {
    const layout = layoutOf(gpu, { hasDynamicOffset: true });
    const group = gpu.createBindGroup({
      layout,
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 512, UNIFORM), size: 16 } }],
    });
    encodePass(gpu, (pass) => pass.setBindGroup(0, group));
  },
  'a dynamic offset past the end': (gpu) => {
    const layout = layoutOf(gpu, { hasDynamicOffset: true });
    const group = gpu.createBindGroup({
      layout,
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 512, UNIFORM), size: 16 } }],
    });
    encodePass(gpu, (pass) => pass.setBindGroup(0, group, [512]));
  },
  'workgroups of a grid of three dimensions': async (gpu) => {
    const pipeline = pipelineOf(gpu, 'workgroup');
    const y = buffer(gpu, 24 * 4);
    dispatch(gpu, pipeline, bindTo(gpu, pipeline, y), 2, 3, 4);
    return [...(await readWords(gpu, y))];
  },
  'no workgroups': (gpu) => {
    const pipeline = pipelineOf(gpu, 'addOne');
    dispatch(gpu, pipeline, bindTo(gpu, pipeline, buffer(gpu, 16)), 0);
  },
  'more workgroups than there can be': (gpu) => {
    const pipeline = pipelineOf(gpu, 'addOne');
    dispatch(gpu, pipeline, bindTo(gpu, pipeline, buffer(gpu, 16)), 65536);
  },
  'the grid comes from a buffer': async (gpu) => {
    const pipeline = pipelineOf(gpu, 'workgroup');
    const [grid, y] = [buffer(gpu, 16, INDIRECT), buffer(gpu, 32)];
    gpu.queue.writeBuffer(grid, 0, Uint32Array.of(9, 1, 2, 3));
    encodePass(gpu, (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindTo(gpu, pipeline, y));
      pass.dispatchWorkgroupsIndirect(grid, 4);
    });
    return [...(await readWords(gpu, y))];
  },
  'the grid comes from a buffer without INDIRECT': (gpu) => {
    const pipeline = pipelineOf(gpu, 'workgroup');
    encodePass(gpu, (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindTo(gpu, pipeline, buffer(gpu, 16)));
      pass.dispatchWorkgroupsIndirect(buffer(gpu, 16), 0);
    });
  },
  'no pipeline': (gpu) => encodePass(gpu, (pass) => pass.dispatchWorkgroups(1)),
  'no bind group': (gpu) => dispatch(gpu, pipelineOf(gpu, 'addOne'), undefined, 1),
  'a bind group of another layout': (gpu) => {
    const group = gpu.createBindGroup({
      layout: layoutOf(gpu, {}),
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 16, UNIFORM) } }],
    });
    dispatch(gpu, explicit(gpu, 'addOne', layoutOf(gpu, { type: 'storage' })), group, 1);
  },
  'a bind group of an equal layout': (gpu) => {
    const group = gpu.createBindGroup({
      layout: layoutOf(gpu, { type: 'storage' }),
      entries: [{ binding: 0, resource: { buffer: buffer(gpu, 16) } }],
    });
    dispatch(gpu, explicit(gpu, 'addOne', layoutOf(gpu, { type: 'storage' })), group, 1);
  },
  "a bind group of another pipeline's derived layout": (gpu) => {
    const [a, b] = [pipelineOf(gpu, 'addOne'), pipelineOf(gpu, 'addOne')];
    dispatch(gpu, a, bindTo(gpu, b, buffer(gpu, 16)), 1);
  },
  'a binding too small for the kernel': (gpu) => {
    const layout = layoutOf(gpu, ...THREE);
    const entries = [buffer(gpu, 16, UNIFORM), buffer(gpu, 16), buffer(gpu, 16)].map((bound, binding) => ({
      binding,
      resource: binding === 0 ? { buffer: bound, size: 2 } : { buffer: bound },
    }));
    dispatch(gpu, explicit(gpu, 'scale', layout), gpu.createBindGroup({ layout, entries }), 1);
  },
  'a buffer that is read and written by one dispatch': (gpu) => {
    const [pipeline, x] = [pipelineOf(gpu, 'scale'), buffer(gpu, 1024)];
    dispatch(gpu, pipeline, bindTo(gpu, pipeline, buffer(gpu, 16, UNIFORM), x, x), 1);
  },
  'calls after the end of a pass': (gpu) => {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.end();
    pass.setPipeline(pipelineOf(gpu, 'addOne'));
    encoder.finish();
  },
  'a copy while a pass is open': (gpu) => {
    const encoder = gpu.createCommandEncoder();
    encoder.beginComputePass();
    encoder.clearBuffer(buffer(gpu, 16));
    encoder.finish();
  },
  'a pass that is not ended': (gpu) => {
    const encoder = gpu.createCommandEncoder();
    encoder.beginComputePass();
    encoder.finish();
  },
  'finished twice': (gpu) => {
    const encoder = gpu.createCommandEncoder();
    encoder.finish();
    encoder.finish();
  },
  'submitted twice': (gpu) => {
    const commands = gpu.createCommandEncoder().finish();
    gpu.queue.submit([commands]);
    gpu.queue.submit([commands]);
  },
  'submitted twice at once': (gpu) => {
    const commands = gpu.createCommandEncoder().finish();
    gpu.queue.submit([commands, commands]);
  },
  // numbers that are no sizes
  'a buffer of a negative size': (gpu) => void buffer(gpu, -4),
  'a buffer of a size that is not whole': (gpu) => buffer(gpu, 5.5).size,
  'a buffer without a size': (gpu) => void gpu.createBuffer({ usage: STORAGE } as GPUBufferDescriptor),
  'a write before a buffer': (gpu) => gpu.queue.writeBuffer(buffer(gpu, 16), -4, Uint32Array.of(1)),
  'a copy from before a buffer': (gpu) =>
    encode(gpu, (encoder) => encoder.copyBufferToBuffer(buffer(gpu, 16), -4, buffer(gpu, 16), 0, 4)),
  'a clear of less than nothing': (gpu) => encode(gpu, (encoder) => encoder.clearBuffer(buffer(gpu, 16), 0, -4)),
  'a binding before a buffer': (gpu) => {
    const layout = layoutOf(gpu, { type: 'storage' });
    gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: buffer(gpu, 512), offset: -256 } }] });
  },
  'a negative dynamic offset': (gpu) => {
    const layout = layoutOf(gpu, { type: 'storage', hasDynamicOffset: true });
    const resource = { buffer: buffer(gpu, 512), offset: 256, size: 256 };
    const group = gpu.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
    encodePass(gpu, (pass) => pass.setBindGroup(0, group, [-256]));
  },
  'a negative number of workgroups': (gpu) =>
    encodePass(gpu, (pass) => {
      pass.setPipeline(pipelineOf(gpu, 'addOne'));
      pass.dispatchWorkgroups(-1);
    }),
  'the layout of a negative group': (gpu) => void pipelineOf(gpu, 'addOne').getBindGroupLayout(-1),
  'mapped from before a buffer': (gpu) => buffer(gpu, 16, READ).mapAsync(1, -8),
  // layouts
  'a kind of buffer that there is not': (gpu) => void layoutOf(gpu, { type: 'readonly' as GPUBufferBindingType }),
  'writable storage in a vertex shader': (gpu) =>
    void gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility: 5, buffer: { type: 'storage' } }] }),
  'more buffers with dynamic offsets than there may be': (gpu) =>
    void layoutOf(gpu, ...Array.from({ length: 80 }, () => ({ hasDynamicOffset: true }))),
  'a stage that there is not': (gpu) =>
    void gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility: 64, buffer: {} }] }),
  // uses of one buffer
  'counts of an indirect dispatch that it may write': (gpu) => {
    const pipeline = pipelineOf(gpu, 'addOne');
    const both = buffer(gpu, 1024, STORAGE | INDIRECT);
    encodePass(gpu, (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindTo(gpu, pipeline, both));
      pass.dispatchWorkgroupsIndirect(both, 0);
    });
  },
  'a group that no dispatch uses, of a destroyed buffer': (gpu) => {
    const pipeline = pipelineOf(gpu, 'addOne');
    const gone = buffer(gpu, 1024);
    const group = bindTo(gpu, pipeline, gone);
    gone.destroy();
    encodePass(gpu, (pass) => pass.setBindGroup(0, group));
  },
  // debug groups
  'a debug group that is not popped': (gpu) => encode(gpu, (encoder) => encoder.pushDebugGroup('a')),
  'a debug group popped twice': (gpu) =>
    encodePass(gpu, (pass) => {
      pass.pushDebugGroup('a');
      pass.popDebugGroup();
      pass.popDebugGroup();
    }),
  'debug groups in pairs': (gpu) =>
    encodePass(gpu, (pass) => {
      pass.pushDebugGroup('a');
      pass.popDebugGroup();
    }),
  'times of a pass, both in one place': (gpu) => {
    const querySet = gpu.createQuerySet({ type: 'timestamp', count: 2 });
    const times = { querySet, beginningOfPassWriteIndex: 1, endOfPassWriteIndex: 1 };
    encode(gpu, (encoder) => encoder.beginComputePass({ timestampWrites: times }).end());
  },
  // times
  'times of passes rise': async (gpu) => {
    const set = gpu.createQuerySet({ type: 'timestamp', count: 4 });
    const resolved = buffer(gpu, 32, 0x200 | 0x4);
    const pipeline = pipelineOf(gpu, 'addOne');
    const group = bindTo(gpu, pipeline, buffer(gpu, 1024));
    encode(gpu, (encoder) => {
      for (const i of [0, 2]) {
        const pass = encoder.beginComputePass({
          timestampWrites: { querySet: set, beginningOfPassWriteIndex: i, endOfPassWriteIndex: i + 1 },
        });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(4);
        pass.end();
      }
      encoder.resolveQuerySet(set, 0, 4, resolved, 0);
    });
    const times = new BigUint64Array((await readWords(gpu, resolved)).buffer as ArrayBuffer);
    return times.slice(1).every((time, i) => time >= times[i]!) && times[0]! > 0n;
  },
  'a query beyond the set': (gpu) => {
    const set = gpu.createQuerySet({ type: 'timestamp', count: 1 });
    const encoder = gpu.createCommandEncoder();
    encoder.beginComputePass({ timestampWrites: { querySet: set, endOfPassWriteIndex: 1 } }).end();
    encoder.finish();
  },
  'a query before the set': (gpu) => {
    const set = gpu.createQuerySet({ type: 'timestamp', count: 1 });
    gpu.createCommandEncoder().beginComputePass({ timestampWrites: { querySet: set, endOfPassWriteIndex: -1 } });
  },
  'queries resolved at an odd offset': (gpu) => {
    const set = gpu.createQuerySet({ type: 'timestamp', count: 1 });
    const encoder = gpu.createCommandEncoder();
    encoder.resolveQuerySet(set, 0, 1, buffer(gpu, 64, 0x200), 8);
    encoder.finish();
  },
  // errors
  'an error goes to the innermost scope that asks for it': async (gpu) => {
    gpu.pushErrorScope('validation');
    gpu.pushErrorScope('out-of-memory');
    buffer(gpu, 16, 0);
    return [await gpu.popErrorScope(), (await gpu.popErrorScope())?.constructor.name];
  },
  'a scope keeps the first of its errors': async (gpu) => {
    gpu.pushErrorScope('validation');
    buffer(gpu, 16, 0, { label: 'first' });
    buffer(gpu, 16, 0, { label: 'second' });
    return /first/.test((await gpu.popErrorScope())!.message);
  },
};

const SIZED = `override size: u32 = 4u;
@id(7) override start: u32;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(size) fn main(@builtin(local_invocation_index) i: u32) { y[i] = start + size; }`;

async function sized(gpu: GPUDevice, constants: Record<string, number>): Promise<number[]> {
  const module = gpu.createShaderModule({ code: SIZED });
  const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module, constants } });
  const y = buffer(gpu, 32);
  dispatch(gpu, pipeline, bindTo(gpu, pipeline, y), 1);
  return [...(await readWords(gpu, y))];
}

const ENTRY_POINTS = `override a: u32; override b: u32; override c: u32 = a + 1u; override d = 3u; @id(9) override e: u32;
override z = 0i;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
var<workgroup> w: array<u32, d>;
fn useB() -> u32 { return b; }
@compute @workgroup_size(1) fn one() { y[0] = a; }
@compute @workgroup_size(1) fn two() { y[1] = useB(); }
@compute @workgroup_size(c) fn three(@builtin(local_invocation_index) i: u32) { y[i] = 1u; }
@compute @workgroup_size(1) fn four() { w[0] = 2u; y[0] = w[0] + arrayLength(&y); }
@compute @workgroup_size(1) fn zero() { y[0] = u32(1 / z); }
@compute @workgroup_size(1) fn dead() { if (false) { y[0] = e; } y[1] = b; }
@compute @workgroup_size(1) fn none() { y[0] = 5u; }`;

/** A module with several entry points: which values one of them needs, and which are refused. */
const ENTRIES: readonly (readonly [entryPoint: string, constants: Record<string, number>])[] = [
  ['one', { a: 1 }],
  ['one', { b: 1 }],
  ['one', { a: 1, b: 1 }],
  ['one', { a: 1, q: 1 }],
  ['one', { a: 1, e: 1 }],
  ['one', { a: 1, 9: 1 }],
  ['one', { a: 1, z: 0 }],
  ['one', { a: 1, b: -1 }],
  ['one', { a: 1, b: 1e30 }],
  ['one', { a: 1, c: 1.5 }],
  ['one', { a: 2.5 }],
  ['one', { a: -1 }],
  ['one', { a: Number.NaN }],
  ['two', {}],
  ['two', { b: 1 }],
  ['three', {}],
  ['three', { a: 1 }],
  ['three', { c: 1 }],
  ['three', { a: 1, c: 3 }],
  ['four', {}],
  ['four', { d: 1 }],
  ['four', { d: 0 }],
  ['zero', {}],
  ['zero', { z: 1 }],
  ['none', {}],
  ['none', { z: 0 }],
  ['dead', {}],
  ['dead', { b: 1 }],
  ['dead', { b: 1, 9: 1 }],
];

async function entry(gpu: GPUDevice, entryPoint: string, constants: Record<string, number>): Promise<number[]> {
  const module = gpu.createShaderModule({ code: ENTRY_POINTS });
  const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module, entryPoint, constants } });
  const y = buffer(gpu, 32);
  dispatch(gpu, pipeline, bindTo(gpu, pipeline, y), 1);
  return [...(await readWords(gpu, y))];
}

/** Texts that Dawn refuses at the module, at the pipeline, or not at all, by the values given. */
const GIVEN: readonly (readonly [text: string, constants: Record<string, number>])[] = [
  // an index into an array whose length an override gives
  ['override n: u32; var<workgroup> a: array<f32, n>; @compute @workgroup_size(1) fn main() { a[1] = 2; }', { n: 4 }],
  ['override n: u32; var<workgroup> a: array<f32, n>; @compute @workgroup_size(1) fn main() { a[1] = 2; }', { n: 1 }],
  ['override n = 2u; var<workgroup> a: array<f32, n>; @compute @workgroup_size(1) fn main() { a[7] = 2; }', { n: 8 }],
  ['override n = 2u; var<workgroup> a: array<f32, n>; @compute @workgroup_size(1) fn main() { a[7] = 2; }', {}],
  ['override n = 2u; var<workgroup> a: array<f32, n>; @compute @workgroup_size(1) fn main() { a[-1] = 2; }', {}],
  [
    'override n = 70000u; var<workgroup> a: array<u32, n>; @compute @workgroup_size(1) fn main() { a[1] = 2; }',
    { n: 2 },
  ],
  ['override n = 70000u; var<workgroup> a: array<u32, n>; @compute @workgroup_size(1) fn main() { a[1] = 2; }', {}],
  [
    'override n = 4000000000u; var<workgroup> a: array<u32, n>; @compute @workgroup_size(1) fn main() { a[1] = 2; }',
    {},
  ],
  ['override n = 2; var<workgroup> a: array<array<u32, 70000>, n>; @compute @workgroup_size(1) fn main() { }', {}],
  // sizes that are 0 unless the pipeline gives them
  ['override n = 0; @compute @workgroup_size(n) fn main() { }', { n: 4 }],
  ['override n = 0; @compute @workgroup_size(n) fn main() { }', {}],
  // overrides that the entry point does not use
  ['override n = 1; override k = 5 / n; @compute @workgroup_size(1) fn main() { }', { n: 0 }],
  ['override n = 1; override k = 5 / n; @compute @workgroup_size(k) fn main() { }', { n: 0 }],
  ['override n = 1; override k = 5 / n; @compute @workgroup_size(n) fn main() { }', { n: 2, k: 1e10 }],
  [
    'override n = 1; override k = 5 / n; fn f() -> i32 { return k; } @compute @workgroup_size(1) fn main() { }',
    { n: 0 },
  ],
  // operands that short-circuit skips
  ['override n = 0; override x = false; @compute @workgroup_size(1) fn main() { _ = x && 1 / n == 0; }', {}],
  ['override n = 0; override x = false; @compute @workgroup_size(1) fn main() { _ = x && 1 / n == 0; }', { x: 1 }],
];

/** Where a text is refused with these constants. */
async function refusedAt(gpu: GPUDevice, code: string, constants: Record<string, number>): Promise<string> {
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ code });
  if (await gpu.popErrorScope()) return 'module';
  gpu.pushErrorScope('validation');
  gpu.createComputePipeline({ layout: 'auto', compute: { module, constants } });
  return (await gpu.popErrorScope()) ? 'pipeline' : 'nowhere';
}

/** What getCompilationInfo says of a module, notes aside: kinds and places, and the first words of the rule. */
async function messagesOf(gpu: GPUDevice, body: string, declares = ''): Promise<unknown> {
  const code = `enable subgroups;\n${declares}
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {\n${body}\n}`;
  const module = gpu.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  return messages
    .filter(({ type }) => type !== 'info')
    .map(({ type, lineNum, linePos, offset, message }) => [type, lineNum, linePos, offset, message.slice(0, 30)]);
}

/** Programs whose kernels only the compiler knows. */
const COMPILED: typeof PROGRAMS = {
  ...Object.fromEntries(
    ENTRIES.map(([entryPoint, constants]) => [
      `entry point ${entryPoint} with ${
        Object.entries(constants)
          .map(([key, value]) => `${key}: ${value}`)
          .join(', ') || 'no constants'
      }`,
      (gpu: GPUDevice) => entry(gpu, entryPoint, constants),
    ]),
  ),
  ...Object.fromEntries(
    GIVEN.map(([text, constants]) => [
      `${text} with ${JSON.stringify(constants)}`,
      (gpu: GPUDevice) => refusedAt(gpu, text, constants),
    ]),
  ),
  'constants have their defaults': (gpu) => sized(gpu, { 7: 10 }),
  'constants are given by name and by number': (gpu) => sized(gpu, { size: 6, 7: 20 }),
  'a constant without a value': (gpu) => sized(gpu, { size: 6 }),
  'a constant that has a number is given by name': (gpu) => sized(gpu, { start: 6 }),
  'more invocations than a workgroup can have': (gpu) => sized(gpu, { 7: 1, size: 100_000 }),
  'more workgroup memory than there is': (gpu) => {
    const code = `var<workgroup> a: array<f32, 20000>; @compute @workgroup_size(1) fn main() { a[0] = 1.0; }`;
    void gpu.createComputePipeline({ layout: 'auto', compute: { module: gpu.createShaderModule({ code }) } });
  },
  'a barrier that some may not reach': (gpu) => messagesOf(gpu, 'if (i > 3u) {\n  workgroupBarrier();\n}'),
  'the same in a function that nobody calls': (gpu) =>
    messagesOf(gpu, '', 'var<private> p: u32;\nfn f() { if (p > 1u) { storageBarrier(); } }'),
  'a subgroup operation that some may not reach': (gpu) => messagesOf(gpu, 'if (i > 3u) {\n  _ = subgroupElect(); }'),
  'the same as a warning': (gpu) =>
    messagesOf(gpu, '@diagnostic(warning, subgroup_uniformity) if (i > 3u) { _ = subgroupElect(); }'),
  'a rule that there is not': (gpu) => messagesOf(gpu, '@diagnostic(off, nonsense) { }'),
  'an index outside of a buffer reaches no other buffer': async (gpu) => {
    const code = `@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] = 1u; }`;
    const module = gpu.createShaderModule({ code });
    const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module } });
    const [x, next] = [buffer(gpu, 256), buffer(gpu, 256)];
    dispatch(gpu, pipeline, bindTo(gpu, pipeline, x), 4);
    return [await readWords(gpu, x), await readWords(gpu, next)].map((words) => words.every((word) => word === 1));
  },
};

describe.each([
  ['kernels put together by hand', handCompiler, PROGRAMS],
  ['the compiler', wgslCompiler, { ...PROGRAMS, ...COMPILED }],
])('programs do on the CPU device, with %s, what they do on Dawn:', (_, compiler, programs) => {
  let cpu: GPUDevice;
  let dawn: GPUDevice;
  beforeAll(async () => {
    cpu = await openCpu({ compiler });
    dawn = (await openDevice({ device: 'bundled', robust: true })).gpu;
  });

  it.each(Object.keys(programs))('%s', async (name) => {
    const program = programs[name]!;
    const [ours, theirs] = [await outcome(cpu, program), await outcome(dawn, program)];
    expect(ours).toEqual(theirs);
  });

  it('no error is left over', async () => {
    const left: GPUError[] = [];
    cpu.onuncapturederror = ({ error }) => left.push(error);
    await cpu.queue.onSubmittedWorkDone();
    expect(left).toEqual([]);
  });
});
