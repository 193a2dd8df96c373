import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listDevices } from '../../src/device/adapters.js';
import type { DecoderConfig } from '../../src/model/config.js';
import { initialParameters } from '../../src/model/parameters.js';
import { writeCheckpoint } from '../../src/train/checkpoint.js';
import { Checkpoints } from '../../src/train/run/checkpoints.js';
import { BUILT } from '../support/built.js';
import type { Outcome } from './report.js';
import { commandLine, type Ended, ended, startProcess, stepsDone, TINY_RUN } from './runs.js';

/** What Dawn says by itself, of drivers that promise more than it can use. */
const DAWN = /^Warning: max\w+ artificially reduced from \d+ to \d+ .*\n/gm;

/** A way for a command to end. */
export interface Exit {
  readonly name: string;
  /** words after `byte-to-loss`; `out` is a new folder */
  readonly args: (out: string) => readonly string[];
  /** what is done to the process */
  readonly act?: (child: ChildProcess, out: string) => Promise<void>;
  /** through a shell: `$@` is the command, OUT the parent of the run's folder */
  readonly shell?: string;
  readonly mishap?: { readonly MISHAP: string; readonly AT: string };
  /** the exit code, or the signal that is meant to end it */
  readonly code: number | readonly NodeJS.Signals[];
  /** all of stderr; '' when left out */
  readonly error?: RegExp;
  /** something in stdout */
  readonly out?: RegExp;
  /** what is wrong with the run that it left; undefined where nothing is */
  readonly left?: (run: string) => string | undefined;
}

/** Checks that a run can be resumed from its checkpoints. @returns the errors */
function harmed(run: string): string | undefined {
  const reports: string[] = [];
  try {
    const newest = new Checkpoints(join(run, 'checkpoints'), 0, (line) => reports.push(line)).newest();
    if (newest === undefined) return 'there is no checkpoint';
    if (stepsDone(run) < newest.checkpoint.step) return 'metrics lack lines before the checkpoint';
  } catch (error) {
    reports.push(`${error}`);
  }
  return reports[0];
}

const train =
  (...more: string[]) =>
  (out: string) => ['train', ...TINY_RUN, '--eval-every', '0', ...more, '--out', out];
const LONG = ['--steps', '100000', '--save-every', '0'];
const SHORT = ['--steps', '3'];

/** Once it trains, send signals. */
const signals =
  (...names: NodeJS.Signals[]) =>
  async (child: ChildProcess, out: string) => {
    while (stepsDone(out) < 3 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const name of names) child.kill(name);
  };

/** Every way in which a user's run may end. @param folder holds a good checkpoint and a truncated one */
export function exits(folder: string): Exit[] {
  const good = join(folder, 'good.safetensors');
  const cut = join(folder, 'cut.safetensors');
  const saved = { config: DECODER, step: 1, seed: 1, prefix: 8, stream: 8, parameters: initialParameters(DECODER, 1) };
  for (const path of [good, cut]) writeCheckpoint(path, saved, { m: saved.parameters, v: saved.parameters });
  truncateSync(cut, 10_000);
  return [
    { name: 'train', args: train(...SHORT), code: 0, out: /run folder: / },
    { name: 'generate', args: () => ['generate', '--checkpoint', good, '--bytes', '4', '--prompt', 'H'], code: 0 },
    { name: 'help', args: () => ['train', '--help'], code: 0, out: /--skip-nonfinite/ },
    {
      name: 'bad flag',
      args: () => ['train', '--step', '3'],
      code: 2,
      error: /^error: unknown option '--step'\n\(Did you mean --steps\?\)\n$/,
    },
    {
      name: 'missing file',
      args: train('--text', join(folder, 'nowhere.txt')),
      code: 1,
      error: /^error: .*nowhere.txt: there is no such file\n$/,
    },
    {
      name: 'truncated checkpoint',
      args: () => ['score', '--checkpoint', cut, '--stream-hex', '00'],
      code: 1,
      error: /^error: .*cut\.safetensors: truncated: .*\n$/,
    },
    {
      name: 'Ctrl-C',
      args: train(...LONG),
      act: signals('SIGINT'),
      code: 130,
      out: /SIGINT: finishing this step and saving/,
    },
    {
      name: 'SIGTERM',
      args: train(...LONG),
      act: signals('SIGTERM'),
      code: 143,
      out: /SIGTERM: finishing this step and saving/,
    },
    {
      name: 'SIGHUP',
      args: train(...LONG),
      act: signals('SIGHUP', 'SIGHUP'),
      code: 129,
      out: /SIGHUP: finishing this step and saving/,
    },
    {
      name: 'second signal',
      args: train(...LONG, '--save-every', '1', '--keep', '2'), // there is always something to harm
      act: signals('SIGINT', 'SIGTERM'),
      code: ['SIGINT', 'SIGTERM'],
      left: harmed,
    },
    {
      name: '| head -1',
      args: train(...LONG, '--save-every', '1', '--keep', '1'),
      shell: 'set -o pipefail; "$@" | head -1',
      code: 1,
      error: /^error: the output was closed \(EPIPE\)\n$/,
    },
    { name: 'stdout closed', args: train(...SHORT), shell: 'exec "$@" >&-', code: 0 },
    {
      name: '> full disk',
      args: train(...LONG, '--save-every', '1', '--keep', '1'),
      shell: 'exec "$@" > /dev/full',
      code: 1,
      error: /^error: output: the disk is full. Free some space \(ENOSPC\)\n$/,
    },
    { name: 'stderr closed', args: train('--lr', '1e30', ...SHORT), shell: 'exec "$@" 2>&-', code: 1 },
    {
      name: 'device lost and reopened',
      args: train(...SHORT, '--save-every', '1'),
      mishap: { MISHAP: 'lost', AT: '100' },
      code: 0,
      out: /device lost \(destroyed\).*resuming from step \d on a new one/,
    },
    {
      name: 'NaN',
      args: train('--lr', '1e30', ...SHORT),
      code: 1,
      error: /^error: step 2: the loss is NaN; first not finite: .*\n$/,
    },
    {
      name: 'uncaught error',
      args: train(...LONG),
      mishap: { MISHAP: 'uncaught', AT: '100' },
      code: 1,
      error: /^TypeError: a bug, made up\n( {4}at .*\n)+$/,
    },
    {
      name: 'unhandled rejection',
      args: train(...LONG),
      mishap: { MISHAP: 'rejected', AT: '100' },
      code: 1,
      error: /^TypeError: a bug, made up\n( {4}at .*\n)+$/,
    },
    ...disks(),
  ];
}

const DECODER: DecoderConfig = { door: 'zero', dim: 32, layers: 1, heads: 2, K: 1 };
const MISHAPS = join(BUILT, 'mishaps.js');

/** Ways to end on a disk of another kind, mounted in a name space of its own; none where that is not allowed. */
function disks(): Exit[] {
  const on = (options: string) =>
    `unshare -Urm bash -c 'mount -t tmpfs -o ${options} none "$OUT" && exec "$@"' bash "$@"`;
  if (spawnSync('unshare', ['-Urm', 'true']).status !== 0) {
    console.log('no name spaces here: a full and a read-only disk are not tried');
    return [];
  }
  return [
    {
      name: 'full disk',
      args: train(...LONG, '--save-every', '1', '--keep', '0'),
      shell: on('size=1m'),
      code: 1,
      error: /^error: .*: could not be written: the disk is full\. Free some space \(ENOSPC\)\n$/,
      out: /saved .*step-000001\.safetensors/,
    },
    {
      name: 'read-only disk',
      args: train(...SHORT),
      shell: on('ro'),
      code: 1,
      error:
        /^error: .*run: cannot become a run folder: the file system is read-only\..* \(EROFS\); choose another with --out\n$/,
    },
  ];
}

/** Run one, on one device. @returns what broke the promise; undefined where nothing did */
export async function tryExit(exit: Exit, folder: string, device: string): Promise<string | undefined> {
  const out = mkdtempSync(join(folder, 'run-'));
  const command = commandLine(exit.args(join(out, 'run')), exit.mishap && MISHAPS);
  const child = startProcess(exit.shell === undefined ? command : ['bash', '-c', exit.shell, 'bash', ...command], {
    BYTE_TO_LOSS_DEVICE: device,
    OUT: out,
    ...exit.mishap,
  });
  const end = ended(child);
  await exit.act?.(child, join(out, 'run'));
  const problem = wrong(exit, await end) ?? exit.left?.(join(out, 'run'));
  rmSync(out, { recursive: true });
  return problem && `${exit.name} on ${device}: ${problem}`;
}

function wrong(exit: Exit, { code, signal, out, error }: Ended): string | undefined {
  const words = error.replace(DAWN, '');
  const said = `; stderr: ${JSON.stringify(words.slice(-500))}`;
  const right = typeof exit.code === 'number' ? code === exit.code : signal !== null && exit.code.includes(signal);
  if (!right) return `it ended with ${signal ?? `exit code ${code}`}${said}`;
  if (exit.error === undefined ? words !== '' : !exit.error.test(words)) return `it said something else${said}`;
  if (exit.out !== undefined && !exit.out.test(out))
    return `stdout lacks ${exit.out}: ${JSON.stringify(out.slice(-500))}`;
  return undefined;
}

/**
 * The command line as a user runs it, on every software driver that is here: the ordinary end many times, every other a
 * tenth as often.
 */
export async function cleanExits(times = 50): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-exits-'));
  const found = (await listDevices()).filter((listed) => listed.found?.description.kind === 'cpu');
  const ways = exits(folder);
  const broken: string[] = [];
  let done = 0;
  let slowest = { seconds: 0, name: '' };
  for (const { source } of found) {
    for (const exit of ways) {
      for (let i = 0; i < (exit.name === 'train' ? times : Math.ceil(times / 10)); i++) {
        const start = performance.now();
        const problem = await tryExit(exit, folder, source.name);
        const seconds = (performance.now() - start) / 1000;
        if (seconds > slowest.seconds) slowest = { seconds, name: exit.name };
        if (problem !== undefined) broken.push(problem);
        done++;
      }
      console.log(`${source.name}: ${exit.name}, ${broken.length} broken so far`);
    }
  }
  rmSync(folder, { recursive: true });
  return {
    promise:
      'every command ends by itself, with its exit code, at most one line of ours on stderr, and by no signal but a second one',
    counts: {
      processes: done,
      'ways to end': ways.length,
      'of them ordinary trainings': times * found.length,
      'slowest, from start to end': `${slowest.name}, ${slowest.seconds.toFixed(1)} s`,
    },
    adapter: found.map(({ found: adapter }) => adapter!.description.name).join(' and '),
    broken,
  };
}
