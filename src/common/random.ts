/**
 * Random numbers by counter: every number is a pure function of (seed, stream, counter), so that a resumed run, a
 * different order of work or another platform gives the same numbers. There is no generator state to save.
 *
 * The generator is Philox-4x32-10: ten rounds of multiplying and mixing turn a 128-bit counter and a 64-bit key into 128 random bits.
 * Salmon, Moraes, Dror, Shaw 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11; constants from its Random123 library.
 *
 *     key      seed, low 32 bits | seed, high bits
 *     counter  counter, low 32 bits | counter, high bits | stream | try
 *
 * One stream is for one purpose: `uniform` and `integer` with equal arguments use the same bits.
 */
import { InputError } from './errors.js';

/** A sequence: a whole number below 2³², or a name. */
export type Stream = number | string;

const TWO_32 = 2 ** 32;

/** High 32 bits of the 64-bit product of two 32-bit numbers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // below 2³²
  const carry = aLow * bHigh + (middle & 0xffff); // below 2³²
  return aHigh * bHigh + (middle >>> 16) + (carry >>> 16);
}

/**
 * One Philox-4x32-10 block.
 *
 * @param counter, key 4 and 2 words of 32 bits
 * @param out receives 4 words
 */
export function philox(
  counter: ArrayLike<number>,
  key: ArrayLike<number>,
  out: Uint32Array = new Uint32Array(4),
): Uint32Array {
  let c0 = counter[0]!;
  let c1 = counter[1]!;
  let c2 = counter[2]!;
  let c3 = counter[3]!;
  let k0 = key[0]!;
  let k1 = key[1]!;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0; // Weyl sequence: the golden ratio,
    k1 = (k1 + 0xbb67ae85) >>> 0; // and √3 - 1
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

/** FNV-1a over the UTF-16 code units of a name, so that streams can have names such as `blocks.0.mlp.up.weight`. */
function streamNumber(stream: Stream): number {
  if (typeof stream === 'string') {
    let hash = 0x811c9dc5;
    for (let i = 0; i < stream.length; i++) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
    return hash >>> 0;
  }
  return whole('stream', stream, TWO_32);
}

function whole(name: string, value: number, end = Number.MAX_SAFE_INTEGER + 1): number {
  if (Number.isInteger(value) && value >= 0 && value < end) return value;
  throw new InputError(`random: ${name} must be a whole number from 0 to ${end - 1}; got ${value}`);
}

/** A function from counter (and try) to a block of four words, reused from call to call. */
function blocks(seed: number, stream: Stream): (counter: number, attempt?: number) => Uint32Array {
  whole('seed', seed);
  const key = [seed >>> 0, Math.floor(seed / TWO_32)];
  const at = [0, 0, streamNumber(stream), 0];
  const out = new Uint32Array(4);
  return (counter, attempt = 0) => {
    at[0] = counter >>> 0;
    at[1] = Math.floor(counter / TWO_32);
    at[3] = attempt;
    return philox(at, key, out);
  };
}

/** Two words as a float64 in [0, 1) with 53 random bits. */
function fraction(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

/** A number in [0, 1), all 53 bits of its mantissa random. */
export function uniform(seed: number, stream: Stream, counter: number): number {
  const block = blocks(seed, stream)(whole('counter', counter));
  return fraction(block[0]!, block[1]!);
}

/**
 * Standard normals, two per block: element i of the stream is number i mod 2 of block floor(i / 2).
 * Box and Muller 1958. `Math.log`, `sin` and `cos` are V8's own ports of fdlibm, the same on every platform that Node runs on.
 */
function writeNormals(seed: number, stream: Stream, first: number, out: Float32Array | Float64Array): void {
  const block = blocks(seed, stream);
  let radius = 0;
  let angle = 0;
  for (let i = 0; i < out.length; i++) {
    const at = first + i;
    if (i === 0 || at % 2 === 0) {
      const word = block(Math.floor(at / 2));
      radius = Math.sqrt(-2 * Math.log(1 - fraction(word[0]!, word[1]!))); // 1 - u is in (0, 1]: a finite logarithm
      angle = 2 * Math.PI * fraction(word[2]!, word[3]!);
    }
    out[i] = radius * (at % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  }
}

/** Element `counter` of a stream of standard normals, in float64. */
export function normal(seed: number, stream: Stream, counter: number): number {
  const out = new Float64Array(1);
  writeNormals(seed, stream, whole('counter', counter), out);
  return out[0]!;
}

/** The first n standard normals of a stream: element i is `normal(seed, stream, i)` as float32. */
export function normals(seed: number, stream: Stream, n: number): Float32Array {
  const out = new Float32Array(whole('n', n));
  writeNormals(seed, stream, 0, out);
  return out;
}

/**
 * A whole number in 0 .. below-1, each equally likely: words in the uneven rest of 2³² are rejected.
 *
 *     integer(7, 'shuffle', 0, 6) + 1   // a die
 *
 * @param below 1 to 2³²
 */
export function integer(seed: number, stream: Stream, counter: number, below: number): number {
  whole('counter', counter);
  return drawBelow(blocks(seed, stream), counter, below);
}

function drawBelow(block: ReturnType<typeof blocks>, counter: number, below: number): number {
  if (!Number.isInteger(below) || below < 1 || below > TWO_32) {
    throw new InputError(`random: below must be a whole number from 1 to 2³²; got ${below}`);
  }
  const even = TWO_32 - (TWO_32 % below);
  for (let attempt = 0; ; attempt++) {
    const word = block(counter, attempt).find((candidate) => candidate < even);
    if (word !== undefined) return word % below;
  }
}

/** n whole numbers in 0 .. below-1: element i is `integer(seed, stream, i, below)`. */
export function integers(seed: number, stream: Stream, n: number, below: number): Uint32Array {
  const block = blocks(seed, stream);
  return Uint32Array.from({ length: whole('n', n) }, (_, i) => drawBelow(block, i, below));
}

/** 0 .. n-1 in random order, each order equally likely (Fisher and Yates). */
export function permutation(seed: number, stream: Stream, n: number): Uint32Array {
  const block = blocks(seed, stream);
  const order = Uint32Array.from({ length: whole('n', n) }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = drawBelow(block, i, i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
