import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDevice } from '../../src/device/adapters.js';
import { initialParameters } from '../../src/model/parameters.js';
import { encodeSafetensors, type StoredTensor } from '../../src/train/safetensors.js';
import { learningRate } from '../../src/train/schedule.js';
import { Trainer } from '../../src/train/trainer.js';
import { mix } from '../../src/train/windows/mix.js';
import { openText } from '../../src/train/windows/text.js';
import { TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';

const GOLDEN = 'test/golden/losses.json';
const SIZE = { B: 2, L: 32, T: 32 };
const WINDOW = { prefix: SIZE.L, stream: SIZE.T };

/** Ten updates of a tiny zero-door decoder on the default text. */
async function tenSteps(accumulate = 1) {
  const windows = mix([{ source: openText([], WINDOW), share: 1 }]);
  const trainer = await Trainer.create(await testDevice(), {
    config: TINY,
    batch: SIZE.B,
    sizes: [WINDOW],
    parameters: initialParameters(TINY, 0),
  });
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    const batches = Array.from({ length: accumulate }, (_, i) => windows.batch(0, step, SIZE.B, i * SIZE.B));
    losses.push((await trainer.update(batches, learningRate({ lr: 2e-3, warmup: 4, steps: 10 }, step + 1))).nats);
  }
  const parameters = await trainer.parameters();
  trainer.free();
  return { losses, parameters };
}

function bytesOf(parameters: Map<string, Float32Array>): Buffer {
  const stored = new Map<string, StoredTensor>();
  for (const [name, data] of parameters) stored.set(name, { dtype: 'F32', shape: [data.length], data });
  return Buffer.from(encodeSafetensors(stored, {}));
}

test('ten losses of a seeded run are the golden ones, and a second run gives the same bytes', async () => {
  const device = await testDevice();
  const first = await tenSteps();
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${JSON.stringify(first.losses, null, 2)}\n`);
  expect(existsSync(GOLDEN)).toBe(true);
  const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as number[];
  // The CPU device gives these bits on every machine; another adapter may contract a*b + c or sum in another order.
  if (device.driver === 'wasm') expect(first.losses).toEqual(golden);
  else for (const [i, loss] of first.losses.entries()) expect(loss).toBeCloseTo(golden[i]!, 3);
  expect(first.losses.at(-1)).toBeLessThan(first.losses[0]!);

  const second = await tenSteps();
  expect(second.losses).toEqual(first.losses);
  expect(bytesOf(second.parameters).equals(bytesOf(first.parameters))).toBe(true);
});

test('without any optional feature of the adapter training goes the same way', async () => {
  const device = await openDevice({ robust: true, features: 'none' });
  expect(device.subgroupSize).toBe(0);
  const windows = mix([{ source: openText([], WINDOW), share: 1 }]);
  const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as number[];
  const trainer = await Trainer.create(device, {
    config: TINY,
    batch: SIZE.B,
    sizes: [WINDOW],
    parameters: initialParameters(TINY, 0),
  });
  for (let step = 0; step < 3; step++) {
    const lr = learningRate({ lr: 2e-3, warmup: 4, steps: 10 }, step + 1);
    expect((await trainer.update([windows.batch(0, step, SIZE.B)], lr)).nats).toBeCloseTo(golden[step]!, 4);
  }
  device.close();
});

test('two batches added up are one batch of twice the size', async () => {
  const windows = mix([{ source: openText([], WINDOW), share: 1 }]);
  const gradientsOf = async (B: number, batches: number) => {
    const trainer = await Trainer.create(await testDevice(), {
      config: TINY,
      batch: B,
      sizes: [WINDOW],
      parameters: initialParameters(TINY, 0),
    });
    const all = Array.from({ length: batches }, (_, i) => windows.batch(0, 0, B, i * B));
    const result = await trainer.update(all, 1e-3);
    const { m } = await trainer.moments(); // after one step: a tenth of the clipped gradient
    trainer.free();
    return { result, m: [...m.values()].flatMap((values) => [...values]) };
  };
  const whole = await gradientsOf(4, 1);
  const parts = await gradientsOf(2, 2);
  expect(parts.result.nats).toBeCloseTo(whole.result.nats, 5);
  expect(parts.result.gradientNorm).toBeCloseTo(whole.result.gradientNorm, 5);
  const worst = whole.m.reduce((w, value, i) => Math.max(w, Math.abs(value - parts.m[i]!)), 0);
  expect(worst).toBeLessThan(1e-7);
});
