import type { CollectedCell } from '../../src/experiment/collect.js';
import { readGrid } from '../../src/experiment/grid.js';
import type { Evidence } from '../../src/experiment/hypotheses.js';

/** Held-out windows of each run. */
const WINDOWS = 40;
const noise = (...at: number[]) => Math.sin(at.reduce((sum, value, i) => sum + value * (12.9898 + 65.2 * i), 1)) * 0.02;

/** Finished cells of a grid: each arm at its value, seeds and windows a little off. `null` is a run that was not finite. */
export function cellsOf(
  name: string,
  values: Record<string, number | null>,
  seeds: number,
  measure = 'text_bpb',
  steps = 1000,
): CollectedCell[] {
  const arms = Object.keys(values).map((arm) => (arm === 'zero:value' ? { door: 'zero', channels: ['value'] } : arm));
  const upTo = Array.from({ length: seeds }, (_, seed) => seed);
  const { cells } = readGrid({ name, arms, seeds: upTo, steps }, name);
  return cells.map((cell, index): CollectedCell => {
    const value = values[cell.arm]!;
    const weights = Array.from({ length: WINDOWS }, () => 128);
    const sums = weights.map(
      (weight, w) => weight * ((value ?? 0) + 0.3 * noise(w, 7) + noise(index, cell.seed) + noise(w, index)),
    );
    const result = {
      ...{ arm: cell.arm, K: 4, seed: cell.seed, steps, lr: 0.002, parameters: { all: 9, door: 0 } },
      measures: value === null ? {} : { [measure]: value },
      scores: value === null ? {} : { [measure]: { sums, weights } },
      ...(value === null && { non_finite: 'step 3: matmul is not finite' }),
      ...{ weights_sha256: 'a'.repeat(64), data_sha256: [], commit: 'b'.repeat(40), flops: 1e12, bytes_per_second: 1 },
      ...{
        training_milliseconds: 1,
        seconds: 1,
        peak_memory_bytes: 1,
        left_out: 0,
        left_out_reasons: [],
        adapter: 'CPU device',
      },
    };
    return {
      cell,
      state: 'finished',
      result,
      curve: [steps / 2, steps].map((step) => ({ step, measures: result.measures })),
    };
  });
}

/** Text bits per byte of each door, such that every hypothesis holds. */
export const DOORS = {
  zero: 2.5,
  projected: 2.5,
  bytes: 2.9,
  'bytes-untied': 2.8,
  permuted: 2.5,
  random: 2.5,
  'bytes+previous': 2.51,
  'zero:value': 2.65,
};
const BINDING = { zero: 0.6, projected: 0.6, bytes: 0.3, 'bytes-untied': 0.4 };
const LONG = { zero: 2.2, 'bytes-untied': 2.21 };

/** Evidence in which every hypothesis holds, but for doors of other values, or other cells of some grids. */
export const evidence = (
  doors: Record<string, number | null> = DOORS,
  more: [string, CollectedCell[]][] = [],
): Evidence =>
  new Map([
    ['doors', cellsOf('doors', doors, 6)],
    ['binding', cellsOf('binding', BINDING, 5, 'retrieval', 600)],
    ['long', cellsOf('long', LONG, 4, 'text_bpb', 4000)],
    ...more,
  ]);
