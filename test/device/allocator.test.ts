import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allocator, type Range } from '../../src/device/allocator.js';

describe('Allocator', () => {
  it('takes the lowest place where a range fits', () => {
    const ranges = new Allocator(0);
    ranges.grow(1024);
    const [a, b] = [ranges.take(300), ranges.take(1)];
    expect([a, b]).toEqual([
      { start: 0, size: 512 },
      { start: 512, size: 256 },
    ]);
    expect(ranges.take(600)).toBeUndefined();
    ranges.give(a!);
    expect(ranges.take(256)).toEqual({ start: 0, size: 256 });
  });

  it('joins neighbours that are free', () => {
    const ranges = new Allocator(256);
    ranges.grow(1024);
    const taken = [1, 2, 3].map(() => ranges.take(256)!);
    for (const i of [0, 2, 1]) ranges.give(taken[i]!);
    expect(ranges.take(768)).toEqual({ start: 256, size: 768 });
  });

  it('tells by how much to grow', () => {
    const ranges = new Allocator(0);
    ranges.grow(1024);
    ranges.take(512);
    expect(ranges.missing(700)).toBe(256);
    ranges.grow(1280);
    expect(ranges.take(700)).toEqual({ start: 512, size: 768 });
    expect(ranges.missing(1)).toBe(256);
  });

  it('never gives the same byte twice, and has all of them in the end', () => {
    const steps = fc.array(fc.oneof(fc.record({ take: fc.nat(5000) }), fc.record({ give: fc.nat(50) })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const ranges = new Allocator(0);
        ranges.grow(32768);
        const taken: Range[] = [];
        for (const step of list) {
          if ('take' in step) {
            const range = ranges.take(step.take);
            if (range === undefined) continue;
            expect(range.size).toBeGreaterThanOrEqual(step.take);
            for (const { start, size } of taken) {
              expect(range.start >= start + size || start >= range.start + range.size).toBe(true);
            }
            taken.push(range);
          } else if (taken.length > 0) {
            ranges.give(taken.splice(step.give % taken.length, 1)[0]!);
          }
          expect(ranges.free + taken.reduce((sum, { size }) => sum + size, 0)).toBe(32768);
        }
        for (const range of taken) ranges.give(range);
        expect(ranges.take(32768)).toEqual({ start: 0, size: 32768 });
      }),
    );
  });
});
