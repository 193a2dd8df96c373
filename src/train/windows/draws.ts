import { philox } from '../../common/random.js';

/**
 * Purposes of random numbers, so that no two share any. They use the counter word of `random.ts` for its tries, which
 * stay far below 256.
 */
const uses = { text: 256, audio: 257, video: 258, mix: 259, sound: 260, scene: 261, heldOut: 262 };

/**
 * Random draws for one thing, such as a window: they are a function of a counter, and no state is kept between things.
 * The same seed, use, step and index give the same draws, independent of earlier draws.
 */
export interface Draws {
  /** uniform in [0, 1), 53 bits */
  next(): number;
  /** 0 .. below-1; equally likely except for one part in 2^53 / below */
  integer(below: number): number;
  pick<T>(from: readonly T[]): T;
}

/** Draws for window `index` of a step: blocks 0, 1, … of Philox at (block, index, step, use) under the seed. */
export function rngAt(seed: number, use: keyof typeof uses, step: number, index: number): Draws {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  let block = 0;
  let words: Uint32Array | undefined; // two draws a block
  const next = () => {
    const second = words;
    if (second) words = undefined;
    else words = philox([block++, index, step, uses[use]], key);
    const [high, low] = second ? second.subarray(2) : words!;
    return ((high! >>> 5) * 2 ** 26 + (low! >>> 6)) / 2 ** 53;
  };
  const integer = (below: number) => Math.floor(next() * below);
  return { next, integer, pick: (from) => from[integer(from.length)]! };
}
