import { afterEach, expect, it, vi } from 'vitest';
import { DeviceError } from '../../src/common/errors.js';
import type { Device } from '../../src/device/device.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { recordAdamW } from '../../src/engine/optimiser.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { initialParameters } from '../../src/model/parameters.js';
import { OPTIMISER } from '../../src/train/optimiser.js';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js';
import { TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';
import { countObjects } from '../support/gpuObjects.js';

const options = {
  config: TINY,
  batch: 16,
  sizes: [{ prefix: 32, stream: 32 }],
  parameters: initialParameters(TINY, 0),
};

/** The device, on a machine with so much memory until the test ends. */
async function deviceWith(bytes: number) {
  const device = await testDevice();
  vi.spyOn(device, 'freeMemory').mockReturnValue(bytes);
  return device;
}
afterEach(() => vi.restoreAllMocks());

it('memory that is not there is missed before anything is allocated, and the flags that would do are named', async () => {
  const device = await deviceWith(12 << 20);
  const live = countObjects(device.gpu);
  const error = await Trainer.create(device, options).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error.fault).toBe('memory');
  expect(error.message).toMatch(
    /^this needs \d+ MiB, but 12 MiB of memory are free\. .*--batch \d+ --accumulate \d+ would take \d+ MiB$/,
  );
  const [, batch, accumulate] = /--batch (\d+) --accumulate (\d+)/.exec(error.message)!;
  expect(Number(batch) * Number(accumulate)).toBe(16);
  expect(live.buffers).toBe(0);
});

it('counts in the precision that was asked for, the flags that would do included', async () => {
  const matrix = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };
  const real = await testDevice();
  const device: Device = Object.assign(Object.create(real), real, {
    f16: true,
    subgroupMatrix: [matrix],
    freeMemory: () => 12 << 20,
  });
  const predict = vi.spyOn(Plan, 'predict');
  const error = await Trainer.create(device, { ...options, precision: 'mixed' }).catch((thrown) => thrown);
  expect(error.message).toContain('--accumulate');
  expect(new Set(predict.mock.calls.map(([, , given]) => given?.profile?.precision))).toEqual(new Set(['mixed']));
});

/** The tested part of an error's advice: the flags, and their options. */
async function advised(bytes: number, more: Partial<TrainerOptions>) {
  const wanted = { ...options, ...more };
  const error = await Trainer.create(await deviceWith(bytes), wanted).catch((thrown) => thrown);
  const flag = (name: string, otherwise: number) => {
    const found = error.message.match(new RegExp(`--${name} (\\d+)(?!.*--${name} \\d)`)); // the last
    return Number(found?.[1] ?? otherwise);
  };
  const config = { ...wanted.config, layers: flag('layers', wanted.config.layers) };
  const parameters = initialParameters(config, 0);
  return {
    message: error.message,
    ...wanted,
    parameters,
    config,
    batch: flag('batch', 1),
    accumulate: flag('accumulate', 1),
  };
}

it('the flags fit all sizes of window, and keep how many windows an update sees', async () => {
  const sizes = [
    { prefix: 32, stream: 8 },
    { prefix: 32, stream: 160 },
  ];
  const { message, accumulate, batch, ...rest } = await advised(14 << 20, { sizes, accumulate: 3 });
  expect(message).toMatch(/--batch \d+ --accumulate \d+ would take \d+ MiB$/);
  expect(batch * accumulate).toBe(16 * 3);
  const trainer = await Trainer.create(await deviceWith(14 << 20), { ...rest, batch });
  trainer.free();
});

it('where no batch would fit, fewer layers may, else what is left to do is named', async () => {
  const { parameters: _, ...enough } = await advised(8 << 20, { config: { ...TINY, layers: 8 } });
  expect(enough.message).toMatch(
    /Even --batch 1 would not fit; --batch 1 --accumulate 16 --layers [1-4] would take \d MiB$/,
  );
  const parameters = initialParameters(enough.config, 0);
  const trainer = await Trainer.create(await deviceWith(8 << 20), { ...enough, parameters });
  trainer.free();
  expect((await advised(1 << 18, {})).message).toMatch(
    /Even --batch 1 --layers 1 would not fit; take a smaller --dim, or shorter windows: --prefix, --stream$/,
  );
});

it('flat buffers and moments may be longer than one binding, but not than a buffer; the error names the exceeded limit', async () => {
  const device = await testDevice();
  const within = (maxStorageBufferBindingSize: number, maxBufferSize: number) => {
    const limits = { maxStorageBufferBindingSize, maxBufferSize };
    const program = new Program();
    const ys = ['a', 'b'].map((name) => gelu(program.parameter(name, [1 << 14]))); // 64 KiB each
    program.backward(ys.map((y, i) => [y, program.input(`dY ${i}`, y.shape)] as const));
    recordAdamW(program, program.input('loss', [1]), OPTIMISER);
    return Plan.predict(program, Object.create(device, { limits: { value: limits } })).memoryError?.message;
  };
  expect(within(1 << 16, 1 << 17)).toBeUndefined();
  expect(within(1 << 15, 1 << 17)).toMatch(/^a: gelu\.forward needs .*\(maxStorageBufferBindingSize\)/);
  expect(within(1 << 16, 1 << 16)).toMatch(/^gradients: gradientNorm needs .*\(maxBufferSize\)/);
});

it('predicts what is then allocated', async () => {
  const device = await testDevice();
  const trainer = await Trainer.create(device, options);
  const { bytes, memoryError } = Plan.predict(trainer.plan.program, device, { keep: [] });
  expect(memoryError).toBeUndefined();
  expect(bytes.flat).toBe(trainer.plan.bytes.flat);
  expect(bytes.fixed).toBe(trainer.plan.bytes.fixed);
  trainer.free();
});
