import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice } from '../../src/engine/adapters.js';
import { RunFolder } from '../../src/train/run/folder.js';
import { type Listener, train } from '../../src/train/run/train.js';
import { collectGarbage } from '../support/garbage.js';
import { countObjects } from '../support/gpuObjects.js';
import { tinyRun } from '../support/tinyRun.js';
import type { Outcome } from './report.js';

/** Train a tiny decoder for long: memory and live GPU objects must not grow. */
export async function soak(steps = 10_000): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-soak-'));
  const device = await openDevice();
  const live = countObjects(device.gpu);
  let done = 0;
  const memory: number[] = []; // resident bytes after every twentieth step
  const buffers: number[] = [];
  const { options, data } = tinyRun({ steps, saveEvery: Math.ceil(steps / 20), evalEvery: Math.ceil(steps / 50) });
  const listener: Listener = {
    step() {
      done++;
      if (done % 20 !== 0) return;
      collectGarbage();
      memory.push(process.memoryUsage.rss());
      buffers.push(live.buffers);
      if (done % 1000 === 0) console.log(`step ${done}  ${mib(memory.at(-1)!)} MiB  ${live.buffers} buffers`);
    },
    validation() {},
    saved() {},
  };
  const run = RunFolder.create(join(folder, 'run'));
  run.writeConfig({ options });
  await train(device, options, data, run, listener);
  run.release();
  const broken: string[] = [];
  const tenth = Math.floor(memory.length / 10);
  const [second, last] = [memory.slice(tenth, 2 * tenth), memory.slice(-tenth)].map(mean) as [number, number];
  const growth = (100 * (last - second)) / second;
  if (growth > 2) broken.push(`resident memory went from ${mib(second)} to ${mib(last)} MiB`);
  const settled = Math.max(...buffers.slice(tenth, 2 * tenth));
  const end = Math.max(...buffers.slice(-tenth));
  if (end > settled) broken.push(`live buffers went from ${settled} to ${end}`);
  if (live.buffers > 0) broken.push(`${live.buffers} buffers are left after the end`);
  device.close();
  rmSync(folder, { recursive: true });
  return {
    promise:
      'memory does not grow: garbage collected, the last tenth of a long run is at most 2 % above its second tenth',
    counts: {
      steps,
      'MiB resident in the second tenth': mib(second),
      'MiB in the last': mib(last),
      '% growth': growth.toFixed(2),
      'live GPU buffers then and at the end': `${settled} and ${end}`,
      'left after the run': live.buffers,
    },
    adapter: device.name,
    broken,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
