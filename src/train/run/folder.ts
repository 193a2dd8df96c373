import { appendFileSync, existsSync, readdirSync, rmdirSync, rmSync, truncateSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isTemporary, quietly, reason, writeFileAtomic } from '../../common/atomicWrite.js';
import { FileError } from '../../common/errors.js';
import { makeFolders } from '../../common/folders.js';
import { isRecord } from '../../common/json.js';
import { readJsonLines } from '../../common/jsonl.js';
import { readable } from '../../common/readable.js';
import { count } from '../windows/words.js';
import { loneMoments } from './checkpoints.js';
import { Lock } from './lock.js';

const LOCK = 'lock';
/** Written before the first step: `discard` removes them. */
const JSON_FILES = ['config.json', 'split.json', 'memory.json'] as const;
/** The other files of a run, outside of checkpoints/. */
const OTHERS = ['metrics.jsonl', 'samples.jsonl', 'sample.txt', 'report.html'];

/** A line of metrics.jsonl. */
export type Metrics = Readonly<Record<string, number | string>>;

/**
 * The folder of a run:
 *
 *     config.json           the resolved configuration, with versions, seed and adapter
 *     split.json            training and held-out data by kind of window: files, lines, or ranges of them
 *     metrics.jsonl         a line per step, and per validation
 *     checkpoints/          step-000100.safetensors, and the optimiser's moments; index.json names latest and best
 *     samples.jsonl         the decoder's output at each validation
 *     sample.txt            its output at the end
 *     memory.json           bytes on the device, by kind, and of this process
 *     report.html           all of this for a browser: curves, samples, memory, configuration
 *     lock/                 the process that trains the run, while it does
 *
 * A RunFolder holds the folder's lock, so that no two processes write into one folder, and must be released.
 */
export class RunFolder {
  private constructor(
    readonly path: string,
    private readonly lock: Lock,
    /** created by this process, so that `discard` may remove it */
    private readonly fresh = false,
  ) {}

  /**
   * Create a new run folder and take its lock.
   *
   * @throws FileError when it already holds a run or a file that a run would overwrite, another process uses it, or it
   * cannot be written
   */
  static create(path: string): RunFolder {
    return RunFolder.#create(path, !existsSync(path));
  }

  /** Like `create`, with a unique name in `runs/`, even if other processes create one in the same second. */
  static createNamed(size: string, door: string, now = new Date()): RunFolder {
    const name = defaultRunPath(size, door, now);
    makeFor(name, dirname(name));
    for (let n = 1; ; n++) {
      const path = n === 1 ? name : `${name}-${n}`;
      // Only one of several processes can create a folder.
      if (makeFor(path, path)) return RunFolder.#create(path, true);
    }
  }

  static #create(path: string, fresh: boolean): RunFolder {
    const isMade = makeFor(path, join(path, 'checkpoints'));
    const folder = new RunFolder(path, lockOf(path), fresh);
    const refuse = (what: string) => {
      folder.release();
      if (isMade) quietly(() => rmdirSync(folder.checkpoints));
      throw new FileError(`${path}: ${what}`);
    };
    if (existsSync(join(path, 'config.json')) || readdirSync(folder.checkpoints).length > 0) {
      refuse(
        `already holds a run; resume it with --resume ${path}, choose another folder with --out, or remove this one`,
      );
    }
    const taken = [...JSON_FILES, ...OTHERS].find((name) => existsSync(join(path, name)));
    if (taken !== undefined) {
      refuse(`holds a ${taken}, which a run would overwrite; choose another folder with --out, or move that file`);
    }
    return folder;
  }

  /**
   * The folder of an interrupted run, with its lock. Temporary files of killed writes are removed.
   *
   * @throws FileError when it holds no run, another process uses it, or it cannot be written
   */
  static open(path: string): RunFolder {
    if (!existsSync(join(path, 'config.json'))) {
      throw new FileError(`${path}: holds no run: there is no config.json. Give the folder that train printed`);
    }
    const lock = lockOf(path);
    try {
      makeFolders(join(path, 'checkpoints'));
      for (const folder of [path, join(path, 'checkpoints')]) sweep(folder);
    } catch (error) {
      lock.release();
      throw new FileError(`${path}: cannot be resumed: ${reason(error)}`);
    }
    return new RunFolder(path, lock);
  }

  /** The process that trains a run, as "host, process 123"; undefined if none does. */
  static holder(path: string): string | undefined {
    return Lock.holder(join(path, LOCK));
  }

  /**
   * Remove the files of a run that ended before its first step, so that its folder can be used again. An older folder
   * stays, and so does a run that has metrics or a checkpoint. Also releases the lock.
   */
  discard(): void {
    // Errors are ignored: the error that ended the run is the one to report, and a remaining folder is refused later.
    quietly(() => {
      this.check();
      if (existsSync(this.#metrics) || readdirSync(this.checkpoints).length > 0) return;
      for (const name of JSON_FILES) rmSync(join(this.path, name), { force: true });
      rmdirSync(this.checkpoints);
      this.release();
      if (this.fresh) rmdirSync(this.path); // fails where something else is in it
    });
    this.release();
  }

  /** Release the lock. A second call has no effect. */
  release(): void {
    this.lock.release();
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }

  /** @throws FileError when another process took the run over while this one slept: this one must not write any more */
  check(): void {
    this.lock.check();
  }

  writeJson(name: (typeof JSON_FILES)[number], value: object, indent = 2): void {
    this.check();
    writeFileAtomic(join(this.path, name), `${JSON.stringify(value, null, indent)}\n`);
  }

  log(metrics: Metrics): void {
    this.check();
    append(this.#metrics, `${JSON.stringify(metrics)}\n`);
  }

  /** A line of samples.jsonl. The hex is exact; the text, for a reader, has U+FFFD for bytes that are not UTF-8. */
  logSample(step: number, prompt: Uint8Array, made: Uint8Array): void {
    const show = (bytes: Uint8Array) => ({
      hex: Buffer.from(bytes).toString('hex'),
      text: new TextDecoder().decode(bytes),
    });
    this.check();
    append(this.#samples, `${JSON.stringify({ step, prompt: show(prompt), made: show(made) })}\n`);
  }

  /**
   * Flush metrics and samples to the disk: done before a checkpoint, so that a checkpoint never lacks the lines before
   * it.
   */
  flush(): void {
    this.check();
    for (const path of [this.#metrics, this.#samples]) if (existsSync(path)) append(path, '', true);
  }

  /**
   * Cut the metrics and samples back to a checkpoint: lines of later steps are removed, and so is a half-written line
   * of a killed process. Each line that stays is passed to the caller once, one at a time: a long run has millions.
   * Damaged lines between them stay in the file and are not passed on.
   *
   * @returns for each file with such damaged lines, a note that counts them
   */
  rewind(step: number, metrics: (line: Metrics) => void, samples: (line: Metrics) => void): string[] {
    this.check();
    const files = [[this.#metrics, metrics] as const, [this.#samples, samples] as const];
    return files.flatMap(([path, show]) => {
      const damaged = rewindLines(path, step, show);
      return damaged > 0 ? [`${path}: ${count(damaged, 'damaged line')} left out`] : [];
    });
  }

  writeSample(text: string | Uint8Array): void {
    this.check();
    writeFileAtomic(join(this.path, 'sample.txt'), text);
  }

  get #metrics(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get #samples(): string {
    return join(this.path, 'samples.jsonl');
  }
}

/** Append to a file. @param flush also flush the whole file to the disk */
function append(path: string, text: string, flush = false): void {
  try {
    appendFileSync(path, text, { flush });
  } catch (error) {
    throw new FileError(`${path}: could not be written: ${reason(error)}`, { cause: error });
  }
}

/**
 * Truncate a file of lines after the last readable one up to `step`, and pass on the readable lines that stay.
 *
 * @returns number of the other lines that stay: damaged ones, before a readable one
 */
function rewindLines(path: string, step: number, show: (line: Metrics) => void): number {
  if (!existsSync(path)) return 0;
  let shown = 0; // lines
  let last = 0; // number of the last of them
  let good = 0; // bytes up to its end
  for (const { line, value, end } of readJsonLines(path)) {
    // Half a line is the last. A line that is too long may be a hole of gigabytes, so nothing after it is read.
    if (end === undefined) break;
    if (!isRecord(value) || !(Number(value.step) <= step)) continue;
    show(value as Metrics);
    shown++;
    last = line;
    good = end;
  }
  if (good < readable(path)) truncateSync(path, good);
  return last - shown;
}

/** @throws FileError when another process holds it */
function lockOf(path: string): Lock {
  const lock = Lock.take(join(path, LOCK));
  if (lock instanceof Lock) return lock;
  throw new FileError(`${path}: is being run by ${lock}; nothing was done. Wait until it ends, or stop it`);
}

/** Remove temporary files, and moments without weights. No other process may be writing. */
function sweep(folder: string): void {
  const names = readdirSync(folder);
  for (const name of [...names.filter(isTemporary), ...loneMoments(names)]) unlinkSync(join(folder, name));
}

/** Create a folder for a run. @returns false if it exists   @throws FileError that names the run's own folder */
function makeFor(path: string, folder: string): boolean {
  try {
    return makeFolders(folder);
  } catch (error) {
    throw new FileError(`${path}: cannot become a run folder: ${reason(error)}; choose another with --out`);
  }
}

/** `runs/2026-11-23T18-04-11-tiny-zero` */
function defaultRunPath(size: string, door: string, now: Date): string {
  return join('runs', `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-${size}-${door}`);
}
