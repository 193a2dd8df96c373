/** The published package's own numbers: identical to the bit but for its phase, where ours is nearer the truth. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { channelNames } from '../../src/substrate/channels.js';
import { embed } from '../../src/substrate/embed.js';
import { type Enclosure, exactly, piTimes, scaledCosineEnclosure } from '../../src/substrate/exact.js';
import { valueTable } from '../../src/substrate/table.js';

interface Golden {
  channels: string[];
  value_lut: { shape: [number, number]; f32le_base64: string };
  cases: {
    name: string;
    bytes_hex: string;
    flags: { include_bits?: boolean; momentum?: boolean };
    shape: [number, number];
    features_f32le_base64: string;
    phase_angle_f32le_base64: string;
  }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/hsl-embedding-0.5.0.json', import.meta.url), 'utf8'));
const floats = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
const bits = (values: Float32Array) => new Uint32Array(values.buffer);

/** How far a float32 is from a real number, in units of 2⁻¹⁹², to within the width of the enclosure. */
const distance = (value: number, truth: Enclosure) => {
  const off = exactly(value).low - truth.low;
  return off < 0n ? -off : off;
};

function comparePhase(ours: number, published: number, truth: Enclosure): void {
  expect(Math.abs(ours - published)).toBeLessThan(3.8e-7);
  expect(distance(ours, truth) <= distance(published, truth)).toBe(true);
}

describe('hsl-embedding 0.5.0', () => {
  it('names the channels alike', () => {
    expect(channelNames()).toEqual(golden.channels);
  });

  it('has the same value table but for two columns, where ours is nearer the truth', () => {
    const published = floats(golden.value_lut.f32le_base64);
    const ours = valueTable();
    expect([256, 18]).toEqual(golden.value_lut.shape);
    for (let at = 0; at < ours.length; at++) {
      const [v, column] = [Math.floor(at / 18), at % 18];
      if (column < 16) expect(bits(ours)[at]).toBe(bits(published)[at]);
      else comparePhase(ours[at]!, published[at]!, scaledCosineEnclosure(column === 16 ? v : v - 64, 512));
    }
  });

  it.each(golden.cases)('has the same channels for: $name', (sample) => {
    const bytes = Uint8Array.from(Buffer.from(sample.bytes_hex, 'hex'));
    const published = floats(sample.features_f32le_base64);
    const momentumPhase = sample.flags.momentum ?? false;
    const ours = embed(bytes, { includeBits: sample.flags.include_bits ?? false, momentumPhase });
    expect([ours.length, ours.channels]).toEqual(sample.shape);
    const [gotBits, wantBits] = [bits(ours.features), bits(published)];
    let different = 0;
    for (let at = 0; at < published.length; at++) {
      const [t, column] = [Math.floor(at / ours.channels), at % ours.channels];
      if (column < ours.channels - 2) {
        if (gotBits[at] !== wantBits[at]) different++;
        continue;
      }
      const v = bytes[t]!;
      const m = momentumPhase ? 256 + Math.abs(v - (bytes[t - 1] ?? 0)) : 512;
      comparePhase(
        ours.features[at]!,
        published[at]!,
        scaledCosineEnclosure(column === ours.channels - 2 ? v : v - 64, m),
      );
    }
    expect(different).toBe(0);
  });

  it.each(golden.cases)('has the same angle to its last place, ours the nearer one, for: $name', (sample) => {
    const bytes = Uint8Array.from(Buffer.from(sample.bytes_hex, 'hex'));
    const published = floats(sample.phase_angle_f32le_base64);
    const { phase } = embed(bytes);
    for (let t = 0; t < bytes.length; t++) {
      expect(Math.abs(bits(phase)[t]! - bits(published)[t]!)).toBeLessThanOrEqual(1);
      const truth = piTimes(BigInt(bytes[t]!), 128n);
      expect(distance(phase[t]!, truth) <= distance(published[t]!, truth)).toBe(true);
    }
    if (sample.name === 'every byte') {
      const different = bits(phase).filter((word, t) => word !== bits(published)[t]);
      expect(different.length).toBe(85); // as src/substrate/README.md says
    }
  });
});
