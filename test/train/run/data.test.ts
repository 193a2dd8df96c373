import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openData } from '../../../src/train/run/data.js';
import { decoderConfigOf, resolveTrainOptions, type TrainInput } from '../../../src/train/run/options.js';
import { parameterCounts } from '../../../src/train/run/train.js';
import { sine, wav } from '../../support/media.js';

const folder = mkdtempSync(join(tmpdir(), 'data-'));
afterAll(() => rmSync(folder, { recursive: true }));

const resolve = (input: TrainInput) => resolveTrainOptions(input, 'test');
const open = (input: TrainInput) => openData(resolve(input));

/** A manifest of 20 good recordings and three lines that cannot be used. */
function manifest(): string {
  for (let i = 0; i < 20; i++) writeFileSync(join(folder, `tone ${i}.wav`), wav(sine(440, 8000, 800)));
  writeFileSync(join(folder, 'cut.wav'), wav(sine(440, 8000, 800)).subarray(0, 300));
  const line = (audio: string, caption: string) => JSON.stringify({ audio, caption });
  const good = Array.from({ length: 20 }, (_, i) => line(`tone ${i}.wav`, `tone ${i}`));
  const bad = ['not JSON', line('nowhere.wav', 'gone'), line('cut.wav', 'cut')];
  const path = join(folder, 'manifest.jsonl');
  writeFileSync(path, [...good.slice(0, 5), ...bad, ...good.slice(5)].join('\n'));
  return path;
}

describe('openData', () => {
  it('is the default text where nothing is named', () => {
    const data = open({});
    expect(data.sources.map(({ name }) => name)).toEqual(['Moby Dick']);
    expect(data.entropy).toBeCloseTo(4.465, 3);
    expect(data.mix.sizes).toEqual([{ prefix: 128, stream: 128 }]);
  });

  it('takes in what shares name, each kind with its size; the share decides how often it is drawn', () => {
    const window = { audio: { prefix: 256, stream: 80 }, video: { prefix: 400, stream: 400 } };
    const data = open({ share: { text: 0.5, audio: 0.25, video: 0.25 }, window, validationWindows: 5 });
    expect(data.sources.map(({ name }) => name)).toEqual(['Moby Dick', 'made sounds', 'made scenes']);
    expect(data.sources.map(({ validationCount }) => validationCount)).toEqual([5, 5, 5]);
    expect(data.mix.batch(3, 0, 2).size).toEqual(data.mix.at(3, 0).size);
    const drawn = Array.from({ length: 1000 }, (_, step) => data.mix.at(0, step).kind);
    expect(drawn.filter((kind) => kind === 'text').length / 1000).toBeCloseTo(0.5, 1);
    expect(drawn.filter((kind) => kind === 'audio').length / 1000).toBeCloseTo(0.25, 1);
    expect(open({ made: ['sounds'], window }).sources.map(({ kind }) => kind)).toEqual(['audio']);
  });

  it('gives each kind a size it fits in; --prefix and --stream are for all, and a size of its own wins', () => {
    const sizes = (input: TrainInput) => open({ made: ['sounds', 'scenes'], ...input }).sources.map(({ size }) => size);
    expect(sizes({})).toEqual([
      { prefix: 1024, stream: 64 },
      { prefix: 384, stream: 384 },
    ]);
    const window = { audio: { prefix: 256, stream: 80 } };
    expect(sizes({ prefix: 400, stream: 500, window })).toEqual([window.audio, { prefix: 400, stream: 500 }]);
  });

  it('leaves out what is bad in a manifest, by file and line; strict stops', () => {
    const audio = manifest();
    const data = open({ audio, window: { audio: { prefix: 64, stream: 16 } } });
    expect(data.leftOut.count).toBe(3);
    expect(data.leftOut.reasons[0]).toMatch(/manifest\.jsonl:6: not JSON/);
    expect(data.leftOut.reasons[1]).toMatch(/manifest\.jsonl:7: .*nowhere\.wav/);
    expect(data.leftOut.reasons[2]).toMatch(/manifest\.jsonl:8: .*cut\.wav: truncated/);
    expect(() => open({ audio, strict: true })).toThrow('manifest.jsonl:6: not JSON');
  });

  it('refuses a kind that is both read and made, and kinds there are not', () => {
    expect(() => open({ audio: manifest(), made: ['sounds'] })).toThrow('read from files or made here, not both');
    expect(() => resolve({ share: { smell: 1 } as never })).toThrow('share');
    expect(() => resolve({ share: { text: 0 } })).toThrow('share');
  });
});

describe('channels', () => {
  it('become columns at their own addresses', () => {
    expect(decoderConfigOf(resolve({ channels: ['dxor', 'phase'] })).columns).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 25, 26]);
    const bits = decoderConfigOf(resolve({ channels: ['bits'], K: 3 }));
    expect(bits).toMatchObject({ includeBits: true, columns: [0, 1, 2, 3, 4, 5, 6, 7] });
    expect(decoderConfigOf(resolve({ bits: true, channels: ['dxor'], K: 3 })).columns?.[0]).toBe(8);
    expect(decoderConfigOf(resolve({}))).not.toHaveProperty('columns');
  });

  it('are refused at the bytes door, and when there is no such group', () => {
    expect(() => resolve({ door: 'bytes', channels: ['dxor'] })).toThrow('the bytes door has none');
    expect(() => resolve({ channels: ['colour'] as never })).toThrow('channels');
  });
});

it('doors have the parameters that are claimed for them at K = 8, dim = 512', () => {
  const counts = ['zero', 'projected', 'bytes', 'learned', 'random', 'permuted'].map(
    (door) => parameterCounts(resolve({ size: 'lean', door: door as 'zero' })).door,
  );
  expect(counts).toEqual([0, 125_440, 132_096, 4608, 0, 0]);
});
