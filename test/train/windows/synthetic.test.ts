import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { muLawDecode } from '../../../src/train/data/mulaw.js';
import { rngAt } from '../../../src/train/windows/draws.js';
import { choose } from '../../../src/train/windows/synthetic.js';
import {
  renderScene,
  sceneCaption,
  sceneCombinations,
  syntheticScenes,
} from '../../../src/train/windows/syntheticScene.js';
import {
  renderSound,
  soundCombinations,
  syntheticSound,
  syntheticSounds,
} from '../../../src/train/windows/syntheticSound.js';
import { videoLayout } from '../../../src/train/windows/videoWindow.js';
import { EOS, MASK, type WindowSource } from '../../../src/train/windows/window.js';

const size = { prefix: 512, stream: 512 };
const soundCaptions = Array.from({ length: soundCombinations }, (_, c) => syntheticSound(c).caption);
const sceneCaptions = Array.from({ length: sceneCombinations }, (_, c) => sceneCaption(c));

describe('choose', () => {
  it('counts through the lists, the last one fastest', () => {
    const lists = [
      ['a', 'b'],
      [1, 2, 3],
    ] as const;
    expect([0, 1, 3, 5].map((i) => choose(i, lists).join(''))).toEqual(['a1', 'a2', 'b1', 'b3']);
  });
});

describe.each<[string, WindowSource, string[]]>([
  ['sounds', syntheticSounds(size), soundCaptions],
  ['scenes', syntheticScenes(size), sceneCaptions],
])('made %s', (_, source, captions) => {
  it('have a caption of their own for each of thousands of combinations', () => {
    // All differ and each is equally likely, so who only reads needs log2 of their number, 11 bits or more, per
    // caption.
    expect(new Set(captions).size).toBe(captions.length);
    expect(captions.length).toBeGreaterThanOrEqual(2048);
  });

  it('hold out half of the combinations, for every seed', () => {
    expect((captions.length - source.trainCount) / captions.length).toBeCloseTo(0.5, 1);
    const heldOut = new Set(source.split!.validation.map((c) => captions[Number(c)]));
    for (let i = 0; i < 2000; i++) {
      expect(heldOut.has(source.sample('validation', i % 3, i, 1).info.caption)).toBe(true);
    }
    for (let i = 0; i < 2000; i++) expect(heldOut.has(source.sample('train', i % 3, i, 1).info.caption)).toBe(false);
    for (let i = 0; i < source.validationCount; i++) expect(heldOut.has(source.validation(i).info.caption)).toBe(true);
  });

  it('report the held-out number, as their README does', () => {
    const [, all, heldOut] = / ([\d,]+) combinations, ([\d,]+) of them held out whole/.exec(source.describe())!;
    expect(all).toBe(captions.length.toLocaleString('en-US'));
    expect(heldOut).toBe(source.split!.validation.length.toLocaleString('en-US'));
    const readme = readFileSync('src/train/windows/README.md', 'utf8').replaceAll('\n', ' ');
    expect(readme).toContain(`${heldOut} of ${all} s`);
  });

  it('use every word of the held-out captions in training too', () => {
    const words = (split: 'train' | 'validation') =>
      new Set(
        Array.from({ length: 2000 }, (_, i) => source.sample(split, 0, i, 0).info.caption!).flatMap((caption) =>
          caption.split(/[ ,]+/),
        ),
      );
    const trained = words('train');
    for (const word of words('validation')) expect(trained).toContain(word);
  });

  it('are drawn by seed, step and index, vary within a combination, and are well formed', () => {
    const window = source.sample('train', 5, 6, 7);
    expect(source.sample('train', 5, 6, 7)).toEqual(window);
    expect(source.sample('train', 5, 6, 8)).not.toEqual(window);
    const byCombination = new Map<number, Set<string>>();
    for (let step = 0; step < 300; step++) {
      const { prefix, stream, weights, info } = source.sample('validation', 1, step, 0);
      const caption = [...new TextEncoder().encode(info.caption), EOS];
      expect([...stream].join().includes(caption.join())).toBe(true);
      expect([...stream].map((id) => (id === MASK ? 0 : 1))).toEqual([...weights]);
      byCombination.set(info.at, (byCombination.get(info.at) ?? new Set()).add(prefix.join()));
    }
    expect([...byCombination.values()].some((prefixes) => prefixes.size > 1)).toBe(true);
  });
});

describe('a made sound', () => {
  const render = (caption: string, draw = 0) => {
    const combination = soundCaptions.indexOf(caption);
    return renderSound(syntheticSound(combination), 2048, rngAt(1, 'sound', draw, 0));
  };
  const crossings = (x: Float32Array) =>
    x.reduce((sum, value, n) => sum + (n > 0 && value > 0 !== x[n - 1]! > 0 ? 1 : 0), 0);
  const power = (x: Float32Array) => x.reduce((sum, value) => sum + value * value, 0);

  it('has the pitch that its caption names', () => {
    // one event of 0.8 · 2048 samples, two crossings a cycle: 102, 205, 410, tuned within a tenth of an octave
    for (const [pitch, expected] of [
      ['low', 102],
      ['middle', 205],
      ['high', 410],
    ] as const) {
      expect(Math.abs(crossings(render(`a ${pitch} sine tone, steady and even, once`)) / expected - 1)).toBeLessThan(
        0.1,
      );
    }
  });

  it('rises and falls', () => {
    const halves = (x: Float32Array) => crossings(x.subarray(100, 900)) - crossings(x.subarray(900, 1700));
    expect(halves(render('a high sine tone, rising and even, once'))).toBeLessThan(-20);
    expect(halves(render('a high sine tone, falling and even, once'))).toBeGreaterThan(20);
    expect(halves(render('a sine chirp, up and even, once'))).toBeLessThan(-80);
  });

  it('swells and fades', () => {
    const ratio = (x: Float32Array) => power(x.subarray(0, 800)) / power(x.subarray(800));
    expect(ratio(render('a low saw tone, steady and swelling, once'))).toBeLessThan(0.5);
    expect(ratio(render('a low saw tone, steady and fading, once'))).toBeGreaterThan(2);
  });

  it('comes as often as its caption says', () => {
    for (const [words, expected] of [
      ['once', 1],
      ['twice', 2],
      ['three times', 3],
      ['four times', 4],
    ] as const) {
      const x = render(`a white hissing noise, even, ${words}`);
      let events = 0;
      let quiet = 99;
      for (const value of x) {
        if (value !== 0 && quiet > 40) events++;
        quiet = value === 0 ? quiet + 1 : 0;
      }
      expect(events).toBe(expected);
    }
  });

  it('has the colour of its noise', () => {
    const rate = (colour: string) => crossings(render(`a ${colour} hissing noise, even, once`));
    expect(rate('dark')).toBeLessThan(0.8 * rate('white'));
    expect(rate('bright')).toBeGreaterThan(1.2 * rate('white'));
  });

  it('needs room', () => {
    expect(() => syntheticSounds({ prefix: 512, stream: 40 })).toThrow(
      'a stream of 40 bytes is too small: captions take 60',
    );
    expect(() => syntheticSounds({ prefix: 64, stream: 128 })).toThrow(
      'a prefix of 64 bytes is too small: a sound needs at least 128',
    );
  });
});

describe('a made scene', () => {
  const layout = videoLayout(size);
  const render = (caption: string, draw = 0) =>
    renderScene(sceneCaptions.indexOf(caption), layout, rngAt(1, 'scene', draw, 0));
  const centre = (frame: Uint8Array) => {
    const lit = [...frame].flatMap((grey, pixel) => (grey > 100 ? [[pixel % 16, Math.floor(pixel / 16)]] : []));
    return [0, 1].map((axis) => lit.reduce((sum, at) => sum + at[axis]!, 0) / lit.length);
  };

  it('moves where its caption says, and stays whole', () => {
    for (let draw = 0; draw < 40; draw++) {
      for (const [words, x, y] of [
        ['slowly left', -1, 0],
        ['quickly up right', 3, -3],
        ['slowly down', 0, 1],
      ] as const) {
        const [before, next] = render(`large white disc moving ${words}, low hum`, draw);
        const [from, to] = [centre(before.frame), centre(next.frame)];
        expect(to[0]! - from[0]!).toBeCloseTo(x, 6);
        expect(to[1]! - from[1]!).toBeCloseTo(y, 6);
      }
    }
  });

  it('is as large and as bright as its caption says', () => {
    const lit = (caption: string) => render(caption)[1].frame.filter((grey) => grey > 100);
    expect(lit('large white square standing still, silent').length).toBeGreaterThan(
      2 * lit('small white square standing still, silent').length,
    );
    expect(Math.min(...lit('small white ring standing still, silent'))).toBeGreaterThan(230);
    expect(Math.max(...lit('small grey ring standing still, silent'))).toBeLessThan(130);
  });

  it('sounds as its caption says, and says nothing before it is over', () => {
    const [before, next] = render('small grey cross standing still, silent');
    expect(before.audio.every((byte) => byte === 0xff)).toBe(true);
    expect([before.caption, next.caption]).toEqual([undefined, 'small grey cross standing still, silent']);
    const crossings = (caption: string) => {
      const x = [...render(caption)[0].audio].map(muLawDecode);
      return x.filter((value, n) => n > 0 && value > 0 !== x[n - 1]! > 0).length;
    };
    expect(crossings('small grey cross standing still, high hum')).toBeGreaterThan(
      3 * crossings('small grey cross standing still, low hum'),
    );
  });

  it('needs room', () => {
    expect(() => syntheticScenes({ prefix: 512, stream: 340 })).toThrow(
      /a window of 512\+340 bytes is too small: .*each need at least 384$/,
    );
  });
});
