import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../../engine/errors.js';
import { makeFolders } from '../../engine/folders.js';
import { isTemporary, reason, writeFileAtomic } from '../atomicWrite.js';
import { isRecord } from '../data/json.js';
import { readable } from '../data/readable.js';

/** A line of metrics.jsonl. */
export type Metrics = Readonly<Record<string, number | string>>;

/**
 * Everything a run leaves behind:
 *
 *     config.json           the resolved configuration, with versions, seed and adapter
 *     metrics.jsonl         a line per step, and per validation
 *     checkpoints/          step-000100.safetensors, beside it the optimiser's moments; index.json names latest and best
 *     samples.jsonl         what the decoder writes at each validation
 *     sample.txt            what it writes at the end
 *     memory.json           bytes on the device, by kind, and of this process
 *     report.html           all of this for a browser: curves, samples, memory, configuration
 */
export class RunFolder {
  private constructor(readonly path: string) {}

  /**
   * Make a new run folder.
   *
   * @throws FileError when it holds a run already, or cannot be written
   */
  static create(path: string): RunFolder {
    if (existsSync(join(path, 'config.json')) || existsSync(join(path, 'checkpoints'))) {
      throw new FileError(
        `${path}: holds a run already; go on with --resume ${path}, name another folder with --out, or remove this one`,
      );
    }
    try {
      makeFolders(join(path, 'checkpoints'));
    } catch (error) {
      throw new FileError(`${path}: cannot be made a run folder: ${reason(error)}; name another with --out`);
    }
    return new RunFolder(path);
  }

  /**
   * The folder of a run that was interrupted. What killed writes left behind is removed.
   *
   * @throws FileError when it holds no run
   */
  static open(path: string): RunFolder {
    if (!existsSync(join(path, 'config.json'))) {
      throw new FileError(`${path}: holds no run: there is no config.json. Give the folder that train printed`);
    }
    try {
      makeFolders(join(path, 'checkpoints'));
      for (const folder of [path, join(path, 'checkpoints')]) sweep(folder);
    } catch (error) {
      throw new FileError(`${path}: cannot be gone on with: ${reason(error)}`);
    }
    return new RunFolder(path);
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }

  writeConfig(config: object): void {
    writeFileAtomic(join(this.path, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  log(metrics: Metrics): void {
    append(this.#metrics, metrics);
  }

  /** A line of samples.jsonl. The hex is what was written; the text beside it, for a reader, has U+FFFD for bytes that are none. */
  logSample(step: number, prompt: Uint8Array, made: Uint8Array): void {
    const show = (bytes: Uint8Array) => ({
      hex: Buffer.from(bytes).toString('hex'),
      text: new TextDecoder().decode(bytes),
    });
    append(this.#samples, { step, prompt: show(prompt), made: show(made) });
  }

  writeMemory(bytes: Readonly<Record<string, number>>): void {
    writeFileAtomic(join(this.path, 'memory.json'), `${JSON.stringify(bytes, null, 2)}\n`);
  }

  /** Flush metrics and samples to the disk: done before a checkpoint, so that a checkpoint never lacks the lines before it. */
  flush(): void {
    for (const path of [this.#metrics, this.#samples]) if (existsSync(path)) flushFile(path);
  }

  /**
   * Cut the metrics and samples back to a checkpoint: lines of later steps go, and with them a line that a killed process left half
   * written.
   *
   * @returns the lines that stay
   */
  rewind(step: number): { readonly metrics: readonly Metrics[]; readonly samples: readonly Metrics[] } {
    return { metrics: rewindLines(this.#metrics, step), samples: rewindLines(this.#samples, step) };
  }

  writeSample(text: string | Uint8Array): void {
    writeFileAtomic(join(this.path, 'sample.txt'), text);
  }

  get #metrics(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get #samples(): string {
    return join(this.path, 'samples.jsonl');
  }
}

function append(path: string, line: object): void {
  try {
    appendFileSync(path, `${JSON.stringify(line)}\n`);
  } catch (error) {
    throw new FileError(`${path}: could not be written: ${reason(error)}`, { cause: error });
  }
}

function flushFile(path: string): void {
  try {
    const file = openSync(path, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new FileError(`${path}: could not be written: ${reason(error)}`, { cause: error });
  }
}

/** Cut a file of lines off behind the last one of `step`; gives what stays. */
function rewindLines(path: string, step: number): Metrics[] {
  if (!existsSync(path)) return [];
  const size = readable(path);
  const bytes = readFileSync(path);
  const lines: Metrics[] = [];
  let at = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
    const line = metricsOf(bytes.toString('utf8', at, end));
    if (line === undefined || !(Number(line.step) <= step)) break;
    lines.push(line);
    at = end + 1;
  }
  if (at < size) truncateSync(path, at);
  return lines;
}

function metricsOf(text: string): Metrics | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? (value as Metrics) : undefined;
  } catch {
    return undefined;
  }
}

/** Remove temporary files of processes that are no more, and moments whose weights were never written. */
function sweep(folder: string): void {
  const names = new Set(readdirSync(folder));
  for (const name of names) {
    const pid = isTemporary(name) ? Number(/\.(\d+)\.tmp$/.exec(name)![1]) : undefined;
    const weights = /^step-\d+\.optimiser\.safetensors$/.test(name) ? name.replace('.optimiser', '') : undefined;
    const left = pid === undefined ? weights !== undefined && !names.has(weights) : !isRunning(pid);
    if (left) unlinkSync(join(folder, name));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `runs/2026-11-23T18-04-11-tiny-zero` */
export function defaultRunPath(size: string, door: string, now = new Date()): string {
  return join('runs', `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-${size}-${door}`);
}
