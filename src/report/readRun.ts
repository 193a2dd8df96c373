import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { FileError } from '../common/errors.js';
import { isRecord } from '../common/json.js';
import { readJsonFile, WRITTEN } from '../common/jsonFile.js';
import { readJsonLines } from '../common/jsonl.js';

/** One curve: `y[i]` at step `x[i]`. */
export interface Curve {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The decoder's output after a held-out prompt, at a step. */
export interface Sample {
  readonly step: number;
  readonly prompt: string;
  readonly made: string;
}

/** The content of a run folder for a report. */
export interface RunRecord {
  readonly name: string;
  /** config.json */
  readonly config: Readonly<Record<string, unknown>>;
  /** curves by the names of metrics.jsonl: `bits_per_byte`, `text_bpb`, `learning_rate`, … */
  readonly curves: ReadonlyMap<string, Curve>;
  /** bits per byte of the training batches by kind of window, `text` or `audio`: each step has one kind */
  readonly training: ReadonlyMap<string, Curve>;
  /** memory.json */
  readonly memory: Readonly<Record<string, unknown>>;
  readonly samples: readonly Sample[];
  /** lines of metrics.jsonl and samples.jsonl that could not be read: a killed run may leave half a line */
  readonly leftOut: number;
}

/**
 * Read a run folder. A truncated line is skipped and counted.
 *
 * @throws FileError when the folder holds no run, or its configuration is not JSON
 */
export function readRun(path: string): RunRecord {
  const config = readConfig(path);
  let leftOut = 0;
  const lines = function* (name: string): Generator<Record<string, unknown>> {
    if (!existsSync(join(path, name))) return;
    for (const { value } of readJsonLines(join(path, name))) {
      if (isRecord(value) && typeof value.step === 'number') yield value;
      else leftOut++;
    }
  };
  const curves: Curves = new Map();
  const training: Curves = new Map();
  for (const { step, ...row } of lines('metrics.jsonl')) {
    for (const [name, value] of Object.entries(row)) addPoint(curves, name, step, value);
    if (typeof row.kind === 'string') addPoint(training, row.kind, step, row.bits_per_byte);
  }
  // A resumed run may have written a step's sample again: the last one counts.
  const samples = new Map<number, Sample>();
  for (const { step, prompt, made } of lines('samples.jsonl')) {
    samples.set(step as number, { step: step as number, prompt: textOf(prompt), made: textOf(made) });
  }
  const memory = existsSync(join(path, 'memory.json')) ? readObject(join(path, 'memory.json')) : {};
  return { name: basename(resolve(path)), config, curves, training, memory, samples: [...samples.values()], leftOut };
}

type Curves = Map<string, { x: number[]; y: number[] }>;

function addPoint(curves: Curves, name: string, step: unknown, value: unknown): void {
  if (typeof value !== 'number') return;
  const curve = curves.get(name) ?? { x: [], y: [] };
  curves.set(name, curve);
  curve.x.push(step as number);
  curve.y.push(value);
}

function readConfig(path: string): Record<string, unknown> {
  const file = join(path, 'config.json');
  if (!existsSync(file)) {
    throw new FileError(`${path}: holds no run (no config.json); give a folder that \`byte-to-loss train\` wrote`);
  }
  return readObject(file);
}

function readObject(file: string): Record<string, unknown> {
  const value = readJsonFile(file, WRITTEN);
  if (isRecord(value)) return value;
  throw new FileError(`${file}: is not a JSON object, as byte-to-loss writes it`);
}

function textOf(part: unknown): string {
  return isRecord(part) && typeof part.text === 'string' ? part.text : '';
}
