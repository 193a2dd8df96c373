import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { reason, writeFileAtomic } from '../../common/atomicWrite.js';
import { FileError } from '../../common/errors.js';
import { isRecord } from '../../common/json.js';
import { readJsonFile, WRITTEN } from '../../common/jsonFile.js';
import {
  type Checkpoint,
  type CheckpointInfo,
  optimiserPath,
  readCheckpoint,
  readMoments,
  writeCheckpoint,
} from '../checkpoint.js';
import type { Measures } from '../measures.js';
import type { Moments } from '../trainer.js';
import { decoderConfigOf, kindsOf, resolveTrainOptions, windowSizeOf } from './options.js';

const NAME = /^step-(\d{6,15})\.safetensors$/;
const MOMENTS = /^step-\d+\.optimiser\.safetensors$/;
const INDEX = 'index.json';

/** A checkpoint with its moments: the state from which a run resumes. */
export interface SavedState {
  readonly checkpoint: Checkpoint;
  readonly moments: Moments;
}

/**
 * The checkpoints of a run: `step-000100.safetensors`, its optimiser file, and `index.json`, which names the latest and
 * the best. The newest few and the best are kept; an older pair is removed only after a newer one is safely on the
 * disk.
 */
export class Checkpoints {
  readonly #bits = new Map<number, number>();

  /**
   * @param keep number of newest checkpoints to keep; 0 keeps all
   * @param report is called for skipped damaged files
   */
  constructor(
    readonly folder: string,
    private readonly keep: number,
    private readonly report: (line: string) => void = () => {},
  ) {}

  /** `step-000100.safetensors` in this folder */
  path(step: number): string {
    return join(this.folder, `step-${String(step).padStart(6, '0')}.safetensors`);
  }

  /** Write a pair, point `latest` at it, and remove old ones. @throws FileError when it could not be written */
  save(checkpoint: Checkpoint, moments: Moments): string {
    const path = this.path(checkpoint.step);
    writeCheckpoint(path, checkpoint, moments);
    this.#tidy(checkpoint.step);
    return path;
  }

  /** Record the result of a validation after `step` updates: the checkpoint with the fewest bits is the best. */
  judge(step: number, measures: Measures): void {
    this.recall(step, measures);
    const latest = stepsIn(this.folder).findLast((saved) => saved <= step);
    if (latest !== undefined && this.#bits.has(step) && existsSync(this.path(step))) this.#tidy(latest);
  }

  /** Like `judge`, for a validation of an earlier process: writes nothing. */
  recall(step: number, measures: Measures): void {
    const bits = bitsOf(measures);
    if (bits !== undefined) this.#bits.set(step, bits);
  }

  /**
   * Recall the best checkpoint from index.json: metrics.jsonl may be damaged or missing, and the best must not be removed
   * for that.
   *
   * @param latest step of the checkpoint to resume from: a later best cannot be read
   */
  recallBest(latest: number): void {
    const { best, bits } = bestOf(this.folder) ?? {};
    const step = Number(NAME.exec(best ?? '')?.[1]);
    if (step <= latest && !this.#bits.has(step) && typeof bits === 'number') this.#bits.set(step, bits);
  }

  /**
   * Remove checkpoints beyond `keep` before anything is written: the disk may be full.
   *
   * @param latest step of the checkpoint to resume from, which stays; later ones, which cannot be read, stay too
   * @throws FileError when one could not be removed
   */
  prune(latest: number): void {
    const steps = stepsIn(this.folder);
    const best = this.#best(steps);
    const older = steps.filter((step) => step <= latest);
    const dropped = this.keep === 0 ? [] : older.slice(0, -this.keep).filter((step) => step !== best);
    // Weights first: moments without weights do not count as a checkpoint.
    for (const step of dropped) for (const path of [this.path(step), optimiserPath(this.path(step))]) remove(path);
  }

  /**
   * The newest readable pair of this run; undefined if there is no checkpoint yet. Others are reported and skipped.
   *
   * @throws FileError when there are or were checkpoints and none can be used, or the run's config.json cannot
   */
  newest(): SavedState | undefined {
    const run = this.#run();
    return this.#newest((path, step) => {
      const { parameters, ...info } = readCheckpoint(path);
      mustBeOf({ ...run, step }, info, path);
      const { m, v, ...momentsInfo } = readMoments(path);
      mustBeOf(info, momentsInfo, optimiserPath(path));
      return { checkpoint: { ...info, parameters }, moments: { m, v } };
    });
  }

  /** Like `newest`, but only for weights, with or without moments, and of any run. */
  newestWeights(): Checkpoint | undefined {
    return this.#newest((path, step) => {
      const checkpoint = readCheckpoint(path);
      mustBeOf({ ...checkpoint, step }, checkpoint, path);
      return checkpoint;
    });
  }

  /** The expected metadata of the run's checkpoints, by its config.json. */
  #run(): Omit<CheckpointInfo, 'step'> {
    const file = join(dirname(this.folder), 'config.json');
    const config = readJsonFile(file, WRITTEN);
    const options = resolveTrainOptions(isRecord(config) ? config.options : undefined, file);
    return { config: decoderConfigOf(options), seed: options.seed, ...windowSizeOf(kindsOf(options)[0]!, options) };
  }

  #newest<T>(read: (path: string, step: number) => T): T | undefined {
    const steps = stepsIn(this.folder).reverse();
    for (const [i, step] of steps.entries()) {
      try {
        return read(this.path(step), step);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        this.report(i < steps.length - 1 ? `${error.message}. The checkpoint before it is used` : error.message);
      }
    }
    // A new start would overwrite files that may be repairable, or moments whose weights may come back.
    if (lacksWeights(readdirSync(this.folder))) {
      throw new FileError(
        `${this.folder}: the weights of its checkpoints are missing. Bring step-….safetensors back, or remove this folder ` +
          'to start from the first step',
      );
    }
    if (steps.length === 0) return undefined;
    throw new FileError(
      `${this.folder}: no checkpoint in it can be used. Bring one back, or remove them to start from the first step`,
    );
  }

  #tidy(latest: number): void {
    const best = this.#best(stepsIn(this.folder));
    const name = (step: number) => basename(this.path(step));
    const index = {
      latest: name(latest),
      ...(best !== undefined && { best: name(best), best_bits_per_byte: this.#bits.get(best)! }),
    };
    writeFileAtomic(join(this.folder, INDEX), `${JSON.stringify(index, null, 2)}\n`);
    this.prune(latest);
  }

  /** The step among these with the fewest bits in its validation. */
  #best(steps: readonly number[]): number | undefined {
    return steps.filter((step) => this.#bits.has(step)).sort((a, b) => this.#bits.get(a)! - this.#bits.get(b)!)[0];
  }
}

/** A file copied from another run or renamed is intact but wrong. */
function mustBeOf(wanted: CheckpointInfo, found: CheckpointInfo, path: string): void {
  for (const key of ['step', 'seed', 'prefix', 'stream', 'config'] as const) {
    const [is, must] = [found[key], wanted[key]];
    if (isDeepStrictEqual(is, must)) continue;
    throw new FileError(`${path}: is of ${key} ${JSON.stringify(is)}, not ${JSON.stringify(must)}`);
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new FileError(`${path}: could not be removed: ${reason(error)}`, { cause: error });
  }
}

/**
 * Mean bits per byte over the kinds of window; undefined if one is not finite.
 * `bitsOf({ text_bpb: 2, video_bpb: 4, binding_gap: 1 }) // 3`
 */
function bitsOf(measures: Measures): number | undefined {
  const bits = Object.entries(measures).flatMap(([name, value]) => (name.endsWith('_bpb') ? [value] : []));
  // metrics.jsonl stores a non-finite number as null, which would add as 0.
  if (bits.length === 0 || !bits.every((value) => Number.isFinite(value))) return undefined;
  return bits.reduce((sum, b) => sum + b, 0) / bits.length;
}

/** Steps that have a checkpoint, in order. */
function stepsIn(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new FileError(`${folder}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Moments without weights, which a killed process leaves: it writes them before the weights, and removes them after. None
 * where `lacksWeights`.
 *
 * @param names all names in the folder of the checkpoints
 */
export function loneMoments(names: readonly string[]): string[] {
  if (lacksWeights(names)) return [];
  return names.filter((name) => MOMENTS.test(name) && !names.includes(name.replace('.optimiser', '')));
}

/**
 * Are all weights missing, though there were some? index.json is written after the first weights, and a process killed
 * before them leaves the moments of one step.
 */
function lacksWeights(names: readonly string[]): boolean {
  if (names.some((name) => NAME.test(name))) return false;
  return names.includes(INDEX) || names.filter((name) => MOMENTS.test(name)).length > 1;
}

/**
 * The weights file that a user means: a file, a run folder (its newest readable checkpoint), or `RUN/latest`, `RUN/best`.
 *
 * @param report hears of damaged checkpoints that are passed over
 * @throws FileError when a run folder has no such checkpoint
 */
export function chosenCheckpoint(path: string, report: (line: string) => void): string {
  if (isRun(path)) return newestIn(path, report);
  const [run, word] = [dirname(path), basename(path)];
  if (existsSync(path) || !isRun(run) || (word !== 'latest' && word !== 'best')) return path;
  return word === 'best' ? bestIn(run) : newestIn(run, report);
}

function isRun(path: string): boolean {
  return existsSync(join(path, 'checkpoints'));
}

function newestIn(run: string, report: (line: string) => void): string {
  const checkpoints = new Checkpoints(join(run, 'checkpoints'), 0, report);
  const newest = checkpoints.newestWeights();
  if (newest === undefined) throw new FileError(`${run}: has no checkpoint yet`);
  return checkpoints.path(newest.step);
}

function bestIn(run: string): string {
  const folder = join(run, 'checkpoints');
  const found = bestOf(folder);
  if (found !== undefined) return join(folder, found.best);
  throw new FileError(
    `${join(folder, INDEX)}: names no best checkpoint; take ${run}/latest, or train with --eval-every above 0`,
  );
}

/** The best checkpoint's file name and bits per byte by index.json; undefined if that is missing, damaged or has none. */
function bestOf(folder: string): { readonly best: string; readonly bits: unknown } | undefined {
  try {
    const value = readJsonFile(join(folder, INDEX));
    const { best, best_bits_per_byte: bits } = isRecord(value) ? value : {};
    // The name must be one of ours: nothing else in the file is a path.
    return typeof best === 'string' && NAME.test(best) ? { best, bits } : undefined;
  } catch {
    return undefined;
  }
}
