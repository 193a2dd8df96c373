import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONTROL_KINDS,
  type ControlKind,
  columnStatistics,
  controlOrder,
  controlTable,
} from '../../src/substrate/controls.js';
import { embed } from '../../src/substrate/embed.js';
import { selectChannels } from '../../src/substrate/groups.js';
import { valueTable } from '../../src/substrate/table.js';

const seed = fc.nat({ max: 2 ** 31 });
const rows = (table: Float32Array) => Array.from({ length: 256 }, (_, v) => table.slice(18 * v, 18 * v + 18).join());

describe('control tables', () => {
  it('hsl is the value table', () => {
    expect(controlTable('hsl', 5)).toEqual(valueTable());
  });

  it("random keeps HSL's mean and population standard deviation per column, all rows distinct", () => {
    const hsl = valueTable();
    fc.assert(
      fc.property(seed, (chosen) => {
        const table = controlTable('random', chosen);
        expect(new Set(rows(table)).size).toBe(256);
        for (let column = 0; column < 18; column++) {
          const [have, want] = [columnStatistics(table, column), columnStatistics(hsl, column)];
          // Entries below 16 are off by at most 2⁻²¹ after their rounding, and so are the mean and the deviation.
          expect(Math.abs(have.mean - want.mean)).toBeLessThan(2 ** -21);
          expect(Math.abs(have.deviation - want.deviation)).toBeLessThan(2 ** -21);
        }
      }),
      { numRuns: 20 },
    );
    // By hand: dxor0 is set in half of the bytes, so mean and deviation are 1/2; with 255 the deviation would be more.
    expect(columnStatistics(hsl, 0)).toEqual({ mean: 0.5, deviation: 0.5 });
  });

  it("permuted has HSL's rows in another order", () => {
    const hsl = rows(valueTable());
    fc.assert(
      fc.property(seed, (chosen) => {
        const order = controlOrder(chosen);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, v) => v));
        expect(rows(controlTable('permuted', chosen))).toEqual([...order].map((v) => hsl[v]));
        expect([...order].filter((v, at) => v === at).length).toBeLessThan(20); // not left where it was
      }),
      { numRuns: 20 },
    );
  });

  it('learned starts normal with deviation 0.02', () => {
    const table = controlTable('learned', 3);
    expect(table.length).toBe(4608);
    const deviation = Math.sqrt(table.reduce((sum, value) => sum + value * value, 0) / 4608);
    expect(Math.abs(deviation - 0.02)).toBeLessThan(0.001); // five standard errors of 0.02/√9216
  });

  it('repeat for a seed and differ between seeds', () => {
    for (const kind of ['learned', 'random', 'permuted'] as const) {
      expect(controlTable(kind, 4)).toEqual(controlTable(kind, 4));
      expect(controlTable(kind, 4)).not.toEqual(controlTable(kind, 5));
    }
  });

  it('change the value columns only, and scale their phase by momentum in one rounding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.constantFrom(...CONTROL_KINDS), (bytes, kind) => {
        const table = controlTable(kind, 9);
        const [hsl, other] = [embed(bytes), embed(bytes, { table })];
        expect(selectChannels(other.features, 27, 'context')).toEqual(selectChannels(hsl.features, 27, 'context'));
        const value = selectChannels(other.features, 27, 'value');
        bytes.forEach((v, t) => {
          expect(value.subarray(18 * t, 18 * t + 18)).toEqual(table.subarray(18 * v, 18 * v + 18));
        });
        const scaled = embed(bytes, { table, momentumPhase: true }).features;
        bytes.forEach((v, t) => {
          const r = 0.5 + Math.abs(v - (bytes[t - 1] ?? 0)) / 512;
          expect(scaled[27 * t + 25]).toBe(Math.fround(table[18 * v + 16]! * r)); // 24 bits by 9: exact before fround
        });
      }),
    );
  });

  it('refuse an unknown kind and a fractional seed', () => {
    expect(() => controlTable('hls' as ControlKind)).toThrow(
      'unknown kind hls; kinds are hsl, learned, random, permuted',
    );
    expect(() => controlTable('random', 0.5)).toThrow('seed must be a whole number');
    expect(() => controlTable('permuted', -1)).toThrow('got -1');
  });
});
