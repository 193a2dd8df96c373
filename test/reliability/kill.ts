import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { uniform } from '../../src/common/random.js';
import { Checkpoints, type SavedState } from '../../src/train/run/checkpoints.js';
import { HANGING } from '../support/limits.js';
import type { Outcome } from './report.js';
import { ended, hashes, metricsOf, start, stepsDone, TINY_RUN } from './runs.js';

const STEPS = 400;
const FLAGS = [...TINY_RUN, '--steps', String(STEPS), '--save-every', '2', '--eval-every', '50'];

/** Every fourth kill comes before the process has trained a step: while it starts, or takes the run up. */
const EARLY = 4;

/** What a run leaves, but for times. */
interface Left {
  readonly hashes: ReadonlyMap<string, string>;
  readonly metrics: readonly string[];
  readonly samples: readonly string[];
  /** what index.json names; undefined where there is none yet */
  readonly index: Readonly<Record<string, string | number>> | undefined;
}

function left(run: string): Left {
  const index = join(run, 'checkpoints/index.json');
  return {
    hashes: hashes(run),
    metrics: metricsOf(run),
    samples: metricsOf(run, 'samples.jsonl'),
    index: existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')) : undefined,
  };
}

/**
 * SIGKILL at random moments of training with a checkpoint every other step. Each killed run is checked and resumed,
 * to be killed again, until it reaches its end. A run that was never killed tells what every file must hold.
 */
export async function kill(kills = 200): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-kill-'));
  const broken: string[] = [];
  const whole = join(folder, 'whole');
  const started = performance.now();
  const child = start(['train', ...FLAGS, '--keep', '0', '--out', whole]);
  const first = ended(child, HANGING);
  await until(child, () => stepsDone(whole) > 0);
  const startup = performance.now() - started;
  const { code, error } = await first;
  if (code !== 0) throw new Error(error);
  const expected = left(whole);
  const adapter = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8')).adapter.name as string;

  let done = 0;
  let early = 0;
  let runs = 0;
  let damaged = 0;
  while (done < kills) {
    const run = join(folder, `run-${runs++}`);
    for (let resumed = 0; ; resumed++) {
      const begun = existsSync(join(run, 'config.json'));
      const child = start(begun ? ['train', '--resume', run] : ['train', ...FLAGS, '--out', run]);
      const end = ended(child);
      const before = stepsDone(run);
      if (done < kills) {
        const moment = uniform(1, 'kill', done);
        if (done % EARLY === EARLY - 1) await sleep(moment * startup);
        else {
          // Resuming cuts the metrics back first: any change says that it has begun.
          await until(child, () => stepsDone(run) !== before);
          await sleep(moment * 600);
        }
        if (running(child)) child.kill('SIGKILL');
      }
      const { signal, code, error } = await end;
      if (signal !== 'SIGKILL') {
        if (code !== 0) broken.push(`run ${runs}, resumed ${resumed} times: exit ${code}: ${error.slice(-300)}`);
        break;
      }
      done++;
      if (stepsDone(run) <= before) early++;
      damaged += look(run, expected, broken);
      if (done % 20 === 0) console.log(`${done} kills, ${broken.length} broken`);
    }
    finished(run, expected, broken);
    rmSync(run, { recursive: true });
  }
  rmSync(folder, { recursive: true });
  return {
    promise:
      'SIGKILL at a random moment leaves a checkpoint that can be read, and every resume ends with the same bytes',
    counts: {
      kills: done,
      'of them before the run got any further': early,
      'runs brought to their end': runs,
      'newest checkpoints unreadable': damaged,
    },
    adapter,
    broken,
  };
}

const running = (child: ReturnType<typeof start>) => child.exitCode === null && child.signalCode === null;

async function until(child: ReturnType<typeof start>, come: () => boolean): Promise<void> {
  while (running(child) && !come()) await sleep(5);
}

/** A killed run: its newest checkpoint, or the one before, must be readable and hold the expected bytes. */
function look(run: string, expected: Left, broken: string[]): number {
  if (!existsSync(join(run, 'config.json'))) return 0;
  let passedOver = 0;
  let newest: SavedState | undefined;
  try {
    newest = new Checkpoints(join(run, 'checkpoints'), 0, () => passedOver++).newest();
  } catch (error) {
    broken.push(`${error}`);
  }
  const found = left(run);
  if (passedOver > 1) broken.push(`${run}: the newest ${passedOver} checkpoints are unreadable`);
  for (const [name, hash] of found.hashes) {
    if (expected.hashes.get(name) !== hash) broken.push(`${run}: ${name} differs`);
  }
  for (const name of ['metrics', 'samples'] as const) {
    if (found[name].some((line, i) => line !== expected[name][i]))
      broken.push(`${run}: ${name} differ before the kill`);
  }
  for (const name of [found.index?.latest, found.index?.best]) {
    if (name !== undefined && !found.hashes.has(`${name}`))
      broken.push(`${run}: index.json names ${name}, which is gone`);
  }
  const lines = found.metrics.length;
  if (newest && lines < newest.checkpoint.step) broken.push(`${run}: metrics lack lines before the checkpoint`);
  return passedOver;
}

/** What is left at the end must be what the uninterrupted run has. */
function finished(run: string, expected: Left, broken: string[]): void {
  const found = left(run);
  for (const [name, hash] of found.hashes) {
    if (expected.hashes.get(name) !== hash) broken.push(`${run}: ${name} differs at the end`);
  }
  if (!found.hashes.has(`step-000${STEPS}.safetensors`)) broken.push(`${run}: no last checkpoint`);
  for (const name of ['metrics', 'samples', 'index'] as const) {
    if (!isDeepStrictEqual(found[name], expected[name])) broken.push(`${run}: ${name} differ at the end`);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
