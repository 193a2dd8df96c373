import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT } from '../support/built.js';
import { HANGING } from '../support/limits.js';

const ROOT = join(import.meta.dirname, '../..');

/** The smallest decoder that has every part. */
export const TINY_DECODER = ['--dim', '32', '--layers', '1', '--heads', '2', '--K', '1'];
/** That decoder on the smallest windows: a step takes milliseconds. */
export const TINY_RUN = [
  ...TINY_DECODER,
  ...['--prefix', '8', '--stream', '8', '--batch', '2', '--warmup', '2', '--validation-windows', '2'],
];

/** The command line as a process of its own runs it; `before` is a module that is loaded first. */
export function commandLine(args: readonly string[], before?: string): string[] {
  const modules = before === undefined ? [] : ['--import', before];
  // A third of the CPU time of so short a process would go to optimizing its JavaScript.
  return [process.execPath, '--no-opt', ...modules, join(BUILT, 'cli.js'), ...args];
}

/** Start a process, the words of whose output are caught. */
export function startProcess([command, ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(command!, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}

/** Run the command line in a process of its own. */
export function start(args: readonly string[]): ChildProcess {
  return startProcess(commandLine(args));
}

/** A long run, in a process of its own, that has done some steps. */
export async function startTraining(path: string, ...more: readonly string[]): Promise<ChildProcess> {
  const flags = [...TINY_RUN, '--steps', '100000', '--save-every', '0', '--eval-every', '0', ...more];
  const child = start(['train', ...flags, '--out', path]);
  while (stepsDone(path) < 3) {
    if (child.exitCode !== null) throw new Error((await ended(child)).error);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return child;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}

/** Wait for a process to end; one that hangs is killed. */
export function ended(child: ChildProcess, milliseconds = HANGING / 2): Promise<Ended> {
  let out = '';
  let error = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    error += chunk;
  });
  return new Promise((resolve) => {
    const hung = setTimeout(() => {
      error += `\nstill running after ${milliseconds / 1000} s`;
      child.kill('SIGKILL');
    }, milliseconds);
    child.once('close', (code, signal) => {
      clearTimeout(hung);
      resolve({ code, signal, out, error });
    });
  });
}

/** Steps that a run folder has metrics of. */
export function stepsDone(run: string): number {
  const file = join(run, 'metrics.jsonl');
  return existsSync(file) ? readFileSync(file, 'latin1').split('"learning_rate"').length - 1 : 0;
}

/**
 * metrics.jsonl or samples.jsonl without times: what must be the same in two runs. A line that was not finished does
 * not count.
 */
export function metricsOf(run: string, name = 'metrics.jsonl'): string[] {
  const file = join(run, name);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const times = { milliseconds: undefined, bytes_per_second: undefined };
  return lines.map((line) => JSON.stringify({ ...JSON.parse(line), ...times }));
}

/** SHA-256 of every checkpoint file, by name. */
export function hashes(run: string): Map<string, string> {
  const folder = join(run, 'checkpoints');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^step-.*\.safetensors$/.test(name)) : [];
  return new Map(names.sort().map((name) => [name, hash(join(folder, name))]));
}

function hash(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
