import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openDevice } from '../../src/device/adapters.js';
import type { CpuBuffer } from '../../src/device/buffer.js';
import { createCpuAdapter } from '../../src/device/cpu.js';
import type { CpuDevice } from '../../src/device/cpuDevice.js';
import type { Host } from '../../src/device/host.js';
import { nodeHost } from '../../src/device/nodeHost.js';
import { wgslCompiler } from '../../src/device/wgslCompiler.js';
import { collectGarbage } from '../../src/train/run/garbage.js';
import { aloneHost, openCpu } from '../support/cpuDevice.js';
import { bindTo, dispatch, pipelineOf, readFloats, readWords, USAGE, workload } from '../support/cpuPrograms.js';
import { handCompiler, wgslOf } from '../support/wasmKernels.js';

const { STORAGE, READ } = USAGE;

/** A pipeline of a text in WGSL, its layout derived. */
function kernel(gpu: GPUDevice, code: string): GPUComputePipeline {
  return gpu.createComputePipeline({ layout: 'auto', compute: { module: gpu.createShaderModule({ code }) } });
}

const opened: GPUDevice[] = [];
async function open(options?: Parameters<typeof openCpu>[0]): Promise<GPUDevice> {
  const gpu = await openCpu(options);
  opened.push(gpu);
  return gpu;
}
afterEach(() => {
  for (const gpu of opened.splice(0)) gpu.destroy();
});

describe('the adapter', () => {
  it('says what it is', () => {
    const adapter = createCpuAdapter({ host: nodeHost, compiler: handCompiler, threads: 2 });
    expect(adapter.info).toMatchObject({
      vendor: 'byte-to-loss',
      architecture: 'wasm-simd128',
      description: 'CPU device, 2 threads',
      subgroupMinSize: 4,
      subgroupMaxSize: 4,
    });
    expect([...adapter.features]).toEqual(['subgroups', 'timestamp-query']);
    expect(adapter.limits.maxBufferSize).toBe(2 ** 32 - 2 ** 16 - 256);
  });

  it('has one thread where threads cannot share memory', () => {
    const adapter = createCpuAdapter({ host: aloneHost, compiler: handCompiler, threads: 8 });
    expect(adapter.info.description).toBe('CPU device, 1 thread');
  });

  it('prints the WebAssembly of each kernel that is compiled, with DEBUG=3', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubEnv('DEBUG', '3');
    const device = await openDevice({ device: 'cpu', threads: 1 });
    const { gpu } = device;
    const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  x[id.x] *= 3.0;
}`;
    gpu.createComputePipeline({
      label: 'triple',
      layout: 'auto',
      compute: { module: gpu.createShaderModule({ code }) },
    });
    vi.unstubAllEnvs();
    const [text] = printed.mock.calls[0] as [string];
    printed.mockRestore();
    device.close();
    expect(text).toMatch(/^;; triple: main, workgroup size 64, 1, 1\n\(module\n/);
    expect(text).toContain('f32x4.mul');
    expect(text.split(';; 3: x[id.x] *= 3.0;\n')[1]).toContain('f32x4.mul');
  });

  it('refuses what it does not have', async () => {
    const adapter = () => createCpuAdapter({ host: nodeHost, compiler: handCompiler });
    await expect(adapter().requestDevice({ requiredFeatures: ['shader-f16'] })).rejects.toThrow(
      new TypeError('requiredFeatures: the CPU device has no shader-f16'),
    );
    await expect(adapter().requestDevice({ requiredLimits: { maxBufferSize: 2 ** 33 } })).rejects.toThrow(
      'requiredLimits: maxBufferSize 8589934592 is not available; the CPU device has 4294901504',
    );
    await expect(adapter().requestDevice({ requiredLimits: { most: 1 } as never })).rejects.toThrow('no limit most');
    expect(() => createCpuAdapter({ host: nodeHost, compiler: handCompiler, threads: 0 })).toThrow(
      new RangeError('threads must be a whole number from 1 to 1024; got 0'),
    );
  });

  it('gives one device, with the default limits unless more is asked for', async () => {
    const adapter = createCpuAdapter({ host: nodeHost, compiler: handCompiler });
    const gpu = await adapter.requestDevice({ requiredLimits: { maxBufferSize: 2 ** 31 } });
    expect(gpu.limits).toMatchObject({ maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 27 });
    expect(gpu.features.size).toBe(0);
    await expect(adapter.requestDevice()).rejects.toThrow('request another one');
    gpu.destroy();
  });
});

describe('threads', () => {
  it('never show in a result', async () => {
    const results: Uint8Array[] = [];
    for (const options of [{ host: aloneHost }, { threads: 1 }, { threads: 2 }, { threads: 3 }, { threads: 5 }]) {
      results.push(new Uint8Array((await workload(await open(options))).buffer));
    }
    expect(new Set(results.map((bytes) => Buffer.from(bytes).toString('base64'))).size).toBe(1);
    expect(new Float32Array(results[0]!.buffer)[70_001]).not.toBe(0);
  });

  it('run every workgroup once, in grids of any size', async () => {
    for (const options of [{ host: aloneHost }, { threads: 1 }, { threads: 3 }]) {
      const gpu = await open(options);
      const pipeline = pipelineOf(gpu, 'workgroup');
      for (const grid of [1, 2, 7, 24, 25, 1000, 65535]) {
        const y = gpu.createBuffer({ size: grid * 4, usage: STORAGE });
        for (let i = 0; i < 5; i++) {
          dispatch(gpu, pipeline, bindTo(gpu, pipeline, y), grid);
          expect((await readWords(gpu, y)).every((word, at) => word === at + 1)).toBe(true);
        }
        y.destroy();
      }
    }
  });

  it('leave the event loop its turns, also where there are none', async () => {
    for (const options of [{ threads: 2 }, { host: aloneHost }]) {
      const gpu = await open(options);
      const pipeline = pipelineOf(gpu, 'addOne');
      const x = gpu.createBuffer({ size: 65535 * 256, usage: STORAGE });
      const group = bindTo(gpu, pipeline, x);
      let turns = 0;
      const timer = setInterval(() => turns++, 0);
      for (let i = 0; i < 50; i++) dispatch(gpu, pipeline, group, 65535);
      await gpu.queue.onSubmittedWorkDone();
      clearInterval(timer);
      expect(turns).toBeGreaterThan(5);
      expect((await readFloats(gpu, x)).every((value) => value === 50)).toBe(true);
    }
  });

  it('add no listeners to the streams of the process, however many they are', async () => {
    const listeners = () => [process.stdout, process.stderr].map((stream) => stream.listenerCount('error'));
    const before = listeners();
    const gpu = await open({ threads: 12 });
    expect((await workload(gpu)).length).toBeGreaterThan(0);
    expect(listeners()).toEqual(before);
  });

  it('see memory that grew after they started', async () => {
    const gpu = await open();
    const pipeline = pipelineOf(gpu, 'addOne');
    for (let i = 0; i < 12; i++) {
      const x = gpu.createBuffer({ size: 2 ** 24, usage: STORAGE });
      dispatch(gpu, pipeline, bindTo(gpu, pipeline, x), 65535);
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(x, 0, x.size === 0 ? x : gpu.createBuffer({ size: 16, usage: STORAGE }), 0, 16);
      gpu.queue.submit([encoder.finish()]);
      expect((await readFloats(gpu, x)).at(65535 * 64 - 1)).toBe(1);
    }
  });

  it('see memory that grew while they started', async () => {
    // The setup takes some time to read, and the memory grows meanwhile.
    const ballast = Array.from({ length: 250_000 }, (_, i) => ({ i }));
    let tell = () => {};
    const sent = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const slowStart: Host = {
      ...nodeHost,
      prelude: `${nodeHost.prelude}post({ started: true });\n`,
      spawn(source, listener) {
        const waiting: unknown[] = [];
        let started = false;
        const message = (given: unknown) => {
          if (!(given as { started?: true }).started) return listener.message(given);
          started = true;
          for (const each of waiting.splice(0)) thread.post({ ballast, ...(each as object) });
          tell();
        };
        const thread = nodeHost.spawn!(source, { ...listener, message });
        thread.hold();
        const post: typeof thread.post = (given, transfer) => {
          if (started) thread.post(given, transfer);
          else waiting.push(given);
        };
        return { ...thread, post, release() {} };
      },
    };
    const gpu = await open({ host: slowStart, threads: 1, compiler: wgslCompiler });
    await sent;
    await new Promise((resolve) => setTimeout(resolve, 60));
    const y = gpu.createBuffer({ size: 256, usage: STORAGE }); // the first growth
    const turn = kernel(
      gpu,
      `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
      var<workgroup> t: array<u32, 64>; // cleared by an instruction that asks for the memory's length
      @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
        t[i] = i;
        workgroupBarrier();
        y[i] = t[63u - i];
      }`,
    );
    dispatch(gpu, turn, bindTo(gpu, turn, y), 1);
    expect([...(await readWords(gpu, y))]).toEqual(Array.from({ length: 64 }, (_, i) => 63 - i));
  });

  it('end a job whose kernel trapped on another thread, and it is never done', async () => {
    // What the other thread says of its trap never arrives.
    let threads = 0;
    const deaf: Host = {
      ...nodeHost,
      spawn(source, { message, ended }) {
        const isFirst = threads++ === 0;
        return nodeHost.spawn!(source, { message: (given) => isFirst && message(given), ended });
      },
    };
    const gpu = await open({ host: deaf, threads: 2, compiler: wgslCompiler, isRobust: false });
    const y = gpu.createBuffer({ size: 256, usage: STORAGE });
    // Each runs one workgroup; the second traps.
    const trap = kernel(
      gpu,
      `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
      @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {
        if (id.x == 1u) { y[900000000u] = 1u; }
        var a = 1u;
        for (var i = 0u; i < 3000000u; i++) { a = a * 3u + i; }
        y[0] = a | 1u;
      }`,
    );
    dispatch(gpu, trap, bindTo(gpu, trap, y), 2);
    const ended = await Promise.race([
      gpu.lost.then(({ message }) => message), // the first thread trapped itself
      new Promise((resolve) => setTimeout(resolve, 500, 'nothing was heard')),
      readWords(gpu, y).then(
        () => 'done',
        () => 'lost',
      ),
    ]);
    expect(ended).not.toBe('done');
  });
});

describe('memory', () => {
  it('that is used again is zero', async () => {
    const gpu = await open({ maximumBytes: 2 ** 20 });
    for (let i = 0; i < 20; i++) {
      const x = gpu.createBuffer({ size: 300_000, usage: STORAGE });
      expect((await readWords(gpu, x)).every((word) => word === 0)).toBe(true);
      gpu.queue.writeBuffer(x, 0, new Uint32Array(75_000).fill(i + 1));
      x.destroy();
    }
  });

  it('is not given away while something that was submitted uses it', async () => {
    const gpu = await open({ maximumBytes: 2 ** 22 });
    const addressOf = (buffer: GPUBuffer) => (buffer as unknown as CpuBuffer).address;
    const pipeline = pipelineOf(gpu, 'addOne');
    const first = gpu.createBuffer({ size: 2 ** 20, usage: STORAGE });
    const address = addressOf(first);
    dispatch(gpu, pipeline, bindTo(gpu, pipeline, first), 4096);
    first.destroy();
    const second = gpu.createBuffer({ size: 2 ** 20, usage: STORAGE });
    expect(addressOf(second)).not.toBe(address);
    await gpu.queue.onSubmittedWorkDone();
    expect(addressOf(gpu.createBuffer({ size: 2 ** 20, usage: STORAGE }))).toBe(address);
  });

  it('counts what was used before as free, however little the system has', async () => {
    const gpu = await open({ maximumBytes: 2 ** 22 });
    const { bytesWithin } = gpu as unknown as CpuDevice;
    const within = (bytes: number) => bytesWithin.call(gpu, bytes);
    expect(within(2 ** 30)).toBe(2 ** 22 - 2 ** 16 - 256);
    expect(within(1000)).toBe(1000);
    const x = gpu.createBuffer({ size: 2 ** 20, usage: STORAGE });
    expect(within(1000)).toBe(1000);
    x.destroy();
    expect(within(1000)).toBe(2 ** 20 + 1000);
  });

  it('that does not fit is an error, and nothing changes', async () => {
    const gpu = await open({ maximumBytes: 2 ** 22 });
    const buffers = Array.from({ length: 3 }, () => gpu.createBuffer({ size: 2 ** 20, usage: STORAGE }));
    gpu.pushErrorScope('validation');
    gpu.pushErrorScope('out-of-memory');
    gpu.createBuffer({ label: 'weights', size: 2 ** 20, usage: STORAGE });
    const error = await gpu.popErrorScope();
    expect(error?.constructor.name).toBe('GPUOutOfMemoryError');
    expect(error?.message).toMatch(/^\[Buffer "weights"\] 1048576 bytes do not fit; 982784 of .* free/);
    expect(await gpu.popErrorScope()).toBeNull();
    expect(() => gpu.createBuffer({ size: 2 ** 20, usage: STORAGE, mappedAtCreation: true })).toThrow(RangeError);
    gpu.onuncapturederror = (event) => event.preventDefault();
    buffers[1]!.destroy();
    const again = gpu.createBuffer({ size: 2 ** 20, usage: STORAGE });
    expect((await readWords(gpu, again).catch(() => undefined))?.length).toBeUndefined(); // no room to read it
    again.destroy();
    const small = gpu.createBuffer({ size: 16, usage: STORAGE });
    expect([...(await readWords(gpu, small))]).toEqual([0, 0, 0, 0]);
  });

  it('is given back when a buffer is collected', async () => {
    const gpu = await open({ maximumBytes: 2 ** 24 });
    const taken = () => gpu.createBuffer({ size: 2 ** 20, usage: STORAGE }).size;
    gpu.onuncapturederror = (event) => event.preventDefault();
    // 50 MiB in all, in a memory of 16. Garbage is collected seldom: in a process of many test files that takes half a second.
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 10; i++) taken();
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    gpu.pushErrorScope('out-of-memory');
    taken();
    expect(await gpu.popErrorScope()).toBeNull();
  });

  it('does not keep kernels whose pipeline nobody has, and keeps those that wait for a submit', async () => {
    const gpu = await open({ host: aloneHost });
    const x = gpu.createBuffer({ size: 4096, usage: STORAGE });
    const encode = () => {
      const pipeline = pipelineOf(gpu, 'addOne');
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindTo(gpu, pipeline, x));
      pass.dispatchWorkgroups(16);
      pass.end();
      return [new WeakRef(pipeline), encoder.finish()] as const;
    };
    const collected = async (pipeline: WeakRef<GPUComputePipeline>, rounds: number) => {
      for (let round = 0; round < rounds && pipeline.deref() !== undefined; round++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        collectGarbage();
      }
      return pipeline.deref() === undefined;
    };
    const [pipeline, commands] = encode();
    expect(await collected(pipeline, 3)).toBe(false);
    gpu.queue.submit([commands]);
    expect((await readFloats(gpu, x))[0]).toBe(1);
    const dropped = () => encode()[0];
    expect(await collected(dropped(), 20)).toBe(true);
  });

  it('is flat over many steps', async () => {
    const gpu = await open();
    const pipeline = pipelineOf(gpu, 'addOne');
    const x = gpu.createBuffer({ size: 4096, usage: STORAGE });
    const out = gpu.createBuffer({ size: 4096, usage: READ });
    const group = bindTo(gpu, pipeline, x);
    const step = async () => {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(16);
      pass.end();
      encoder.copyBufferToBuffer(x, 0, out, 0, 4096);
      gpu.queue.submit([encoder.finish()]);
      gpu.queue.writeBuffer(x, 0, new Float32Array(1));
      await out.mapAsync(1);
      out.getMappedRange();
      out.unmap();
    };
    const used = async () => {
      for (let i = 0; i < 2; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        collectGarbage();
      }
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    for (let i = 0; i < 1000; i++) await step();
    const before = await used();
    for (let i = 0; i < 3000; i++) await step();
    expect((await used()) - before).toBeLessThan(3000 * 64);
  });
});

describe('a buffer', () => {
  it('whose mapped range was transferred is unmapped and destroyed all the same', async () => {
    const gpu = await open();
    const x = gpu.createBuffer({ size: 16, usage: 0x2 | 0x4, mappedAtCreation: true });
    structuredClone(0, { transfer: [x.getMappedRange()] });
    x.unmap();
    expect(x.mapState).toBe('unmapped');
    x.destroy();
  });

  it('is not mapped any more when its device ends while it is being mapped', async () => {
    const gpu = await open();
    const x = gpu.createBuffer({ size: 16, usage: READ });
    const mapped = x.mapAsync(1);
    gpu.destroy();
    await expect(mapped).rejects.toMatchObject({ name: 'AbortError' });
    await Promise.resolve();
    expect(x.mapState).toBe('unmapped');
  });
});

describe('a kernel without checks of bounds', () => {
  it('reads where a large constant leads back into the buffer', async () => {
    const gpu = await open({ compiler: wgslCompiler, isRobust: false });
    const [x, y] = [4 * 65536, 256].map((size) => gpu.createBuffer({ size, usage: STORAGE })) as [GPUBuffer, GPUBuffer];
    gpu.queue.writeBuffer(
      x,
      0,
      Float32Array.from({ length: 65536 }, (_, i) => i),
    );
    // Its address before the constant is added is below 0: the buffer begins at 65536.
    const shifted = kernel(
      gpu,
      `@group(0) @binding(0) var<storage, read> x: array<f32>;
      @group(0) @binding(1) var<storage, read_write> y: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        let p = i32(id.x) - 20000;
        y[id.x] = x[p + 20000];
      }`,
    );
    dispatch(gpu, shifted, bindTo(gpu, shifted, x, y), 1);
    expect([...(await readFloats(gpu, y))]).toEqual(Array.from({ length: 64 }, (_, i) => i));
  });
});

describe('an indirect dispatch', () => {
  it('of 2^31 workgroups or more runs none', async () => {
    const gpu = await open();
    const add = pipelineOf(gpu, 'addOne');
    const x = gpu.createBuffer({ size: 256, usage: STORAGE });
    const counts = gpu.createBuffer({ size: 12, usage: USAGE.INDIRECT });
    gpu.queue.writeBuffer(counts, 0, Uint32Array.of(65535, 65535, 1));
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(add);
    pass.setBindGroup(0, bindTo(gpu, add, x));
    pass.dispatchWorkgroupsIndirect(counts, 0);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    expect((await readFloats(gpu, x))[0]).toBe(0);
  });
});

describe('a device that ends', () => {
  /** Everything that waits for it hears of it. */
  async function watch(gpu: GPUDevice): Promise<unknown[]> {
    const out = gpu.createBuffer({ size: 16, usage: READ });
    return Promise.all([
      out.mapAsync(1).then(
        () => 'mapped',
        (error: DOMException) => error.name,
      ),
      gpu.queue.onSubmittedWorkDone(),
      gpu.lost.then(({ reason, message }) => [reason, message]),
    ]);
  }

  it.each([1, 2])('in the middle of a kernel that never ends, with %i threads', async (threads) => {
    const gpu = await open({ threads });
    dispatch(gpu, pipelineOf(gpu, 'forever'), undefined, 64);
    const seen = watch(gpu);
    setTimeout(() => gpu.destroy(), 50);
    expect(await seen).toEqual(['AbortError', undefined, ['destroyed', 'the device was destroyed']]);
  });

  it('refuses nothing and does nothing afterwards', async () => {
    const gpu = await open();
    const left: unknown[] = [];
    gpu.onuncapturederror = ({ error }) => left.push(error);
    const x = gpu.createBuffer({ size: 16, usage: STORAGE });
    gpu.destroy();
    gpu.destroy();
    gpu.queue.writeBuffer(x, 0, new Float32Array(4));
    gpu.createBuffer({ size: 16, usage: 0 });
    dispatch(gpu, pipelineOf(gpu, 'addOne'), undefined, 1);
    x.destroy();
    gpu.pushErrorScope('validation');
    expect(await gpu.popErrorScope()).toBeNull();
    await expect(gpu.createBuffer({ size: 16, usage: READ }).mapAsync(1)).rejects.toThrow('the device was destroyed');
    await gpu.queue.onSubmittedWorkDone();
    expect(left).toEqual([]);
  });

  it.each([
    ['alone', { host: aloneHost }],
    ['on one thread', { threads: 1 }],
    ['on three threads', { threads: 3 }],
  ])('because a kernel trapped, %s: the loss names it', async (_, options) => {
    const gpu = await open(options);
    dispatch(gpu, pipelineOf(gpu, 'trap'), undefined, 64);
    const [mapped, , lost] = await watch(gpu);
    expect([mapped, lost]).toEqual(['AbortError', ['unknown', 'trap: unreachable']]);
  });

  it.each([
    ['leaves', 'process.exit(7)', /^thread 1 of the CPU device ended: it left with code 7$/],
    ['throws', "throw new Error('broken')", /^thread 1 of the CPU device ended: broken$/],
  ])('because a thread %s', async (_, statement, message) => {
    let count = 0;
    const host: Host = {
      ...nodeHost,
      spawn(source, listener) {
        const dies = count++ === 1 ? `;setTimeout(() => { ${statement} }, 50);` : '';
        return nodeHost.spawn!(source + dies, listener);
      },
    };
    const gpu = await open({ host, threads: 2 });
    const { reason, message: said } = await gpu.lost;
    expect([reason, message.test(said)]).toEqual(['unknown', true]);
    await gpu.queue.onSubmittedWorkDone();
  });

  it('leaves another one of the same process alone', async () => {
    const [a, b] = [await open(), await open()];
    const [pipeline, x] = [pipelineOf(b, 'addOne'), b.createBuffer({ size: 4096, usage: STORAGE })];
    dispatch(a, pipelineOf(a, 'forever'), undefined, 4);
    dispatch(b, pipeline, bindTo(b, pipeline, x), 16);
    a.destroy();
    dispatch(b, pipeline, bindTo(b, pipeline, x), 16);
    expect((await readFloats(b, x)).every((value) => value === 2)).toBe(true);
  });

  it.each([
    ['threads', { threads: 2 }],
    ['slices', { host: aloneHost }],
  ])('gives its memory back although somebody still has it: %s', async (_, options) => {
    const gpu = await open(options);
    const size = 2 ** 28;
    const x = gpu.createBuffer({ size, usage: STORAGE });
    const encoder = gpu.createCommandEncoder();
    encoder.clearBuffer(x);
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
    const before = process.memoryUsage().rss;
    gpu.destroy();
    for (let round = 0; round < 100 && process.memoryUsage().rss > before - size / 2; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      collectGarbage();
    }
    expect(process.memoryUsage().rss).toBeLessThan(before - size / 2);
    expect(x.size).toBe(size);
  });

  it('can be collected', async () => {
    const once = async () => {
      const gpu = await openCpu();
      const pipeline = pipelineOf(gpu, 'addOne');
      const x = gpu.createBuffer({ size: 4096, usage: STORAGE });
      dispatch(gpu, pipeline, bindTo(gpu, pipeline, x), 16);
      await readFloats(gpu, x);
      gpu.destroy();
      return new WeakRef(gpu);
    };
    const gpu = await once();
    for (let round = 0; round < 100 && gpu.deref() !== undefined; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      collectGarbage();
    }
    expect(gpu.deref()).toBeUndefined();
  });
});

describe('an object of another device', () => {
  const of = (gpu: GPUDevice) => {
    const module = gpu.createShaderModule({ code: wgslOf('addOne') });
    const [buffer, spare] = [0, 1].map(() => gpu.createBuffer({ size: 256, usage: STORAGE | USAGE.INDIRECT }));
    const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module } });
    const entries = [{ binding: 0, visibility: 4, buffer: { type: 'storage' as const } }];
    const explicit = gpu.createBindGroupLayout({ entries });
    return {
      ...{ module, buffer: buffer!, spare: spare!, pipeline, explicit, group: bindTo(gpu, pipeline, buffer!) },
      pipelineLayout: gpu.createPipelineLayout({ bindGroupLayouts: [explicit] }),
      querySet: gpu.createQuerySet({ type: 'timestamp', count: 2 }),
      commands: gpu.createCommandEncoder().finish(),
    };
  };
  type Objects = ReturnType<typeof of>;
  const inPass = (body: (pass: GPUComputePassEncoder, own: Objects, other: Objects) => void) => {
    return (gpu: GPUDevice, own: Objects, other: Objects) => {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      body(pass, own, other);
      pass.end();
      encoder.finish();
    };
  };

  it.each<[string, (gpu: GPUDevice, own: Objects, other: Objects) => void]>([
    ['pipeline', inPass((pass, _, { pipeline }) => pass.setPipeline(pipeline))],
    ['bind group', inPass((pass, _, { group }) => pass.setBindGroup(0, group))],
    [
      'indirect buffer',
      inPass((pass, { pipeline, group }, { spare }) => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroupsIndirect(spare, 0);
      }),
    ],
    ['buffer in a bind group', (gpu, { pipeline }, { buffer }) => void bindTo(gpu, pipeline, buffer)],
    [
      'layout of a bind group',
      (gpu, { buffer }, { explicit }) =>
        void gpu.createBindGroup({ layout: explicit, entries: [{ binding: 0, resource: { buffer } }] }),
    ],
    [
      'layout of bind groups',
      (gpu, _, { explicit }) => void gpu.createPipelineLayout({ bindGroupLayouts: [explicit] }),
    ],
    [
      'layout of a pipeline',
      (gpu, { module }, { pipelineLayout }) =>
        void gpu.createComputePipeline({ layout: pipelineLayout, compute: { module } }),
    ],
    ['module', (gpu, _, { module }) => void gpu.createComputePipeline({ layout: 'auto', compute: { module } })],
    ['written buffer', (gpu, _, { buffer }) => gpu.queue.writeBuffer(buffer, 0, new Float32Array(1))],
    ['command buffer', (gpu, _, { commands }) => gpu.queue.submit([commands])],
    [
      'query set',
      (gpu, _, { querySet }) => {
        const encoder = gpu.createCommandEncoder();
        encoder.beginComputePass({ timestampWrites: { querySet, endOfPassWriteIndex: 1 } }).end();
        encoder.finish();
      },
    ],
    [
      'resolved query set',
      (gpu, _, { querySet }) => {
        const encoder = gpu.createCommandEncoder();
        encoder.resolveQuerySet(querySet, 0, 1, gpu.createBuffer({ size: 256, usage: 0x200 }), 0);
        encoder.finish();
      },
    ],
    [
      'copied buffer',
      (gpu, { buffer }, { spare }) => {
        const encoder = gpu.createCommandEncoder();
        encoder.copyBufferToBuffer(spare, 0, buffer, 0, 16);
        encoder.finish();
      },
    ],
    [
      'cleared buffer',
      (gpu, _, { buffer }) => {
        const encoder = gpu.createCommandEncoder();
        encoder.clearBuffer(buffer);
        encoder.finish();
      },
    ],
  ])('is refused: %s', async (_, body) => {
    const [gpu, second] = [await open(), await open()];
    const [own, other] = [of(gpu), of(second)];
    gpu.pushErrorScope('validation');
    body(gpu, own, own);
    expect(await gpu.popErrorScope()).toBeNull();
    gpu.pushErrorScope('validation');
    body(gpu, of(gpu), other);
    expect((await gpu.popErrorScope())?.message).toMatch(/ is associated with \[Device\], and cannot be used with /);
  });
});

describe('what a CPU device does not have', () => {
  it.each([
    ['createTexture', (gpu: GPUDevice) => gpu.createTexture({} as never)],
    ['createSampler', (gpu: GPUDevice) => gpu.createSampler()],
    ['createRenderPipeline', (gpu: GPUDevice) => gpu.createRenderPipeline({} as never)],
    ['beginRenderPass', (gpu: GPUDevice) => gpu.createCommandEncoder().beginRenderPass({} as never)],
    ['writeTexture', (gpu: GPUDevice) => gpu.queue.writeTexture({} as never, new Uint8Array(), {}, [])],
    ['createQuerySet: type occlusion', (gpu: GPUDevice) => gpu.createQuerySet({ type: 'occlusion', count: 1 })],
    [
      'createBindGroupLayout: binding 0 is a texture',
      (gpu: GPUDevice) => gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, texture: {} }] }),
    ],
  ])('%s', async (call, body) => {
    const gpu = await open();
    expect(() => body(gpu)).toThrow(`${call}: the CPU device runs compute only`);
  });
});

describe('errors', () => {
  it('of WGSL have a place, and refuse the pipeline', async () => {
    const gpu = await open();
    gpu.pushErrorScope('validation');
    const module = gpu.createShaderModule({ label: 'mine', code: 'a\nb c d\n' });
    const error = await gpu.popErrorScope();
    expect(error?.message).toMatch(/^Error while parsing WGSL: 2:3: not one of the kernels\n - While .*"mine"/);
    const { messages } = await module.getCompilationInfo();
    expect(messages).toEqual([
      { type: 'error', message: 'not one of the kernels', lineNum: 2, linePos: 3, offset: 4, length: 0 },
    ]);
    const failing = gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    await expect(failing).rejects.toMatchObject({
      name: 'GPUPipelineError',
      reason: 'validation',
      message: expect.stringMatching(/^\[Invalid ShaderModule "mine"\] is invalid\n - While calling .*""/),
    });
  });

  it('without a scope go to the listener, after the call', async () => {
    const gpu = await open();
    const seen: string[] = [];
    gpu.addEventListener('uncapturederror', ({ error }) => seen.push(error.constructor.name));
    gpu.onuncapturederror = (event) => {
      event.preventDefault();
      seen.push(event.error.message.split('\n')[0]!);
    };
    gpu.createBuffer({ label: 'x', size: 16, usage: 0 });
    expect(seen).toEqual([]);
    await gpu.queue.onSubmittedWorkDone();
    expect(seen).toEqual(['[Buffer "x"] usage (0) is not a set of buffer usages.', 'GPUValidationError']);
  });

  it('name the objects', async () => {
    const gpu = await open();
    const messageOf = async (body: () => void) => {
      gpu.pushErrorScope('validation');
      body();
      return (await gpu.popErrorScope())?.message;
    };
    const x = gpu.createBuffer({ label: 'logits', size: 16, usage: STORAGE });
    expect(await messageOf(() => gpu.queue.writeBuffer(x, 0, new Float32Array(8)))).toMatch(
      /^write range \(bufferOffset: 0, size: 32\) does not fit in \[Buffer "logits"\] size \(16\)\.\n - While calling/,
    );
    const layout = gpu.createBindGroupLayout({
      label: 'norm',
      entries: [{ binding: 3, visibility: 4, buffer: { type: 'storage' } }],
    });
    expect(await messageOf(() => gpu.createBindGroup({ label: 'g', layout, entries: [] }))).toMatch(
      /^binding index \(3\) of \[BindGroupLayout "norm"\] is missing in the bind group\.\n - While .*"g"/,
    );
    const module = gpu.createShaderModule({ code: wgslOf('addOne') });
    const pipelineLayout = gpu.createPipelineLayout({ bindGroupLayouts: [layout] });
    const descriptor = { label: 'mine', layout: pipelineLayout, compute: { module } };
    expect(await messageOf(() => gpu.createComputePipeline(descriptor))).toBe(
      '@group(0) @binding(0) var x: binding doesn\'t exist in [BindGroupLayout "norm"]\n' +
        ' - While calling [Device].CreateComputePipeline([ComputePipelineDescriptor "mine"])',
    );
  });
});

describe('a process', () => {
  const script = (body: string) => `
    import { openCpu } from './test/support/cpuDevice.ts';
    import { bindTo, dispatch, pipelineOf, readFloats } from './test/support/cpuPrograms.ts';
    const gpu = await openCpu();
    ${body}
  `;
  const args = (body: string) => ['--import', 'tsx', '--input-type=module', '-e', script(body)];

  it('ends by itself when its device is idle, and not before its work is done', async () => {
    const body = `
      const pipeline = pipelineOf(gpu, 'addOne');
      const x = gpu.createBuffer({ size: 65536, usage: 0x8c });
      for (let i = 0; i < 100; i++) dispatch(gpu, pipeline, bindTo(gpu, pipeline, x), 256);
      console.log((await readFloats(gpu, x))[5]);`;
    const { stdout } = await promisify(execFile)(process.execPath, args(body));
    expect(stdout).toBe('100\n');
  });

  it('ends at an interrupt in the middle of a dispatch', async () => {
    const child = spawn(
      process.execPath,
      args(`dispatch(gpu, pipelineOf(gpu, 'forever'), undefined, 8); setTimeout(() => console.log('running'), 100);`),
    );
    child.stdout.once('data', () => child.kill('SIGINT'));
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      child.once('exit', (...how) => resolve(how));
    });
    expect([code, signal]).toEqual([null, 'SIGINT']);
  });
});
