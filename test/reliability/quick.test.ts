import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DeviceError, NumberError } from '../../src/common/errors.js';
import { openDevice } from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';
import { writeReport } from '../../src/report/report.js';
import { Trainer } from '../../src/train/trainer.js';
import { tinyRun } from '../support/tinyRun.js';
import { Faults, failEveryWrite, loseEveryDevice, loseTooOften, poisonEveryOp } from './faults.js';
import { fuzz } from './fuzz.js';

// Samples of what `npm run reliability` does in full.
const faults = new Faults(tinyRun({ steps: 3, saveEvery: 1, keep: 1, evalEvery: 0 }));
let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => {
  device.close();
  faults.free();
});

it('a write that fails gives a clear error, and the run can be resumed', async () => {
  expect(await failEveryWrite(faults, device, 41)).toBeGreaterThan(2);
  expect(faults.broken).toEqual([]);
});

it('a NaN stops before the update, and the op is named', async () => {
  const { ops, stopped } = await poisonEveryOp(faults, 13);
  expect(ops).toBeGreaterThan(2);
  expect(stopped).toBe(ops);
  expect(faults.broken).toEqual([]);
});

it('a lost device is opened again, three times at most', async () => {
  expect(await loseEveryDevice(faults, 50, 50)).toBe(1);
  await loseTooOften(faults, 0);
  expect(faults.broken).toEqual([]);
});

it('a run does not continue on another device than the one that it lost', async () => {
  const lost = await openDevice();
  Object.defineProperty(lost, 'name', { value: 'a GPU' });
  lost.gpu.destroy();
  await expect(faults.train(lost, faults.path(), { reopen: openDevice })).rejects.toThrow(
    `instead of a GPU only ${device.name} can be opened now. Resume with --device cpu to continue with it`,
  );
  lost.close();
});

it('a step that is finite when it is tried again is a fault of the device, not of the run', async () => {
  const { options, data } = tinyRun({ steps: 3, evalEvery: 0 });
  const poisoned = { ...data, mix: { ...data.mix, batch: poisonFirst(data.mix.batch) } };
  const again = vi.spyOn(Trainer.prototype, 'locateNonFinite').mockResolvedValue(undefined);
  const path = faults.path();
  const error = await faults.train(device, path, { options, data: poisoned }).catch((thrown) => thrown);
  again.mockRestore();
  expect(error).toBeInstanceOf(DeviceError);
  expect(error.message).toMatch(
    /^step 1: the loss is NaN, but a second try of the same step was finite; nothing was updated; saved .*step-000000\.safetensors\. The device/,
  );
});

it('steps that are not finite are left out and counted when asked for', async () => {
  const { options, data } = tinyRun({ steps: 3, skipNonfinite: true, evalEvery: 0 });
  const poisoned = { ...data, mix: { ...data.mix, batch: poisonFirst(data.mix.batch) } };
  const notes: string[] = [];
  const listener = { step() {}, validation() {}, saved() {}, note: (line: string) => notes.push(line) };
  const path = faults.path();
  const result = await faults.train(device, path, { options, data: poisoned, listener });
  expect(result).toMatchObject({ step: 3, skipped: 1 });
  expect(readFileSync(writeReport([path]), 'utf8')).toContain('1 steps skipped, not finite');
  expect(notes).toEqual(['step 1  skipped: the loss is NaN']);
  const strict = { ...options, skipNonfinite: false };
  const stops = faults.train(device, faults.path(), { options: strict, data: poisoned });
  await expect(stops).rejects.toThrow(NumberError);
});

/** Batches whose weights are infinite in the first step: ∞/∞ makes the loss NaN. */
function poisonFirst(batch: ReturnType<typeof tinyRun>['data']['mix']['batch']): typeof batch {
  return (seed, step, ...rest) => {
    const made = batch(seed, step, ...rest);
    return step === 0 ? { ...made, weights: made.weights.map(() => Number.POSITIVE_INFINITY) } : made;
  };
}

it('wrong input raises typed errors', async () => {
  expect((await fuzz(1000)).broken).toEqual([]);
});
