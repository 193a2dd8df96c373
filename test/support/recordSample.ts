import type { OpSample } from '../../src/engine/registry.js';
import { type Recorded, recordSample as record } from '../../src/inspect/sample.js';

/** Seed of all random numbers in the tests; `SEED=8` in the environment draws others. */
export const SEED = Number(process.env.SEED ?? 7);

/** A sample recorded at one size, its numbers drawn from the seed of the tests. */
export function recordSample(sample: OpSample, n: number, views = false): Recorded {
  return record(sample, n, views, SEED);
}
