/**
 * Every channel is the float32 nearest its exact value: exhaustive over bytes, pairs of bytes, and (angle, momentum)
 * pairs.
 */
import { describe, expect, it } from 'vitest';
import { bitOf, fourierPairs, gray } from '../../src/substrate/channels.js';
import { encode } from '../../src/substrate/codec.js';
import { embed, embedIds } from '../../src/substrate/embed.js';
import {
  type Enclosure,
  exactly,
  nearestFloat32,
  nearestInteger,
  ratio,
  rootNumber,
  scaledCosineEnclosure,
} from '../../src/substrate/exact.js';
import {
  everyByte,
  everyPair,
  exactAngle,
  exactChannels,
  exactCosine,
  exactFourierPairs,
  exactRatio,
  exactValueTable,
  firstDifference,
} from '../../src/substrate/proof.js';
import {
  contextTable,
  FIRST_BYTE,
  packedTable,
  scaledCosine,
  scaledSineBits,
  valueTable,
  WAVE_BITS,
  waveTable,
} from '../../src/substrate/table.js';

const bits = (value: number) => new Uint32Array(new Float32Array([value]).buffer)[0]!;

describe('the judge', () => {
  it('rounds what a head can check', () => {
    expect(nearestFloat32(ratio(1n, 3n))).toBe(11184811 / 2 ** 25); // 1/3 = 0.0101…01|0101… in binary: rounded up
    expect(nearestFloat32(ratio(2n ** 24n + 1n, 1n))).toBe(2 ** 24); // a tie goes to the even mantissa,
    expect(nearestFloat32(ratio(2n ** 24n + 3n, 1n))).toBe(2 ** 24 + 4); // downwards and upwards
    expect(nearestFloat32(ratio(2n ** 25n - 1n, 1n))).toBe(2 ** 25); // the mantissa overflows into the exponent
    expect(nearestFloat32(exactly(-0.1))).toBe(Math.fround(-0.1));
  });

  it('refuses to round what it cannot tell', () => {
    const tie = 2n ** 24n + 1n;
    const wide: Enclosure = { low: (tie << 192n) - 1n, high: (tie << 192n) + 1n };
    expect(() => nearestFloat32(wide)).toThrow('undecided');
  });

  it('knows √½ and the circle by their own equations', () => {
    const { low, high } = rootNumber(0n, 1n);
    expect(high - low).toBe(1n);
    expect(low * low * 2n < 1n << 384n && high * high * 2n > 1n << 384n).toBe(true);
    for (let i = 0; i < 256; i++) {
      // cos² + sin² = 1 holds within the two enclosures, which are a few thousand units of 2⁻¹⁹² wide.
      const [c, s] = [scaledCosineEnclosure(i, 512), scaledCosineEnclosure(i - 64, 512)];
      const off = c.low * c.low + s.low * s.low - (1n << 384n);
      expect((off < 0n ? -off : off) < 1n << 208n).toBe(true);
      expect(c.high - c.low < 1n << 14n).toBe(true);
    }
    // cos(2π·32/256) is √½, which the series and the square root reach on different ways.
    const eighth = scaledCosineEnclosure(32, 512);
    expect(eighth.low <= high && eighth.high >= low).toBe(true);
  });

  it('multiplies in ℤ[√½] to the same Fourier integers', () => {
    for (let v = 0; v < 256; v++) {
      expect(fourierPairs(v).map(([a, b]) => [BigInt(a), BigInt(b)])).toEqual(exactFourierPairs(v));
    }
  });
});

describe('the tables', () => {
  it('are 4,608 bytes, each the integer that it represents', () => {
    const codes = packedTable();
    expect(codes.byteLength).toBe(4608);
    for (let v = 0; v < 256; v++) {
      const row = [...codes.subarray(18 * v, 18 * v + 18)];
      expect(row.slice(0, 8)).toEqual(Array.from({ length: 8 }, (_, i) => bitOf(gray(v), i)));
      const pairs = row.slice(8, 16).map((code) => [BigInt((code & 15) - 4), BigInt(((code >> 4) & 7) - 2)]);
      expect(pairs).toEqual(exactFourierPairs(v));
      // The bit for -0 is where Im X[2] is zero, and nowhere else.
      expect(row.slice(8, 16).map((code) => code >> 7)).toEqual(
        exactFourierPairs(v).map(([a, b], i) => Number(i === 6 && a === 0n && b === 0n)),
      );
      expect(row.slice(16)).toEqual([v, (v + 192) % 256]);
    }
  });

  it('decode to the float32 nearest the exact value', () => {
    const [got, want] = [valueTable(), exactValueTable()];
    expect(got.length).toBe(256 * 18);
    for (let at = 0; at < want.length; at++) expect(bits(got[at]!)).toBe(bits(want[at]!));
  });

  it('hold every boundary numerator', () => {
    const table = contextTable();
    expect(table.length).toBe(44);
    for (let n = 0; n < 28; n++) expect(bits(table[n]!)).toBe(bits(exactRatio(n, 18)));
    for (let n = 0; n < 16; n++) expect(bits(table[FIRST_BYTE + n]!)).toBe(bits(exactRatio(n, 10)));
  });

  it('hold the wave as the nearest integers', () => {
    const table = waveTable();
    expect(table.length).toBe(130);
    for (let j = 0; j <= 64; j++) {
      const integer = (BigInt(table[2 * j]!) << 22n) + BigInt(table[2 * j + 1]!);
      expect(integer).toBe(nearestInteger(scaledCosineEnclosure(64 - j, 512), BigInt(WAVE_BITS)));
    }
  });

  it('give every angle times every momentum its nearest float32, in float64 and in 32-bit integers', () => {
    const wave = waveTable();
    let wrong = 0;
    for (let m = 256; m <= 512; m++) {
      for (let i = 0; i < 256; i++) {
        const exact = bits(exactCosine(i, m));
        if (bits(scaledCosine(i, m)) !== exact) wrong++;
        const fromTop = i <= 128 ? i : 256 - i;
        const j = Math.abs(64 - fromTop);
        const sign = fromTop > 64 ? 2 ** 31 : 0;
        if (scaledSineBits(wave[2 * j]!, wave[2 * j + 1]!, m) + sign !== exact) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  it('give every byte its nearest angle', () => {
    const { phase } = embed(Uint8Array.from(everyByte()));
    for (let v = 0; v < 256; v++) expect(bits(phase[v]!)).toBe(bits(exactAngle(v)));
  });
});

describe('the paths', () => {
  const variants = [
    { includeBits: false, momentumPhase: false },
    { includeBits: true, momentumPhase: true },
  ];

  it.each(variants)('embed gives every byte alone and every pair its exact channels: %o', (options) => {
    for (const [ids, rowLength] of [
      [everyByte(), 1],
      [everyPair(), 2],
    ] as const) {
      const got = embedIds(ids, { ...options, rowLength }).features;
      expect(firstDifference(got, exactChannels(ids, rowLength, options), ids, options.includeBits)).toBeUndefined();
    }
  });

  it('embed gives every third byte its exact boundary, for any two bytes before it', () => {
    // The boundary reaches two bytes back through d2xor: the low four bits of both, and the upper five of the byte
    // itself.
    const rows = Array.from({ length: 16 * 16 * 32 }, (_, n) => [n & 15, (n >> 4) & 15, (n >> 8) << 3]).flat();
    const got = embedIds(rows, { rowLength: 3 }).features;
    expect(firstDifference(got, exactChannels(rows, 3), rows)).toBeUndefined();
  });

  it('the codec gives every pair the same bits, differences and boundary', () => {
    const ids = everyPair();
    const want = embedIds(ids, { rowLength: 2, includeBits: true }).features;
    const got = new Float32Array(want); // Fourier and phase are not in a frame
    for (let row = 0; row < ids.length; row += 2) {
      const frame = encode(Uint8Array.from(ids.subarray(row, row + 2)));
      for (let t = 0; t < 2; t++) {
        const at = (row + t) * 35;
        got.set(frame.bits.subarray(8 * t, 8 * t + 8), at);
        got.set(frame.delta.subarray(8 * t, 8 * t + 8), at + 8);
        got.set(frame.delta2.subarray(8 * t, 8 * t + 8), at + 16);
        got[at + 24] = frame.boundary[t]!;
      }
    }
    expect(firstDifference(got, want, ids, true)).toBeUndefined();
  });
});
