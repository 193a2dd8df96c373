import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Checkpoints } from '../../../src/train/run/checkpoints.js';
import { RunFolder } from '../../../src/train/run/folder.js';
import type { TrainInput } from '../../../src/train/run/options.js';
import { type Progress, train } from '../../../src/train/run/train.js';
import { hashes, metricsOf } from '../../reliability/runs.js';
import { testDevice } from '../../support/device.js';
import { tinyRun } from '../../support/tinyRun.js';

const root = mkdtempSync(join(tmpdir(), 'byte-to-loss-ahead-'));
afterAll(() => rmSync(root, { recursive: true }));

const OPTIONS: TrainInput = { steps: 7, saveEvery: 3, evalEvery: 2, keep: 0 };
let runs = 0;

/** Train in a new folder or resume in `at`; `bad` steps, counted from 1, have a loss of NaN. */
async function run(runsAhead: boolean, { bad = [], until = Infinity, at, ...more }: Run = {}) {
  const path = at ?? join(root, `${runs++}`);
  const { options, data } = tinyRun({ ...OPTIONS, ...more });
  const order: string[] = []; // batches that were taken, and steps that were reported
  const batch: typeof data.mix.batch = (seed, step, ...rest) => {
    order.push(`batch ${step + 1}`);
    const made = data.mix.batch(seed, step, ...rest);
    return bad.includes(step + 1) ? { ...made, weights: made.weights.map(() => Infinity) } : made;
  };
  let reported = 0;
  const listener = {
    step(progress: Progress) {
      reported = progress.step;
      order.push(`loss ${reported}`);
    },
    validation: (step: number) => order.push(`validation ${step}`),
    saved: (step: number) => order.push(`saved ${step}`),
  };
  const folder = at === undefined ? RunFolder.create(path) : RunFolder.open(path);
  if (at === undefined) folder.writeJson('config.json', { options });
  const from = new Checkpoints(folder.checkpoints, 0).newest();
  const stop = () => reported >= until;
  const poisoned = { ...data, mix: { ...data.mix, batch } };
  const result = await train(await testDevice(), options, poisoned, folder, listener, stop, { from, runsAhead })
    .catch((error: Error) => error)
    .finally(() => folder.release());
  return { path, order, result };
}

interface Run extends TrainInput {
  readonly bad?: readonly number[];
  readonly until?: number;
  readonly at?: string;
}

/** Checkpoints, losses and samples are the same, to the bit. */
function expectSame(path: string, expected: string) {
  expect(hashes(path)).toEqual(hashes(expected));
  expect(metricsOf(path)).toEqual(metricsOf(expected));
  expect(metricsOf(path, 'samples.jsonl')).toEqual(metricsOf(expected, 'samples.jsonl'));
}

describe('a run that submits a step before it reads the loss of the one before', () => {
  it('has read every loss where it validates and saves, and ends with the same bits', async () => {
    const { path, order } = await run(true);
    expect(order).toEqual([
      ...['batch 1', 'batch 2', 'loss 1', 'loss 2', 'validation 2'],
      ...['batch 3', 'loss 3', 'saved 3', 'batch 4', 'loss 4', 'validation 4'],
      ...['batch 5', 'batch 6', 'loss 5', 'loss 6', 'validation 6', 'saved 6'],
      ...['batch 7', 'loss 7', 'saved 7', 'validation 7'],
    ]);
    expectSame(path, (await run(false)).path);
  });

  it.each([1, 4, 5])('ends, stopped after step %i, with the step that runs, and resumes', async (until) => {
    const { path, result } = await run(true, { until, saveEvery: 0, evalEvery: 0 });
    expect(result).toMatchObject({ step: until + 1, stopped: true });
    const { path: resumed } = await run(true, { at: path, saveEvery: 0, evalEvery: 0 });
    const whole = await run(false, { saveEvery: 0, evalEvery: 0 });
    expect(hashes(resumed).get('step-000007.safetensors')).toBe(hashes(whole.path).get('step-000007.safetensors'));
    expect(metricsOf(resumed)).toEqual(metricsOf(whole.path));
  });

  it('with several batches a step ends with the same bits', async () => {
    expectSame((await run(true, { accumulate: 3 })).path, (await run(false, { accumulate: 3 })).path);
  });
});

describe('a loss that is not finite, read after the next step was submitted,', () => {
  it.each([1, 4, 5, 7])('in step %i, ends the run with the state before that step', async (bad) => {
    const { path, result } = await run(true, { bad: [bad] });
    const before = `step-00000${bad - 1}`;
    expect((result as Error).message).toMatch(
      new RegExp(
        `^step ${bad}: the loss is NaN; first not finite: .*crossEntropy reads weights.*${before}.safetensors`,
      ),
    );
    const stopped = await run(false, { bad: [bad] });
    expectSame(path, stopped.path);
    expect([...hashes(path).keys()].at(-1)).toBe(`${before}.safetensors`);
  });

  it('is skipped where that is asked for, and the next step is submitted again', async () => {
    const bad = { bad: [1, 4, 7], skipNonfinite: true };
    const { path, order, result } = await run(true, bad);
    expect(result).toMatchObject({ step: 7, skipped: 3 });
    expect(order.slice(0, 4)).toEqual(['batch 1', 'batch 2', 'batch 2', 'loss 2']);
    expectSame(path, (await run(false, bad)).path);
  });

  it('in one of several batches of a step counts for the step', async () => {
    const bad = { bad: [2], skipNonfinite: true, accumulate: 2 };
    expectSame((await run(true, bad)).path, (await run(false, bad)).path);
  });
});
