import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integer, integers, normal, normals, permutation, philox, uniform } from '../../src/common/random.js';

describe('philox', () => {
  // Known answers of Random123 (its file kat_vectors, philox4x32 with 10 rounds).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('of %o under %o is known', (counter, key, answer) => {
    expect([...philox(counter, key)]).toEqual(answer);
  });

  it('uses all of seed, stream and counter, high words included', () => {
    const at = (seed: number, stream: number | string, counter: number) => uniform(seed, stream, counter);
    const places: [number, number | string, number][] = [
      [0, 0, 0],
      [1, 0, 0],
      [2 ** 32, 0, 0],
      [0, 1, 0],
      [0, 'a', 0],
      [0, 'b', 0],
      [0, 0, 1],
      [0, 0, 2 ** 32],
    ];
    expect(new Set(places.map((place) => at(...place))).size).toBe(places.length);
    // The first block of seed 0, stream 0 is the first known answer: 53 bits of its first two words.
    expect(uniform(0, 0, 0)).toBe((Math.floor(0x6627e8d5 / 32) * 2 ** 26 + Math.floor(0xe169c58d / 64)) / 2 ** 53);
  });
});

describe('distributions', () => {
  it('uniform fills [0, 1) evenly', () => {
    const counts = new Float64Array(16);
    for (let i = 0; i < 16000; i++) counts[Math.floor(16 * uniform(1, 'u', i))]! += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(37.7); // 15 degrees of freedom, 0.1 %
  });

  it('normals have the moments of a normal, and each is its own element', () => {
    const n = 20001; // odd: the last block is used by half
    const values = normals(2, 'n', n);
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    for (const at of [0, 1, 2, 777, n - 1]) expect(values[at]).toBe(Math.fround(normal(2, 'n', at)));
    // Neighbours share a block but not a value: no correlation.
    const product = values.reduce((sum, value, at) => sum + value * (values[at ^ 1] ?? 0), 0) / n;
    expect(Math.abs(product)).toBeLessThan(6 / Math.sqrt(n));
  });

  it('integers have no bias even where 2³² does not divide', () => {
    // With below = 3·2³⁰ a plain remainder would give the first third twice as often as the others: 1/2, 1/4, 1/4.
    const below = 3 * 2 ** 30;
    const counts = [0, 0, 0];
    for (const value of integers(3, 'i', 30000, below)) counts[Math.floor(value / 2 ** 30)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10000)).toBeLessThan(4 * Math.sqrt(30000 * (2 / 9)));
    expect(integer(3, 'i', 12, below)).toBe(integers(3, 'i', 13, below)[12]);
    expect(new Set(integers(4, 'i', 200, 6))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    expect([...integers(4, 'i', 3, 1)]).toEqual([0, 0, 0]);
  });

  it('permutations hold everything once, and each order comes as often', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 50 }), (seed, n) => {
        const sorted = [...permutation(seed, 'p', n)].sort((a, b) => a - b);
        expect(sorted).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = permutation(seed, 'p', 3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(6000 * (5 / 36)));
  });

  it('refuse what is not a whole number', () => {
    expect(() => uniform(-1, 0, 0)).toThrow('random: seed must be a whole number');
    expect(() => uniform(0, 2 ** 32, 0)).toThrow(
      'random: stream must be a whole number from 0 to 4294967295; got 4294967296',
    );
    expect(() => uniform(0, 0, 0.5)).toThrow('random: counter must be a whole number');
    expect(() => normals(0, 0, -1)).toThrow('random: n must be a whole number');
    expect(() => integer(0, 0, 0, 0)).toThrow('random: below must be a whole number from 1 to 2³²; got 0');
  });
});
