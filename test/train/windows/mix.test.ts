import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/common/errors.js';
import { rngAt } from '../../../src/train/windows/draws.js';
import { assemble, mix, sampleBatch } from '../../../src/train/windows/mix.js';
import { picture, printable, showWindow, waveform, words } from '../../../src/train/windows/show.js';
import { canHoldOutWhole, evenly, isHeldOut } from '../../../src/train/windows/split.js';
import { textWindow } from '../../../src/train/windows/text.js';
import { EOS, MASK, type Window, type WindowKind, type WindowSource } from '../../../src/train/windows/window.js';

/** Windows whose ids tell their step and index. */
function source(kind: WindowKind, size = { prefix: 2, stream: 3 }): WindowSource {
  const sample = (_split: string, seed: number, step: number, index: number): Window => ({
    kind,
    prefix: new Uint32Array(size.prefix).fill(step),
    stream: new Uint32Array(size.stream).fill(index),
    weights: new Float32Array(size.stream).fill(0.5),
    info: { source: kind, at: seed, parts: { prefix: [], stream: [] } },
  });
  return {
    kind,
    name: kind,
    size,
    trainCount: 1,
    validationCount: 1,
    sample,
    validation: (i) => sample('', 0, 0, i),
    describe: () => kind,
  };
}

describe('mix', () => {
  const text = source('text');
  const audio = source('audio');

  it('draws one kind a step, by its share, from seed and step alone', () => {
    const made = mix([
      { source: text, share: 3 },
      { source: audio, share: 1 },
    ]);
    const kinds = Array.from({ length: 4000 }, (_, step) => made.at(1, step).kind);
    expect(kinds.filter((kind) => kind === 'audio').length / 4000).toBeCloseTo(0.25, 1);
    expect(Array.from({ length: 4000 }, (_, step) => made.at(1, step).kind)).toEqual(kinds);
    expect(Array.from({ length: 4000 }, (_, step) => made.at(2, step).kind)).not.toEqual(kinds);
    expect(made.describe()).toBe('75 % text\n25 % audio');
  });

  it('gives each of three kinds its share', () => {
    const made = mix([
      { source: text, share: 1 },
      { source: audio, share: 5 },
      { source: source('video'), share: 4 },
    ]);
    const kinds = Array.from({ length: 4000 }, (_, step) => made.at(0, step).kind);
    const shares = (['text', 'audio', 'video'] as const).map(
      (kind) => kinds.filter((each) => each === kind).length / 4000,
    );
    for (const [i, share] of [0.1, 0.5, 0.4].entries()) expect(Math.abs(shares[i]! - share)).toBeLessThan(0.03);
  });

  it('combines windows into a batch, and continues for gradient accumulation', () => {
    const made = mix([{ source: text, share: 1 }]);
    const whole = made.batch(0, 7, 4);
    expect([...whole.prefix]).toEqual([7, 7, 7, 7, 7, 7, 7, 7]);
    expect([...whole.targets]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    expect([...whole.weights]).toEqual(new Array(12).fill(0.5));
    const halves = [made.batch(0, 7, 2), made.batch(0, 7, 2, 2)];
    expect(halves.flatMap(({ targets }) => [...targets])).toEqual([...whole.targets]);
    expect(sampleBatch(text, 'train', 0, 7, 4)).toEqual(whole);
  });

  it('lists the sizes that a trainer needs programs for', () => {
    const long = source('video', { prefix: 9, stream: 3 });
    const made = mix([
      { source: text, share: 1 },
      { source: audio, share: 1 },
      { source: long, share: 1 },
    ]);
    expect(made.sizes).toEqual([
      { prefix: 2, stream: 3 },
      { prefix: 9, stream: 3 },
    ]);
  });

  it('refuses what cannot be mixed', () => {
    expect(() => mix([])).toThrow(InputError);
    for (const share of [0, -1, Number.NaN, Infinity])
      expect(() => mix([{ source: text, share }])).toThrow(`the share of text must be above 0; got ${share}`);
    expect(() => assemble([])).toThrow('there are no windows');
    const long = source('text', { prefix: 9, stream: 3 });
    expect(() => assemble([text.validation(0), long.validation(0)])).toThrow('window 1 is 9 + 3; the first is 2 + 3');
  });
});

describe('rngAt', () => {
  it('is even, and the same for the same seed, use, step and index only', () => {
    const draw = (...at: Parameters<typeof rngAt>) => rngAt(...at).next();
    expect(draw(1, 'text', 2, 3)).toBe(draw(1, 'text', 2, 3));
    const varied = [
      draw(1, 'text', 2, 3),
      draw(2, 'text', 2, 3),
      draw(2 ** 32 + 1, 'text', 2, 3),
      draw(1, 'audio', 2, 3),
      draw(1, 'text', 3, 3),
      draw(1, 'text', 2, 4),
    ];
    expect(new Set(varied).size).toBe(6);
    const draws = rngAt(1, 'text', 0, 0);
    const counts = new Array(6).fill(0);
    for (let i = 0; i < 6000; i++) counts[draws.integer(6)]++;
    // 1000 each with a standard deviation of 29
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    expect(['a', 'b']).toContain(draws.pick(['a', 'b']));
  });
});

describe('split', () => {
  it('holds every tenth out, evenly', () => {
    const out = (share: number) => Array.from({ length: 20 }, (_, i) => i).filter((i) => isHeldOut(i, share));
    expect(out(0.1)).toEqual([9, 19]);
    expect(out(0.25)).toEqual([3, 7, 11, 15, 19]);
    expect([canHoldOutWhole(9, 0.1), canHoldOutWhole(10, 0.1)]).toEqual([false, true]);
    expect([0, 1, 2].map((i) => evenly(i, 3, 30))).toEqual([5, 15, 25]);
  });
});

describe('show', () => {
  it('draws a picture', () => {
    expect(picture([0, 60, 120, 255])).toBe('│  ░░│\n│▒▒██│');
  });

  it('draws a waveform', () => {
    // columns: silence, full positive, full negative, both
    expect(waveform([0xff, 0xff, 0x80, 0x80, 0x00, 0x00, 0x80, 0x00], 4, 3)).toBe(' █ █\n█──█\n  ██');
  });

  it('lets no control character through', () => {
    expect(printable('a\u001b[31m\u202eb\u2028c d\u0000')).toBe('a·[31m·b·c d·');
    expect(words(Uint32Array.of(104, 105, 27, EOS, MASK, 0xff))).toBe('hi·�');
    expect(
      words(new Uint32Array(100).fill(97))
        .split('\n')
        .map((line) => line.length),
    ).toEqual([96, 4]);
  });

  it('shows a window part by part', () => {
    const document = { source: 'a\u001bfile', bytes: new TextEncoder().encode('hello'), closed: true };
    expect(showWindow(textWindow(document, 2, { prefix: 4, stream: 5 }))).toBe(
      'text window from a·file at 2\nprefix, 4 bytes\n  text 2..4\n    he\nstream, 5 ids, 4 of them predicted\n  text 0..3\n    llo\n  EOS at 3',
    );
  });
});
