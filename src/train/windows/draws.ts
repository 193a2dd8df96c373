/** The streams of random numbers, one per use, so that no two uses share numbers. */
const streams = { text: 1, audio: 2, video: 3, mix: 4, made: 5 };

/**
 * Random draws for one thing: a counter goes in, a number comes out, and nothing is kept between things. The same seed, use,
 * step and index give the same draws, whatever was drawn before.
 */
export interface Draws {
  /** uniform in [0, 1), 32 bits */
  next(): number;
  /** 0 .. below-1, each equally likely (to 1 in 2^53 / below) */
  integer(below: number): number;
  pick<T>(from: readonly T[]): T;
}

/** Draws for window `index` of a step. */
export function drawsAt(seed: number, use: keyof typeof streams, step: number, index: number): Draws {
  let counter = 0;
  let block: Uint32Array | undefined;
  const bits = () => {
    if (counter % 4 === 0) block = philox([counter / 4, index, step, streams[use]], [seed, Math.floor(seed / 2 ** 32)]);
    return block![counter++ % 4]!;
  };
  const integer = (below: number) => Math.floor(((bits() * 2 ** 21 + (bits() >>> 11)) / 2 ** 53) * below);
  return { next: () => bits() / 2 ** 32, integer, pick: (from) => from[integer(from.length)]! };
}

/** Philox-4x32-10. Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". */
function philox(counter: readonly number[], key: readonly number[]): Uint32Array {
  const x = Uint32Array.from(counter);
  const k = Uint32Array.from(key);
  for (let round = 0; round < 10; round++) {
    const a = BigInt(x[0]!) * 0xd2511f53n;
    const b = BigInt(x[2]!) * 0xcd9e8d57n;
    x.set([
      Number(b >> 32n) ^ x[1]! ^ k[0]!,
      Number(b & 0xffffffffn),
      Number(a >> 32n) ^ x[3]! ^ k[1]!,
      Number(a & 0xffffffffn),
    ]);
    k[0]! += 0x9e3779b9;
    k[1]! += 0xbb67ae85;
  }
  return x;
}
