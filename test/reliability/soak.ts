import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice } from '../../src/device/adapters.js';
import { RunFolder } from '../../src/train/run/folder.js';
import { type Listener, train } from '../../src/train/run/train.js';
import { countObjects } from '../support/gpuObjects.js';
import { tinyRun } from '../support/tinyRun.js';
import { inOwnProcess } from './ownProcess.js';
import type { Outcome } from './report.js';

/** Percent by which memory may rise. Node gives some of its start-up memory back later, so a fall is no fault. */
const MOST = 2;

/**
 * Train a tiny decoder for long, in a process that begins as the command line does and is left alone: memory and live GPU
 * objects must not grow.
 */
export async function soak(steps = 10_000): Promise<Outcome> {
  const flags = ['--import', new URL('../../src/cli/holdNewSpace.ts', import.meta.url).href]; // as src/cli.ts begins
  const soaking = inOwnProcess<Soaked>(import.meta.url, 'soaked', [steps], flags);
  const { lowest, last, buffers, made, adapter } = await soaking;
  const broken: string[] = [];
  const change = (100 * (last - lowest)) / lowest;
  if (!(change <= MOST)) broken.push(`resident memory went from ${mib(lowest)} to ${mib(last)} MiB`);
  if (made.stepping > 0) broken.push(`${made.stepping} GPU objects were made by steps after the second`);
  if (made.judged > 0) broken.push(`${made.judged} GPU objects were made after the first validation`);
  if (buffers.end > buffers.settled) broken.push(`live buffers went from ${buffers.settled} to ${buffers.end}`);
  if (buffers.left > 0) broken.push(`${buffers.left} buffers are left after the end`);
  return {
    promise: `memory does not grow: the last tenth of a long run is at most ${MOST} % above the lowest of the eight tenths before it, and no GPU object is added`,
    counts: {
      steps,
      'MiB resident in the lowest tenth': mib(lowest),
      'MiB in the last': mib(last),
      '% change': change.toFixed(2),
      'live GPU buffers then and at the end': `${buffers.settled} and ${buffers.end}`,
      'left after the run': buffers.left,
      'other GPU objects made on the way': made.stepping + made.judged,
    },
    adapter,
    broken,
  };
}

interface Soaked {
  /** mean bytes resident in the lowest of the second to ninth tenths, and in the last: a leak shows even where memory fell before */
  readonly lowest: number;
  readonly last: number;
  /** live GPU buffers, at most: in the second tenth, in the last, and after the run */
  readonly buffers: { readonly settled: number; readonly end: number; readonly left: number };
  /** other GPU objects made: by steps from the second to the first validation, and from behind that to the last step */
  readonly made: { readonly stepping: number; readonly judged: number };
  readonly adapter: string;
}

/** A long run in this process. */
export async function soaked(steps: number): Promise<Soaked> {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-soak-'));
  const device = await openDevice();
  const live = countObjects(device.gpu);
  let done = 0;
  const memory: number[] = []; // resident bytes after every twentieth step
  const buffers: number[] = [];
  const { options, data } = tinyRun({ steps, saveEvery: Math.ceil(steps / 20), evalEvery: Math.ceil(steps / 50) });
  const made = new Map<number, number>(); // other GPU objects, after a step
  const listener: Listener = {
    step() {
      done++;
      made.set(done, live.made);
      if (done % 20 !== 0) return;
      memory.push(process.memoryUsage.rss());
      buffers.push(live.buffers);
      if (done % 1000 === 0) console.log(`step ${done}  ${mib(memory.at(-1)!)} MiB  ${live.buffers} buffers`);
    },
    validation() {},
    saved() {},
  };
  const run = RunFolder.create(join(folder, 'run'));
  run.writeJson('config.json', { options });
  await train(device, options, data, run, listener);
  run.release();
  const tenth = Math.floor(memory.length / 10);
  const tenths = Array.from({ length: 9 }, (_, i) => mean(memory.slice((i + 1) * tenth, (i + 2) * tenth)));
  const [settled, end] = [buffers.slice(tenth, 2 * tenth), buffers.slice(-tenth)].map((some) => Math.max(...some)) as [
    number,
    number,
  ];
  const between = (from: number, to: number) => made.get(to)! - made.get(from)!;
  const { evalEvery } = options; // the first validation is behind that step, and makes what writes samples
  device.close();
  rmSync(folder, { recursive: true });
  return {
    lowest: Math.min(...tenths.slice(0, -1)),
    last: tenths.at(-1)!,
    buffers: { settled, end, left: live.buffers },
    made: { stepping: between(2, evalEvery), judged: between(evalEvery + 1, steps) },
    adapter: device.name,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
