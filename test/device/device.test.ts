import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { devicesJson, devicesTable } from '../../src/cli/devices.js';
import { DeviceError, InputError, UsageError } from '../../src/common/errors.js';
import { choiceOf, listDevices, namesIn, openDevice, SOURCES, type Source, taken } from '../../src/device/adapters.js';
import { type Device, describeAdapter } from '../../src/device/device.js';
import { usableProcessors } from '../../src/device/processors.js';

import { collectGarbage } from '../../src/train/run/garbage.js';
import { BUILT } from '../support/built.js';
import { testDevice } from '../support/device.js';
import { HANGING } from '../support/limits.js';
import { runsBundled } from '../support/platform.js';
import { BUNDLED, bundledDriver, unpackBundle } from '../support/swiftShader.js';

/** Adds 1 to each of 64 numbers that start at 0, 1, 2, …, and reads them back. */
async function addOne(device: Device): Promise<number[]> {
  const { gpu } = device;
  const size = 64 * 4;
  const x = gpu.createBuffer({
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  const out = gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  gpu.queue.writeBuffer(
    x,
    0,
    Float32Array.from({ length: 64 }, (_, i) => i),
  );
  const module = gpu.createShaderModule({
    code: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] += 1.0; }`,
  });
  const pipeline = await device.settle(
    gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } }),
  );
  const layout = pipeline.getBindGroupLayout(0);
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: x } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(x, 0, out, 0, size);
  gpu.queue.submit([encoder.finish()]);
  await device.settle(out.mapAsync(GPUMapMode.READ));
  const numbers = [...new Float32Array(out.getMappedRange())];
  out.unmap();
  return numbers;
}

const oneToSixtyFour = Array.from({ length: 64 }, (_, i) => i + 1);

/** A source without an adapter, or one that delegates to another. */
function source(name: Source['name'], find: Source['find'] | string): Source {
  const none = () => Promise.reject(new DeviceError(String(find)));
  return { name, what: `${name} of the test`, find: typeof find === 'string' ? none : find };
}
const bundled = BUNDLED;
const linux = { skip: !runsBundled() };

/** Two GPUs of the test, as Dawn would describe them. */
const cards = [
  { vendor: 'nvidia', architecture: 'hopper', device: 'nvidia-h100', description: 'NVIDIA: 580.1' },
  { vendor: 'amd', architecture: 'rdna-3', device: 'amd-radeon-rx-7900-xtx', description: 'radv' },
].map((info) => ({ info, features: new Set<string>(), limits: {} }) as unknown as GPUAdapter);

describe('openDevice', () => {
  const before = { ...process.env };
  afterEach(() => {
    process.env.BYTE_TO_LOSS_DEVICE = before.BYTE_TO_LOSS_DEVICE;
    process.env.BYTE_TO_LOSS_THREADS = before.BYTE_TO_LOSS_THREADS;
    if (before.VK_DRIVER_FILES === undefined) delete process.env.VK_DRIVER_FILES;
    else process.env.VK_DRIVER_FILES = before.VK_DRIVER_FILES;
  });

  it('runs a shader on the device of the tests', async () => {
    const device = await testDevice();
    expect(await addOne(device)).toEqual(oneToSixtyFour);
  });

  it('describes the bundled driver', linux, async () => {
    const device = await openDevice({ device: 'bundled' });
    expect(device).toMatchObject({ kind: 'cpu', driver: 'swiftshader', subgroupSize: 4, f16: false, timestamps: true });
    expect(device.name).toMatch(/^SwiftShader/);
    expect(device.subgroupMatrix).toBeUndefined();
    // More than WebGPU's default of 128 MiB.
    expect(device.limits.maxStorageBufferBindingSize).toBe(2 ** 30);
    device.close();
  });

  it('opens without optional features', linux, async () => {
    const device = await openDevice({ device: 'bundled', features: 'none' });
    expect(device).toMatchObject({ subgroupSize: 0, subgroupRange: [0, 0], f16: false, timestamps: false });
    expect(device.features.has('subgroups')).toBe(false);
    expect(await addOne(device)).toEqual(oneToSixtyFour);
    device.close();
  });

  it('falls through to the first source that opens', linux, async () => {
    const sources = [source('gpu', 'no card'), source('system', bundled.find), source('bundled', 'never asked')];
    const device = await openDevice({ device: 'auto' }, sources);
    expect(device.driver).toBe('swiftshader');
    device.close();
  });

  it("takes a software driver that the system lists as the system's, and never as a GPU", linux, async () => {
    // The bundled driver plays the part of an installed one.
    process.env.VK_DRIVER_FILES = bundledDriver();
    const device = await openDevice({ device: 'system' });
    expect(device.driver).toBe('swiftshader');
    device.close();
    await expect(openDevice({ device: 'gpu' })).rejects.toThrow('gpu (hardware GPU): Vulkan lists software');
  });

  it('prefers the option to the environment, and the environment to auto', () => {
    const names = (option?: string) => choiceOf(option).sources.map(({ name }) => name);
    delete process.env.BYTE_TO_LOSS_DEVICE;
    expect(names()).toEqual(['gpu', 'cpu']);
    process.env.BYTE_TO_LOSS_DEVICE = 'bundled';
    expect(names()).toEqual(['bundled']);
    expect(names('lavapipe')).toEqual(['system']);
    expect(names('auto')).toEqual(['gpu', 'cpu']);
  });

  it('takes the number of threads of the option, else of the environment', async () => {
    const threads = async (option?: number) => {
      const device = await openDevice({ device: 'cpu', ...(option !== undefined && { threads: option }) });
      device.close();
      return device.name;
    };
    process.env.BYTE_TO_LOSS_THREADS = '3';
    expect(await threads()).toMatch(/3 threads/);
    expect(await threads(2)).toMatch(/2 threads/);
    process.env.BYTE_TO_LOSS_THREADS = 'two';
    const refused = 'BYTE_TO_LOSS_THREADS must be a whole number from 1 to 1024; got two';
    await expect(threads()).rejects.toThrow(new InputError(refused));
    process.env.BYTE_TO_LOSS_THREADS = '';
    expect(await threads()).toMatch(new RegExp(`${usableProcessors()} threads?`));
  });

  it('refuses a name that no device has in one line, with where the name came from and what there is', async () => {
    const gpus = { ...source('gpu', 'no card'), findAll: async () => cards };
    await expect(openDevice({ device: 'gup' }, [gpus])).rejects.toThrow(
      new UsageError(
        "device must be one of auto, gpu, cpu, system, bundled, lavapipe, or gpu:N or a part of a GPU's name; " +
          'got "gup". GPUs here: gpu:0 (nvidia-h100, NVIDIA: 580.1), gpu:1 (amd-radeon-rx-7900-xtx, radv)',
      ),
    );
    await expect(openDevice({ device: 'gpu:2' }, [gpus])).rejects.toThrow(/got "gpu:2"/);
    process.env.BYTE_TO_LOSS_DEVICE = 'cuda';
    const none = { ...gpus, findAll: gpus.find as unknown as () => Promise<GPUAdapter[]> };
    await expect(openDevice({}, [none])).rejects.toThrow(
      /^BYTE_TO_LOSS_DEVICE must be one of .*; got "cuda". GPUs here: none \(no card\)$/,
    );
  });

  it('takes one of several GPUs by its number, or by a part of its name or vendor', async () => {
    const asked: string[] = [];
    const refusing = cards.map((card) => ({
      ...card,
      requestDevice: () => Promise.reject(new Error(`${asked.push(card.info.vendor)}`)),
    }));
    const gpus = { ...source('gpu', 'not by number'), findAll: async () => refusing as unknown as GPUAdapter[] };
    for (const device of ['gpu:1', 'gpu:0', 'Radeon', 'RADV', 'nvidia', 'amd']) {
      await expect(openDevice({ device }, [gpus])).rejects.toThrow('refused a device');
    }
    expect(asked).toEqual(['amd', 'nvidia', 'amd', 'amd', 'nvidia', 'amd']);
    expect((await listDevices([gpus])).map(({ label }) => label)).toEqual(['gpu:0', 'gpu:1']);
    const listed = await listDevices([gpus]);
    expect(taken(choiceOf('radeon', [gpus]), listed)?.label).toBe('gpu:1');
    expect(taken(choiceOf('auto', [gpus]), listed)?.label).toBe('gpu:0');
    expect(taken(choiceOf('arc', [gpus]), listed)).toBeUndefined();
  });

  it('tells in one line that two GPUs cannot be told apart, and gives the first for their name', async () => {
    const [nvidia, amd] = cards;
    const opened: unknown[] = [];
    const refusing = { ...nvidia!, requestDevice: () => Promise.reject(new Error(`${opened.push('nvidia')}`)) };
    const adapters = [refusing, refusing, amd] as unknown as GPUAdapter[];
    const gpus = { ...source('gpu', 'not by number'), findAll: async () => adapters };
    const line =
      'Dawn selects a GPU by its name alone, and opens gpu:0 for the name of this one (nvidia-h100, NVIDIA: 580.1). ' +
      'To use it, hide gpu:0 from this process: in a container that has one card, such as `docker run --gpus device=1`';
    await expect(openDevice({ device: 'gpu:1' }, [gpus])).rejects.toThrow(new UsageError(`gpu:1: ${line}`));
    expect(opened).toEqual([]);
    for (const device of ['gpu:0', 'h100']) {
      await expect(openDevice({ device }, [gpus])).rejects.toThrow('refused a device');
    }
    expect(opened).toHaveLength(2);
    const listed = await listDevices([gpus]);
    expect(listed.map(({ label, failure }) => [label, failure])).toEqual([
      ['gpu:0', undefined],
      ['gpu:1', line],
      ['gpu:2', undefined],
    ]);
    const label = (device: string) => taken(choiceOf(device, [gpus]), listed)?.label;
    expect(['auto', 'gpu:0', 'gpu:1', 'gpu:2', 'radeon'].map(label)).toEqual([
      ...['gpu:0', 'gpu:0', undefined, 'gpu:2', 'gpu:2'],
    ]);
  });

  it("reads the names of adapters off Dawn's error", () => {
    const answer = "no suitable backends found\nAvailable adapters:\n * backend: 'vulkan', name: 'Intel's (R) Arc'\n";
    expect(namesIn(`${answer} * backend: 'vulkan', name: 'llvmpipe (LLVM 15, 256 bits)'`)).toEqual([
      "Intel's (R) Arc",
      'llvmpipe (LLVM 15, 256 bits)',
    ]);
    // Two cards of one name, and the same two by another backend.
    const [one, other] = ['vulkan', 'd3d12'].map((backend) => ` * backend: '${backend}', name: 'H100'\n`);
    expect(namesIn(`${one}${one}${other}${other}`)).toEqual(['H100', 'H100']);
    expect(namesIn('')).toEqual([]);
  });

  it('lists the attempts and a fix', async () => {
    const sources = [source('gpu', 'no card'), source('system', 'no loader'), source('bundled', 'not installed')];
    const error = await openDevice({ device: 'auto' }, sources).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message.split('\n')).toEqual([
      'no usable device; tried gpu, system, bundled:',
      '  gpu (gpu of the test): no card',
      '  system (system of the test): no loader',
      '  bundled (bundled of the test): not installed',
      expect.stringMatching(/^To use a GPU: /),
    ]);
    await expect(openDevice({ device: 'auto' }, [])).rejects.toThrow(/^no usable device; tried nothing:\n\w/);
    await expect(openDevice({ device: 'system' }, sources)).rejects.toThrow(
      /no loader\n.* apt-get install mesa-vulkan/,
    );
    await expect(openDevice({ device: 'gpu' }, sources)).rejects.toThrow(/no card\nTo use a GPU: /);
  });

  it('tells why the CPU device is taken in place of a GPU, and nothing where it was asked for', async () => {
    const lines: string[] = [];
    const cpu = SOURCES.find(({ name }) => name === 'cpu')!;
    const sources = [source('gpu', 'no Vulkan loader'), cpu];
    const onFallback = (line: string) => lines.push(line);
    (await openDevice({ device: 'auto', onFallback }, sources)).close();
    (await openDevice({ device: 'cpu', onFallback }, sources)).close();
    expect(lines).toEqual([expect.stringMatching(/^no GPU: no Vulkan loader\. To use [^\n]*$/)]);
    await expect(openDevice({ device: 'gpu', onFallback }, sources)).rejects.toThrow('no Vulkan loader');
  });

  it('where the bundled driver has no place to be unpacked says which folder to set', linux, async () => {
    const { HOME, XDG_CACHE_HOME, TMPDIR } = process.env;
    Object.assign(process.env, { HOME: '/proc/none', XDG_CACHE_HOME: '', TMPDIR: '/proc/none' });
    try {
      await expect(openDevice({ device: 'bundled' })).rejects.toThrow(
        /neither can be written \(ENOENT\)\. Set TMPDIR or XDG_CACHE_HOME /,
      );
    } finally {
      for (const [name, value] of Object.entries({ HOME, XDG_CACHE_HOME, TMPDIR })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});

it('asks for subgroups of 32 lanes where the adapter would choose, and counts on a fixed size elsewhere', () => {
  const describeCard = (least: number, most: number, ...features: string[]) => {
    const info = { vendor: 'amd', architecture: 'rdna-3', device: '', description: '' };
    const card = { ...info, subgroupMinSize: least, subgroupMaxSize: most } as GPUAdapterInfo;
    const { subgroupSize, subgroupSizeControl } = describeAdapter(card, new Set(features));
    return [subgroupSize, subgroupSizeControl];
  };
  const both = ['subgroups', 'subgroup-size-control'];
  expect(describeCard(32, 64, ...both)).toEqual([32, true]); // RDNA
  expect(describeCard(8, 32, ...both)).toEqual([32, true]); // Intel
  expect(describeCard(64, 128, ...both)).toEqual([64, true]);
  expect(describeCard(4, 16, ...both)).toEqual([16, true]);
  expect(describeCard(32, 32, ...both)).toEqual([32, false]); // NVIDIA
  expect(describeCard(32, 64, 'subgroups')).toEqual([0, false]);
  expect(describeCard(32, 64)).toEqual([0, false]);
});

describe('errors of a device', linux, () => {
  it('surface on the next wait, name the labelled object, and are thrown once', async () => {
    const device = await openDevice({ device: 'bundled' });
    const buffer = device.gpu.createBuffer({ label: 'logits', size: 16, usage: GPUBufferUsage.COPY_DST });
    device.gpu.queue.writeBuffer(buffer, 0, new Float32Array(8));
    const error = await device.wait().catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/^invalid use of the device: .*\[Buffer "logits"\] size \(16\)/);
    expect(error).toMatchObject({ fault: 'invalid', label: 'logits' });
    await device.wait();
    device.close();
  });

  it('tell when memory ran out, and what would need less', async () => {
    const device = await openDevice({ device: 'bundled' });
    const error = new GPUOutOfMemoryError('[Buffer "attention weights"] needs more than there is');
    device.gpu.onuncapturederror!({ error } as unknown as GPUUncapturedErrorEvent);
    const thrown = await device.wait().catch((caught) => caught);
    expect(thrown).toMatchObject({ fault: 'memory', label: 'attention weights' });
    expect(thrown.message).toMatch(
      /^out of device memory: .*\. Take a smaller --batch, shorter windows or a smaller model$/,
    );
    device.close();
  });

  it('report a loss to whoever waits, and keep reporting it', async () => {
    const device = await openDevice({ device: 'bundled' });
    const out = device.gpu.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ });
    const reading = device.settle(out.mapAsync(GPUMapMode.READ));
    device.gpu.destroy();
    await expect(reading).rejects.toThrow(/^device lost \(destroyed\): /);
    expect(await device.lost).toBeInstanceOf(DeviceError);
    await expect(device.wait()).rejects.toThrow(DeviceError);
  });

  it('say that the device was closed', async () => {
    const device = await openDevice({ device: 'bundled' });
    device.close();
    device.close();
    await expect(device.wait()).rejects.toThrow(/SwiftShader.*: the device was closed$/);
  });
});

describe('a closed device', () => {
  async function openAndClose(): Promise<WeakRef<GPUDevice>> {
    const device = await openDevice();
    await addOne(device);
    device.close();
    return new WeakRef(device.gpu);
  }

  it('is collected, so that a run may lose and open many', async () => {
    const gpu = await openAndClose();
    for (let round = 0; round < 50 && gpu.deref() !== undefined; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      collectGarbage();
    }
    expect(gpu.deref()).toBeUndefined();
  });
});

describe('unpackBundle', linux, () => {
  const archive = join(
    dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')),
    '../../bin/swiftshader.tar.br',
  );
  const cache = mkdtempSync(join(tmpdir(), 'unpack-test-'));
  afterEach(() => rmSync(cache, { recursive: true, force: true }));

  it('unpacks once and heals a truncated file', () => {
    const folder = unpackBundle(archive, cache);
    const driver = join(folder, 'libvk_swiftshader.so');
    const { size, ino } = statSync(driver);
    expect(readFileSync(driver).subarray(1, 4).toString()).toBe('ELF');
    expect(unpackBundle(archive, cache)).toBe(folder);
    expect(statSync(driver).ino).toBe(ino);
    truncateSync(driver, 100);
    unpackBundle(archive, cache);
    expect(statSync(driver).size).toBe(size);
    // Nothing temporary stays behind.
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('says what is missing', () => {
    expect(() => unpackBundle(join(cache, 'absent.tar.br'), cache)).toThrow(DeviceError);
  });
});

describe('devices', () => {
  it('lists what is there, what is not and why, and marks what would be taken', linux, async () => {
    const listed = await listDevices([source('gpu', 'no card'), bundled]);
    expect(devicesJson(listed, 'bundled')).toMatchObject({
      taken: 'bundled',
      devices: [
        { device: 'gpu', taken: false, failure: 'no card' },
        { device: 'bundled', taken: true, driver: 'swiftshader', subgroupSize: 4, limits: { binding: 2 ** 30 } },
      ],
    });
    const lines = devicesTable(listed, 'bundled', ['bundled']).split('\n');
    expect(lines[0]).toBe('  gpu      - (gpu of the test: no card)');
    expect(lines[1]).toMatch(/^\* bundled {2}SwiftShader/);
    expect(lines).toContain('    subgroup size    4');
    const none = (...wanted: Source['name'][]) =>
      devicesTable(listed.slice(0, 1), undefined, wanted).split('\n').at(-1);
    expect(none('gpu')).toMatch(/^gpu: none available\. To use a GPU: /);
    expect(none('system')).toMatch(/^system: none available\. To fix: apt-get install mesa-vulkan-drivers /);
  });
});

it('a process that used a device ends by itself, whether or not it closed it', () => {
  const script = (end: string) => `
    import { openDevice } from '${BUILT}/device/adapters.js';
    const device = await openDevice({ device: 'cpu' });
    await device.wait();
    ${end}
    console.log(device.driver);`;
  for (const end of ['', 'device.close();']) {
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script(end)], {
      encoding: 'utf8',
      timeout: HANGING,
    });
    expect(out).toBe('wasm\n');
  }
});
