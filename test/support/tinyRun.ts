import { openData } from '../../src/train/run/data.js';
import { resolveTrainOptions, type TrainInput, type TrainOptions } from '../../src/train/run/options.js';
import type { RunData } from '../../src/train/run/train.js';

/** The smallest decoder that has every part, on the smallest windows: a step takes milliseconds. */
export const TINY_OPTIONS: TrainInput = {
  dim: 32,
  layers: 1,
  heads: 2,
  K: 1,
  prefix: 8,
  stream: 8,
  batch: 2,
  warmup: 2,
  validationWindows: 2,
};

/** Options and data of a run of that decoder. Its samples are short: each byte takes as long as a step. */
export function tinyRun(more: TrainInput = {}): { options: TrainOptions; data: RunData } {
  const options = resolveTrainOptions({ ...TINY_OPTIONS, ...more }, 'test');
  return { options, data: { ...openData(options), sampleBytes: { validation: 12, end: 24 } } };
}
