import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniform } from '../../src/engine/random.js';
import { Checkpoints, type SavedState } from '../../src/train/run/checkpoints.js';
import type { Outcome } from './report.js';
import { ended, hashes, metricsOf, start, stepsDone, TINY_RUN } from './runs.js';

const STEPS = 400;
const FLAGS = [...TINY_RUN, '--steps', String(STEPS), '--save-every', '2', '--eval-every', '50'];

/**
 * SIGKILL at random moments of training with a checkpoint every other step. Each killed run is looked at and gone on with,
 * to be killed again, until it reaches its end. A run that was never killed tells what every file must hold.
 */
export async function kill(kills = 200): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-kill-'));
  const broken: string[] = [];
  const whole = join(folder, 'whole');
  const first = await ended(start(['train', ...FLAGS, '--keep', '0', '--out', whole]), 600);
  if (first.code !== 0) throw new Error(first.error);
  const expected = hashes(whole);
  const metrics = metricsOf(whole);
  const adapter = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8')).adapter.name as string;

  let done = 0;
  let runs = 0;
  let damaged = 0;
  while (done < kills) {
    const run = join(folder, `run-${runs++}`);
    for (let resumed = 0; ; resumed++) {
      const args = resumed === 0 ? ['train', ...FLAGS, '--out', run] : ['train', '--resume', run];
      const child = start(args);
      const end = ended(child);
      if (done < kills) {
        await killAtRandom(child, run, uniform(1, 'kill', done) * 600);
      }
      const { signal, code, error } = await end;
      if (signal !== 'SIGKILL') {
        if (code !== 0) broken.push(`run ${runs}, resumed ${resumed} times: exit ${code}: ${error.slice(-300)}`);
        break;
      }
      done++;
      damaged += look(run, expected, metrics, broken);
      if (done % 20 === 0) console.log(`${done} kills, ${broken.length} broken`);
    }
    // What is left at the end must be what the uninterrupted run has.
    for (const [name, hash] of hashes(run)) {
      if (expected.get(name) !== hash) broken.push(`run ${runs}: ${name} differs at the end`);
    }
    if (!hashes(run).has(`step-000${STEPS}.safetensors`)) broken.push(`run ${runs}: no last checkpoint`);
    if (metricsOf(run).join('\n') !== metrics.join('\n')) broken.push(`run ${runs}: metrics differ at the end`);
    rmSync(run, { recursive: true });
  }
  rmSync(folder, { recursive: true });
  return {
    promise:
      'SIGKILL at a random moment leaves a checkpoint that can be read, and every resume ends with the same bytes',
    counts: { kills: done, 'runs brought to their end': runs, 'newest checkpoints unreadable': damaged },
    adapter,
    broken,
  };
}

/** Wait until this process has trained a step, then some milliseconds more. */
async function killAtRandom(child: ReturnType<typeof start>, run: string, milliseconds: number): Promise<void> {
  const before = stepsDone(run);
  const running = () => child.exitCode === null && child.signalCode === null;
  // Resuming cuts the metrics back first: any change says that it has begun.
  while (running() && stepsDone(run) === before) await sleep(5);
  await sleep(milliseconds);
  if (running()) child.kill('SIGKILL');
}

/** A killed run: its newest checkpoint, or the one before, must be readable and hold the expected bytes. */
function look(
  run: string,
  expected: ReadonlyMap<string, string>,
  metrics: readonly string[],
  broken: string[],
): number {
  let passedOver = 0;
  let newest: SavedState | undefined;
  try {
    newest = new Checkpoints(join(run, 'checkpoints'), 0, () => passedOver++).newest();
  } catch (error) {
    broken.push(`${error}`);
  }
  const found = hashes(run);
  if (passedOver > 1) broken.push(`${run}: the newest ${passedOver} checkpoints are unreadable`);
  for (const [name, hash] of found) if (expected.get(name) !== hash) broken.push(`${run}: ${name} differs`);
  const lines = metricsOf(run);
  if (lines.some((line, i) => line !== metrics[i])) broken.push(`${run}: metrics differ before the kill`);
  if (newest && lines.length < newest.checkpoint.step) broken.push(`${run}: metrics lack lines before the checkpoint`);
  return passedOver;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
