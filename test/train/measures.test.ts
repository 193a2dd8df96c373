import { expect, it } from 'vitest';
import type { DecoderConfig } from '../../src/model/config.js';
import { Evaluator } from '../../src/model/evaluator.js';
import { initialParameters } from '../../src/model/parameters.js';
import { ratioOf, swapAudio, Validator } from '../../src/train/measures.js';
import { learningRate } from '../../src/train/schedule.js';
import { Trainer } from '../../src/train/trainer.js';
import { audioWindow } from '../../src/train/windows/audio.js';
import { assemble, mix } from '../../src/train/windows/mix.js';
import type { Window, WindowSource } from '../../src/train/windows/window.js';
import { testDevice } from '../support/device.js';

/** Large enough to tell ten captions by their audio. */
const SMALL: DecoderConfig = { door: 'zero', dim: 64, layers: 1, heads: 2, K: 2 };
const SIZE = { prefix: 16, stream: 4 };

/** Ten recordings, each a constant, whose caption is two letters that only the audio tells. */
function clip(i: number): Window {
  const audio = new Uint8Array(SIZE.prefix).fill(25 * i);
  return audioWindow({ source: 'constants', audio, caption: `${'abcdefghij'[i]}${'qrstuvwxyz'[i]}` }, SIZE);
}

const constants: WindowSource = {
  kind: 'audio',
  name: 'constants',
  size: SIZE,
  trainCount: 10,
  validationCount: 10,
  sample: (_split, seed, step, index) => clip((seed + 7 * step + 3 * index) % 10),
  validation: clip,
  describe: () => 'constants',
};

it('gives a caption the recording of another window, each once, never one of the same caption', () => {
  const windows = [clip(1), clip(1), clip(2), clip(3)];
  const swapped = swapAudio(windows, 0)!;
  expect(swapped.map(({ prefix }) => prefix[0]).sort()).toEqual([25, 25, 50, 75]);
  for (const [i, { prefix, stream }] of swapped.entries()) {
    expect(prefix[0]).not.toBe(windows[i]!.prefix[0]);
    expect(stream).toEqual(windows[i]!.stream);
  }
  expect(swapAudio([clip(1), clip(1), clip(2)], 0)).toBeUndefined();
});

it('an untrained decoder is at chance; one that has learned to listen finds every caption, and where it ends', async () => {
  const device = await testDevice();
  const trainer = await Trainer.create(device, {
    config: SMALL,
    batch: 8,
    sizes: [SIZE],
    parameters: initialParameters(SMALL, 0),
  });
  const judge = await Validator.create(device, SMALL, 8, [constants], trainer.plan);
  const { measures: before } = (await judge.measure(true))!;
  expect(before.caption_bpb).toBeGreaterThan(7);
  expect(Math.abs(before.binding_gap!)).toBeLessThan(0.1);
  expect(before.retrieval).toBeLessThan(0.5);
  expect(before.caption_end).toBeLessThan(0.05);

  const windows = mix([{ source: constants, share: 1 }]);
  for (let step = 0; step < 50; step++) {
    await trainer.update([windows.batch(0, step, 8)], learningRate({ lr: 1e-2, warmup: 10, steps: 50 }, step + 1));
  }
  const { measures: after, scores } = (await judge.measure(true))!;
  expect(after.caption_bpb).toBeLessThan(0.2);
  expect(after.binding_gap).toBeGreaterThan(1);
  expect(after.retrieval).toBe(1);
  expect(after.caption_end).toBeGreaterThan(0.9);
  expect(after.caption_middle).toBeLessThan(0.05);
  expect(Object.keys((await judge.measure())!.measures)).toEqual(['caption_bpb', 'binding_gap']);
  for (const [name, each] of Object.entries(scores)) {
    expect(each.sums.length).toBe(10);
    expect(after[name], name).toBe(ratioOf(each));
  }

  // The bits of ten windows in batches of eight are those of each alone.
  const evaluator = await Evaluator.create(device, SMALL, { B: 1, L: 16, T: 4 }, { shared: trainer.plan });
  let bits = 0;
  for (let i = 0; i < 10; i++) {
    const nats = await evaluator.nats(assemble([clip(i)]));
    bits += nats.slice(0, 3).reduce((sum, each) => sum + each, 0) / Math.LN2;
  }
  expect(after.caption_bpb).toBeCloseTo(bits / 30, 4);
  evaluator.free();
  judge.free();
  trainer.free();
});
