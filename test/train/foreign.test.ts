import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distractors, foreignOrder } from '../../src/train/foreign.js';

const digits = Array.from({ length: 250 }, (_, i) => `a voice says ${Math.floor(i / 25)}`);

describe('foreignOrder', () => {
  it('is a permutation that gives no window its own caption, wherever there is one', () => {
    const few = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(few, fc.nat({ max: 20 }), (captions, round) => {
        const order = foreignOrder(captions, round);
        const most = Math.max(...[...new Set(captions)].map((caption) => captions.filter((c) => c === caption).length));
        expect(order !== undefined).toBe(2 * most <= captions.length);
        if (order === undefined) return;
        expect([...order].sort((a, b) => a - b)).toEqual(captions.map((_, i) => i));
        for (const [i, from] of order.entries()) expect(captions[from]).not.toBe(captions[i]);
      }),
    );
  });

  it('is the same in every run, and another in another round', () => {
    expect(foreignOrder(digits, 0)).toEqual(foreignOrder(digits, 0));
    expect(foreignOrder(digits, 1)).not.toEqual(foreignOrder(digits, 0));
  });

  it('draws from all speakers and all other digits, where the next window of another caption has one digit', () => {
    const rounds = Array.from({ length: 5 }, (_, round) => foreignOrder(digits, round)!);
    for (let digit = 0; digit < 10; digit++) {
      const windows = digits.flatMap((caption, i) => (caption === `a voice says ${digit}` ? [i] : []));
      const given = windows.flatMap((i) => rounds.map((order) => order[i]!));
      expect(new Set(given.map((from) => digits[from])).size).toBe(9);
      // 125 draws out of 225 recordings: about 96 different ones.
      expect(new Set(given).size).toBeGreaterThan(70);
    }
  });
});

describe('distractors', () => {
  const captions = Array.from({ length: 30 }, (_, i) => `caption ${i}`);

  it('are different others, the same in every run, and others for another window', () => {
    const drawn = distractors(4, 'caption 7', captions, 9)!;
    expect(new Set(drawn).size).toBe(9);
    expect(drawn).not.toContain('caption 7');
    expect(distractors(4, 'caption 7', captions, 9)).toEqual(drawn);
    expect(distractors(5, 'caption 7', captions, 9)).not.toEqual(drawn);
    expect(distractors(4, 'caption 7', captions.slice(0, 9), 9)).toBeUndefined();
  });

  it('are each caption about equally often', () => {
    const counts = new Map<string, number>();
    for (let window = 0; window < 1000; window++) {
      for (const caption of distractors(window, 'caption 0', captions, 9)!)
        counts.set(caption, (counts.get(caption) ?? 0) + 1);
    }
    // 9000 draws over 29 captions: 310 each, of standard deviation 15.
    expect(Math.min(...counts.values())).toBeGreaterThan(250);
    expect(Math.max(...counts.values())).toBeLessThan(370);
  });
});
