import { InputError } from '../../common/errors.js';
import { rngAt } from './draws.js';
import type { Split, Window, WindowKind, WindowSize, WindowSource } from './window.js';

/** A kind of window and its relative frequency in training. */
export interface Share {
  readonly source: WindowSource;
  readonly share: number;
}

/** A batch of windows, in the layout of the program. */
export interface Batch {
  readonly kind: WindowKind;
  readonly size: WindowSize;
  /** B, windows in the batch */
  readonly windows: number;
  /** [B, L] ids */
  readonly prefix: Uint32Array;
  /** [B, T] ids */
  readonly targets: Uint32Array;
  /** [B, T] */
  readonly weights: Float32Array;
}

/** Several sources as one: the source of a step is a function of seed and step. */
export interface Mix {
  readonly shares: readonly Share[];
  /** the different sizes, one for most mixes */
  readonly sizes: readonly WindowSize[];
  /** the source of a step: one kind per step, drawn from seed and step */
  at(seed: number, step: number): WindowSource;
  /**
   * windows `from .. from + windows - 1` of a step; a step of several batches (gradient accumulation) advances `from`
   */
  batch(seed: number, step: number, windows: number, from?: number): Batch;
  describe(): string;
}

/**
 * Mix sources by share. Sources may differ in size: a step is of one kind, so a trainer needs one program per entry of `sizes`.
 *
 * @throws InputError when there is none or a share is not positive
 */
export function mix(shares: readonly Share[]): Mix {
  if (shares.length === 0) throw new InputError('mix: there is nothing to mix; give at least one kind of window');
  const sizes: WindowSize[] = [];
  for (const { source, share } of shares) {
    if (!(share > 0 && share < Infinity))
      throw new InputError(`mix: the share of ${source.name} must be above 0; got ${share}`);
    const { prefix, stream } = source.size;
    if (!sizes.some((size) => size.prefix === prefix && size.stream === stream)) sizes.push({ prefix, stream });
  }
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  const at = (seed: number, step: number): WindowSource => {
    let left = rngAt(seed, 'mix', step, 0).next() * total;
    for (const { source, share } of shares) {
      if (left < share) return source;
      left -= share;
    }
    return shares.at(-1)!.source; // reached only through rounding
  };
  return {
    shares,
    sizes,
    at,
    batch(seed, step, windows, from = 0) {
      return sampleBatch(at(seed, step), 'train', seed, step, windows, from);
    },
    describe: () =>
      shares.length === 1
        ? shares[0]!.source.describe()
        : shares.map(({ source, share }) => `${((100 * share) / total).toFixed(0)} % ${source.describe()}`).join('\n'),
  };
}

/** Windows `from .. from + windows - 1` of a step, of one source. */
export function sampleBatch(
  source: WindowSource,
  split: Split,
  seed: number,
  step: number,
  windows: number,
  from = 0,
): Batch {
  return assemble(Array.from({ length: windows }, (_, i) => source.sample(split, seed, step, from + i)));
}

/** Combine windows of one kind and size into a batch. @throws InputError when there is none or they differ in size */
export function assemble(windows: readonly Window[]): Batch {
  const [first] = windows;
  if (!first) throw new InputError('batch: there are no windows to put together');
  const size = { prefix: first.prefix.length, stream: first.stream.length };
  const batch = {
    kind: first.kind,
    size,
    windows: windows.length,
    prefix: new Uint32Array(windows.length * size.prefix),
    targets: new Uint32Array(windows.length * size.stream),
    weights: new Float32Array(windows.length * size.stream),
  };
  for (const [b, { prefix, stream, weights }] of windows.entries()) {
    if (prefix.length !== size.prefix || stream.length !== size.stream) {
      throw new InputError(
        `batch: window ${b} is ${prefix.length} + ${stream.length}; the first is ${size.prefix} + ${size.stream}`,
      );
    }
    batch.prefix.set(prefix, b * size.prefix);
    batch.targets.set(stream, b * size.stream);
    batch.weights.set(weights, b * size.stream);
  }
  return batch;
}
