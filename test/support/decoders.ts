import { integers } from '../../src/common/random.js';
import { type DecoderConfig, SIZES } from '../../src/model/config.js';
import type { Batch, BatchSize } from '../../src/model/forward.js';

/** The decoder of most tests. */
export const TINY: DecoderConfig = { door: 'zero', ...SIZES.tiny };

/** Random bytes for a batch, with EOS as the last target of each window, and one weight of 0 and one of a half. */
export function randomBatch({ B, L, T }: BatchSize, seed = 1): Batch {
  const targets = integers(seed, 'targets', B * T, 256);
  const weights = new Float32Array(B * T).fill(1);
  for (let b = 0; b < B; b++) targets[b * T + T - 1] = 257;
  if (T > 2) weights.set([0, 0.5], 1);
  return { prefix: integers(seed, 'prefix', B * L, 256), targets, weights };
}
