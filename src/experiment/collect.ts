import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../common/errors.js';
import { ratioOf } from '../train/measures.js';
import { RunFolder } from '../train/run/folder.js';
import { cellFile, cellFolder } from './cell.js';
import { type Contrast, difference } from './contrast.js';
import type { Cell, Grid } from './grid.js';
import { type Interval, intervalOf } from './intervals.js';
import { readMetrics, type ValidationLine } from './metrics.js';
import { type CellResult, readResult } from './result.js';
import { runsOf } from './runs.js';

/** A cell, read from its folder. */
export interface CollectedCell {
  readonly cell: Cell;
  readonly state: 'finished' | 'running' | 'broken off' | 'not begun';
  readonly result?: CellResult;
  /** its validations, in order */
  readonly curve: readonly ValidationLine[];
}

/** An arm over the seeds of one K, budget and, if rates are tuned, learning rate. */
export interface ArmSummary {
  readonly arm: string;
  readonly door: string;
  readonly parameters: { readonly all: number; readonly door: number };
  /** operations of one run */
  readonly flops: number;
  readonly measures: Readonly<Record<string, Interval>>;
  /** its measures minus those of the zero arm, paired by seed and window; absent for that arm itself */
  readonly minusZero?: Readonly<Record<string, Contrast>>;
  /** runs that ended with a non-finite number; they count in the measures */
  readonly nonFinite: number;
  readonly bytesPerSecond: Interval;
  /** the maximum over its runs */
  readonly peakMemory: number;
}

/** Runs that are compared with each other: those of one K, one budget and, if rates are tuned, one learning rate. */
export interface Group {
  readonly K: number;
  readonly steps: number;
  readonly lr?: number;
  /** maximum number of scored held-out windows of each kind */
  readonly windows: number;
  readonly arms: readonly ArmSummary[];
}

/**
 * Read the finished cells of a grid.
 *
 * @param out the folder of its runs   @param results the folder that keeps finished cells
 * @throws FileError when a finished cell's result cannot be read, or two of them were trained on different data
 */
export function collect(grid: Grid, out: string, results?: string): CollectedCell[] {
  const cells = grid.cells.map((cell): CollectedCell => {
    const kept = results === undefined ? undefined : cellFile(results, cell);
    if (kept !== undefined && existsSync(kept)) {
      const { curve, ...result } = readResult(kept);
      return { cell, state: 'finished', result, curve: curve ?? [] };
    }
    const folder = cellFolder(out, cell);
    const curve = readMetrics(folder).validations;
    const path = join(folder, 'result.json');
    if (existsSync(path)) {
      const { curve: _, ...result } = readResult(path);
      return { cell, state: 'finished', result, curve };
    }
    if (RunFolder.holder(folder) !== undefined) return { cell, state: 'running', curve };
    return { cell, state: existsSync(folder) ? 'broken off' : 'not begun', curve };
  });
  checkData(cells);
  return cells;
}

/** @throws FileError unless each input had the same bytes in all finished cells */
function checkData(cells: readonly CollectedCell[]): void {
  const first = new Map<string, { readonly index: number; readonly sha256: string }>();
  for (const { cell, result } of cells) {
    for (const { name, sha256 } of result?.data_sha256 ?? []) {
      const before = first.get(name) ?? { index: cell.index, sha256 };
      first.set(name, before);
      if (before.sha256 === sha256) continue;
      throw new FileError(
        `${name}: cells ${before.index} and ${cell.index} were trained on different contents of it, and cannot be compared. ` +
          'Remove the results of one of them, and it is run again',
      );
    }
  }
}

/** Means, intervals and paired differences, of finished cells, by K, budget and tuned learning rate. */
export function summarise(grid: Grid, cells: readonly CollectedCell[]): Group[] {
  const groups = new Map<string, CollectedCell[]>();
  for (const each of cells) {
    const { K, steps, lr } = each.cell;
    const key = JSON.stringify([K, steps, ...(grid.tunesRate ? [lr] : [])]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) => {
    const { K, steps, lr, options } = group[0]!.cell;
    const arms = grid.arms.flatMap(({ name, door }) => summaryOf(name, door, group));
    const windows = Math.floor(options.validationWindows / (options.validationPart === 'all' ? 1 : 2));
    return arms.length > 0 ? [{ K, steps, ...(grid.tunesRate && { lr }), windows, arms }] : [];
  });
}

function summaryOf(arm: string, door: string, group: readonly CollectedCell[]): ArmSummary[] {
  const results = group.flatMap(({ cell, result }) => (result && cell.arm === arm ? [result] : []));
  if (results.length === 0) return [];
  const names = new Set(group.flatMap(({ result }) => Object.keys(result?.measures ?? {})));
  const measures: Record<string, Interval> = {};
  const minusZero: Record<string, Contrast> = {};
  for (const name of names) {
    const runs = runsOf(group, arm, name);
    // Windows are not kept for every measure; without them, a run that was not finite has no number.
    const values = runs.length > 0 ? runs.map(ratioOf) : results.flatMap(({ measures }) => measures[name] ?? []);
    if (values.length > 0) measures[name] = intervalOf(values);
    const found = arm === 'zero' ? undefined : difference(runs, runsOf(group, 'zero', name));
    if (found) minusZero[name] = found;
  }
  return [
    {
      arm,
      door,
      parameters: results[0]!.parameters,
      flops: results[0]!.flops,
      measures,
      ...(Object.keys(minusZero).length > 0 && { minusZero }),
      nonFinite: results.filter(({ non_finite }) => non_finite !== undefined).length,
      bytesPerSecond: intervalOf(results.map((result) => result.bytes_per_second)),
      peakMemory: Math.max(...results.map((result) => result.peak_memory_bytes)),
    },
  ];
}
