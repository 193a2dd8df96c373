/**
 * The exact channels, computed only from their definitions and `exact.ts`, and the first difference of an
 * implementation from them. It shares no table, no integer and no shortcut with the implementations that it checks;
 * tests and the command `verify` use it.
 */
import { channelCount, channelNames } from './channels.js';
import { nearestFloat32, piTimes, ratio, rootNumber, scaledCosineEnclosure } from './exact.js';

type Options = { readonly includeBits?: boolean; readonly momentumPhase?: boolean };

/** Cache a function of two small whole numbers. */
function remember(compute: (a: number, b: number) => number): (a: number, b: number) => number {
  const known = new Map<number, number>();
  return (a, b) => {
    const key = a * 65536 + b;
    let value = known.get(key);
    if (value === undefined) {
      value = compute(a, b);
      known.set(key, value);
    }
    return value;
  };
}

/** Float32 nearest to cos(2πi/256)·m/512. */
export const exactCosine = remember((i, m) => nearestFloat32(scaledCosineEnclosure(i, m)));
/** Float32 nearest to n/d. */
export const exactRatio = remember((n, d) => nearestFloat32(ratio(BigInt(n), BigInt(d))));
/** Float32 nearest to 2πv/256. */
export const exactAngle = (v: number) => nearestFloat32(piTimes(BigInt(v), 128n));

/** A complex number whose parts are (a + b√2)/2, which holds every power of e^(-2πi/8). */
type Root = readonly [reA: bigint, reB: bigint, imA: bigint, imB: bigint];

/** The eight powers of e^(-2πi/8) = √½ - √½·i = (√2 - √2·i)/2, by exact multiplication. */
const POWERS: readonly Root[] = (() => {
  const powers: Root[] = [[2n, 0n, 0n, 0n]];
  for (let n = 1; n < 8; n++) {
    const [a, b, c, d] = powers[n - 1]!;
    // (a + b√2 + (c + d√2)i)·(√2 - √2 i)/4 = ((2b + 2d) + (a + c)√2 + ((2d - 2b) + (c - a)√2) i)/4
    powers.push([b + d, (a + c) / 2n, d - b, (c - a) / 2n]);
  }
  return powers;
})();

/** Re X[0..4] and Im X[1..3] of a byte as BigInt pairs, each meaning a + b·√½. */
export function exactFourierPairs(v: number): [bigint, bigint][] {
  const part = (k: number, imaginary: 0 | 2): [bigint, bigint] => {
    let [a, b] = [0n, 0n];
    for (let n = 0; n < 8; n++) {
      if (Math.floor(v / 2 ** (7 - n)) % 2 === 0) continue;
      const power = POWERS[(k * n) % 8]!;
      a += power[imaginary];
      b += power[imaginary + 1]!;
    }
    return [a / 2n, b]; // (a + b√2)/2 = a/2 + b·√½, and a is even
  };
  return [part(0, 0), part(1, 0), part(2, 0), part(3, 0), part(4, 0), part(1, 2), part(2, 2), part(3, 2)];
}

const fourier = Array.from({ length: 256 }, (_, v) =>
  exactFourierPairs(v).map(([a, b], i) => {
    const value = nearestFloat32(rootNumber(a, b));
    // Both zeros are equally near; Im X[2] has the negative one, as in the published table.
    return value === 0 && i === 6 ? -0 : value;
  }),
);

/**
 * The channels of rows of ids from the definitions: every column the float32 nearest to its exact value. Slow; read it
 * together with the channel table in README.md.
 *
 * @param ids [rows, rowLength]; ids above 255 are not bytes
 * @returns [rows · rowLength, 27 or 35]
 */
export function exactChannels(ids: ArrayLike<number>, rowLength: number, options: Options = {}): Float32Array {
  const channels = channelCount(options.includeBits);
  const out = new Float32Array(ids.length * channels);
  // The bit sequence and its differences; bit i of row t is at position 8t + i.
  const [bit, delta, delta2] = [0, 1, 2].map(() => new Uint8Array(8 * ids.length)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  let start = 0; // start of the current run
  for (let t = 0; t < ids.length; t++) {
    if (t % rowLength === 0) start = t;
    const v = ids[t]!;
    if (v > 255) {
      start = t + 1;
      continue;
    }
    for (let i = 0, at = 8 * t; i < 8; i++, at++) {
      bit[at] = Math.floor(v / 2 ** (7 - i)) % 2;
      delta[at] = i === 0 ? bit[at]! : Number(bit[at] !== bit[at - 1]);
      delta2[at] = t === start ? delta[at]! : Number(delta[at] !== delta[at - 8]);
    }
    let twice = 0; // 2·Σdelta + Σdelta2 over the window, clipped at a run's start
    const first = Math.max(8 * start, 8 * t - 4);
    for (let at = first; at < 8 * t + 5; at++) twice += 2 * delta[at]! + delta2[at]!;
    const previous = t > start ? ids[t - 1]! : 0;
    const m = options.momentumPhase ? 256 + Math.abs(v - previous) : 512;

    let to = t * channels;
    const put = (values: ArrayLike<number>) => {
      out.set(values, to);
      to += values.length;
    };
    const eight = (sequence: Uint8Array) => sequence.subarray(8 * t, 8 * t + 8);
    if (options.includeBits) put(eight(bit));
    put(eight(delta));
    put(eight(delta2));
    put([exactRatio(twice, 2 * (8 * t + 5 - first))]);
    put(fourier[v]!);
    put([exactCosine(v, m), exactCosine((v + 192) % 256, m)]); // sin x = cos(x - a quarter turn)
  }
  return out;
}

/** The exact 256 × 18 value table. */
export function exactValueTable(): Float32Array {
  const rows = exactChannels(
    Array.from({ length: 256 }, (_, v) => v),
    1,
  );
  return rows.filter((_, at) => at % 27 < 8 || at % 27 > 16);
}

/**
 * Message about the first difference in a bit between two feature arrays; undefined if they are identical. A zero and a
 * negative zero differ.
 */
export function firstDifference(
  got: Float32Array,
  want: Float32Array,
  ids: ArrayLike<number>,
  includeBits = false,
): string | undefined {
  if (got.length !== want.length) return `${got.length} numbers in place of ${want.length}`;
  const [gotBits, wantBits] = [bitsOf(got), bitsOf(want)];
  const channels = channelCount(includeBits);
  for (let at = 0; at < got.length; at++) {
    if (gotBits[at] === wantBits[at]) continue;
    const t = Math.floor(at / channels);
    const show = (value: number | undefined) => (Object.is(value, -0) ? '-0' : `${value}`);
    return `${channelNames(includeBits)[at % channels]} of id ${ids[t]} at row ${t} is ${show(got[at])}, exact is ${show(want[at])}`;
  }
  return undefined;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Every byte on its own: 256 rows of one. */
export function everyByte(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, v) => v);
}

/** Every (previous, current) pair: 65,536 rows of two. */
export function everyPair(): Uint32Array {
  return Uint32Array.from({ length: 2 * 65536 }, (_, at) => (at % 2 === 0 ? at >> 9 : (at >> 1) & 255));
}
