import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../common/errors.js';
import { readJsonFile } from '../common/jsonFile.js';
import { checked, issuesOf } from '../train/issues.js';
import type { Measures } from '../train/measures.js';
import { RunFolder } from '../train/run/folder.js';
import { type CellResult, cellFolder } from './cell.js';
import type { Cell, Grid } from './grid.js';
import { type Interval, intervalOf, pairedDifference } from './intervals.js';
import { readMetrics, type ValidationLine } from './metrics.js';

/** A cell as its folder shows it. */
export interface CollectedCell {
  readonly cell: Cell;
  readonly state: 'finished' | 'running' | 'broken off' | 'not begun';
  readonly result?: CellResult;
  /** its validations, in order */
  readonly curve: readonly ValidationLine[];
}

/** An arm over the seeds of one K and budget. */
export interface ArmSummary {
  readonly arm: string;
  readonly door: string;
  readonly channels?: readonly string[];
  readonly parameters: { readonly all: number; readonly door: number };
  readonly measures: Readonly<Record<string, Interval>>;
  /** paired differences of its measures to the zero arm's; absent for that arm itself, and where there is none */
  readonly toZero?: Readonly<Record<string, Interval>>;
  readonly bytesPerSecond: Interval;
  /** the largest of its runs */
  readonly peakMemory: number;
  /** each measure by seed */
  readonly bySeed: Readonly<Record<string, ReadonlyMap<number, number>>>;
}

/** What is compared with each other: runs of one K and one budget. */
export interface Group {
  readonly K: number;
  readonly steps: number;
  /** held-out windows of each kind that were scored, at most */
  readonly windows: number;
  readonly arms: readonly ArmSummary[];
}

/** Read what is there of a grid. @throws FileError when a finished cell's result cannot be read */
export function collect(grid: Grid, out: string): CollectedCell[] {
  return grid.cells.map((cell) => {
    const folder = cellFolder(out, cell);
    const curve = readMetrics(folder).validations;
    const path = join(folder, 'result.json');
    if (existsSync(path)) return { cell, state: 'finished', result: readResult(path), curve };
    if (RunFolder.holder(folder) !== undefined) return { cell, state: 'running', curve };
    return { cell, state: existsSync(folder) ? 'broken off' : 'not begun', curve };
  });
}

const resultSchema = z.object({
  arm: z.string(),
  K: z.number(),
  seed: z.number(),
  steps: z.number(),
  // What was not finite stands there as null, and is not there.
  measures: z
    .record(z.string(), z.number().nullable())
    .transform((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as Measures),
  parameters: z.object({ all: z.number(), door: z.number() }),
  weights_sha256: z.string(),
  bytes_per_second: z.number(),
  training_milliseconds: z.number(),
  seconds: z.number(),
  peak_memory_bytes: z.number(),
  left_out: z.number(),
  left_out_reasons: z.array(z.string()).exactOptional(),
  order0_entropy: z.number().exactOptional(),
  adapter: z.string(),
});

function readResult(path: string): CellResult {
  const mend = 'remove it, and the cell is run again';
  let value: unknown;
  try {
    value = readJsonFile(path);
  } catch (error) {
    throw new FileError(`${(error as Error).message}; ${mend}`);
  }
  const result = checked(resultSchema, value);
  if (!result.success) throw new FileError(`${path}: is no result of a cell; ${mend}: ${issuesOf(result.error, '')}`);
  return result.data;
}

/** Means, intervals and paired differences, of finished cells, by K and budget. */
export function summarise(grid: Grid, cells: readonly CollectedCell[]): Group[] {
  const finished = cells.flatMap(({ result }) => (result ? [result] : []));
  const keys = new Set(grid.cells.map(({ K, steps }) => `${K} ${steps}`));
  return [...keys].flatMap((key) => {
    const [K, steps] = key.split(' ').map(Number) as [number, number];
    const of = (name: string) => finished.filter((r) => r.arm === name && r.K === K && r.steps === steps);
    const zero = bySeed(of('zero'));
    const arms = grid.arms.flatMap(({ name, door, channels }): ArmSummary[] => {
      const results = of(name);
      if (results.length === 0) return [];
      const seeds = bySeed(results);
      return [
        {
          arm: name,
          door,
          ...(channels && { channels }),
          parameters: results[0]!.parameters,
          measures: mapValues(seeds, (values) => intervalOf([...values.values()])),
          ...(name !== 'zero' &&
            Object.keys(zero).length > 0 && {
              toZero: mapValues(seeds, (values, measure) => pairedDifference(values, zero[measure] ?? new Map())),
            }),
          bytesPerSecond: intervalOf(results.map((result) => result.bytes_per_second)),
          peakMemory: Math.max(...results.map((result) => result.peak_memory_bytes)),
          bySeed: seeds,
        },
      ];
    });
    const windows = grid.cells.find((cell) => cell.K === K && cell.steps === steps)!.options.validationWindows;
    return arms.length > 0 ? [{ K, steps, windows, arms }] : [];
  });
}

/** Each measure by seed. */
function bySeed(results: readonly CellResult[]): Record<string, Map<number, number>> {
  const seeds: Record<string, Map<number, number>> = {};
  for (const { seed, measures } of results) {
    for (const [name, value] of Object.entries(measures)) {
      seeds[name] ??= new Map();
      seeds[name].set(seed, value);
    }
  }
  return seeds;
}

function mapValues<A, B>(of: Readonly<Record<string, A>>, to: (value: A, key: string) => B | undefined) {
  const entries = Object.entries(of).map(([key, value]) => [key, to(value, key)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<string, B>;
}
