import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/common/errors.js';
import { muLawBytes, muLawDecode, muLawEncode, SILENCE } from '../../../src/train/data/mulaw.js';
import { resample } from '../../../src/train/data/resample.js';
import { toMuLaw } from '../../../src/train/data/toMuLaw.js';
import { parseWav } from '../../../src/train/data/wav.js';
import { samplesOf, sine, soundOf, type WavOptions, wav } from '../../support/media.js';

describe('μ-law', () => {
  it('has the values of G.711', () => {
    expect([0, 32767, -32768, 1, 1000, -1000].map(muLawEncode)).toEqual([0xff, 0x80, 0x00, 0xff, 0xce, 0x4e]);
    expect([0xff, 0x80, 0x00, 0xce].map(muLawDecode)).toEqual([0, 32124, -32124, 988]);
  });

  it('is the inverse of its decoding, but for the second zero', () => {
    for (let byte = 0; byte < 256; byte++) expect(muLawEncode(muLawDecode(byte))).toBe(byte === 0x7f ? 0xff : byte);
  });

  it('is off by half a step at most, and never falls as the sample rises', () => {
    let last = -40000;
    for (let sample = -32635; sample <= 32635; sample += 7) {
      const back = muLawDecode(muLawEncode(sample));
      const step = 2 ** Math.max(3, Math.floor(Math.log2(Math.abs(sample) + 132)) - 4);
      expect(Math.abs(back - sample)).toBeLessThanOrEqual(step / 2 + 4);
      expect(back).toBeGreaterThanOrEqual(last);
      last = back;
    }
  });

  it('puts the loudest sample at full scale', () => {
    expect([...muLawBytes(Float32Array.of(0, 0.001, -0.001))]).toEqual([0xff, 0x80, 0x00]);
    expect([...muLawBytes(new Float32Array(2))]).toEqual([SILENCE, SILENCE]);
  });
});

/** Root of the mean square over the middle half. */
function level(samples: Float32Array): number {
  const middle = samples.subarray(samples.length / 4, (samples.length * 3) / 4);
  return Math.sqrt(middle.reduce((sum, x) => sum + x * x, 0) / middle.length);
}

describe('resample', () => {
  it.each([
    [8000, 4000],
    [44100, 4000],
    [22050, 8000],
    [4000, 16000],
    [11025, 4000],
    [48000, 44100],
  ])('%i to %i keeps a tone in the pass band', (from, to) => {
    const tone = sine(1200, from, from / 4, 0.5);
    const y = samplesOf(resample(soundOf(tone, from), to));
    expect(y.length).toBe(Math.ceil((tone.length * to) / from));
    const expected = sine(1200, to, y.length, 0.5);
    for (let n = Math.floor(y.length / 4); n < y.length * 0.75; n++)
      expect(Math.abs(y[n]! - expected[n]!)).toBeLessThan(2e-3);
  });

  it.each([2200, 2500, 3000, 3900])('removes a tone of %i Hz, above the new Nyquist frequency of 2000', (hertz) => {
    expect(level(samplesOf(resample(soundOf(sine(hertz, 8000, 4000, 1), 8000), 4000))) / Math.SQRT1_2).toBeLessThan(
      0.002,
    ); // -54 dB
  });

  it('keeps a constant level exactly, and what needs no change as it is', () => {
    const y = samplesOf(resample(soundOf(new Float32Array(2000).fill(0.5), 8000), 3000));
    expect(Math.max(...y.subarray(100, 600))).toBeCloseTo(0.5, 7);
    expect(Math.min(...y.subarray(100, 600))).toBeCloseTo(0.5, 7);
    const x = soundOf(sine(100, 4000, 10), 4000);
    expect(resample(x, 4000)).toBe(x);
    expect(samplesOf(resample(soundOf(Float32Array.of(1), 8000), 4000)).length).toBe(1);
  });

  it.each([
    [8000, 3000],
    [4000, 16000],
    [44100, 4000],
  ])('%i to %i gives any part as in the whole, and reads no more than it needs', (from, to) => {
    const noise = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i * i));
    let most = 0;
    const read = (first: number, count: number) => {
      most = Math.max(most, count);
      return noise.slice(first, first + count);
    };
    const y = resample({ rate: from, length: noise.length, read }, to);
    const whole = samplesOf(y);
    most = 0;
    for (let first = 0; first < y.length + 9; first += 7) {
      expect(y.read(first, 7)).toEqual(whole.slice(first, first + 7));
    }
    expect(most).toBeLessThan((7 * from) / to + 2 * 16 * 1.1 * Math.max(1, from / to) + 3);
  });
});

describe('hear', () => {
  const noise = Float32Array.from({ length: 300_000 }, (_, i) => 0.3 * Math.sin(i * i));

  it('is the μ-law of the resampled whole, for any size of the parts', () => {
    const sound = parseWav(wav(noise, { rate: 11025 }), 'a.wav');
    expect(toMuLaw(sound, 4000)).toEqual(muLawBytes(samplesOf(resample(sound, 4000))));
    expect(toMuLaw(sound, 4000, 1000)).toEqual(muLawBytes(resample(sound, 4000).read(0, 1000)));
  });

  it('decodes no more of a recording than the beginning that is heard', () => {
    const sound = parseWav(wav(noise), 'a.wav');
    let end = 0;
    const read = (first: number, count: number) => {
      end = Math.max(end, first + count);
      return sound.read(first, count);
    };
    expect(toMuLaw({ ...sound, read }, 4000, 100).length).toBe(100);
    expect(end).toBeLessThan(250);
  });

  it('makes no more bytes than the recording has', () => {
    const slow = parseWav(wav(noise.subarray(0, 1000), { rate: 1000, bits: 8 }), 'a.wav');
    expect(toMuLaw(slow, 1000).length).toBe(1000);
    expect(toMuLaw(slow, 4000, 1000).length).toBe(1000);
    expect(() => toMuLaw(slow, 4000)).toThrow(
      'a.wav: 1000 samples a second are too few to hear 4000: 4000 would come of 1000 bytes. Take a lower --rate, or a better recording',
    );
  });
});

describe('parseWav', () => {
  it.each<[string, WavOptions, number]>([
    ['8 bits', { bits: 8 }, 2 ** -7],
    ['16 bits', { bits: 16 }, 2 ** -15],
    ['24 bits', { bits: 24 }, 2 ** -23],
    ['32 bits', { bits: 32 }, 2 ** -24],
    ['float', { bits: 32, tag: 3 }, 2 ** -24],
    ['double', { bits: 64, tag: 3 }, 2 ** -24],
    ['extensible', { bits: 16, extensible: true }, 2 ** -15],
  ])('reads %s', (_, options, step) => {
    const given = [0, 0.5, -0.5, -1, 0.25, 0.123456789, -0.987654321];
    const sound = parseWav(wav(given, { rate: 11025, ...options }), 'a.wav');
    expect([sound.rate, sound.length]).toEqual([11025, given.length]);
    const samples = samplesOf(sound);
    for (const [n, sample] of given.entries()) expect(Math.abs(samples[n]! - sample)).toBeLessThanOrEqual(step / 2);
  });

  it('reads long files piece by piece, without a seam', () => {
    const long = Float32Array.from({ length: 2 * 150_001 }, (_, i) => ((i >> 1) % 1000) / 1024);
    const sound = parseWav(wav(long, { channels: 2, bits: 24 }), 'a.wav');
    expect(sound.length).toBe(150_001);
    expect(samplesOf(sound).every((sample, n) => sample === (n % 1000) / 1024)).toBe(true);
    expect([...sound.read(149_999, 9)]).toEqual([999 / 1024, 0]);
    expect([...sound.read(40_960, 2)]).toEqual([960 / 1024, 961 / 1024]);
    expect(sound.read(150_001, 9).length).toBe(0);
  });

  it('averages channels and passes over other chunks', () => {
    const stereo = wav([0.5, 0, -0.5, 0.25], { channels: 2 });
    expect([...samplesOf(parseWav(stereo, 'a.wav'))]).toEqual([0.25, -0.125]);
    const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1'); // 3 bytes, padded to 4
    const bytes = Buffer.concat([stereo.subarray(0, 36), list, stereo.subarray(36)]);
    expect([...samplesOf(parseWav(bytes, 'a.wav'))]).toEqual([0.25, -0.125]);
  });

  it('reads data of unknown size, as ffmpeg writes to a pipe, to the end of the file', () => {
    const piped = Buffer.from(wav([0.5, -0.5, 0.25], { rate: 4000 }));
    piped.writeUInt32LE(0xffff_ffff, 4); // of RIFF
    piped.writeUInt32LE(0xffff_ffff, 40); // of data
    const sound = parseWav(piped, 'a.wav');
    expect([sound.rate, sound.length, sound.bytes]).toEqual([4000, 3, 6]);
    expect([...samplesOf(sound)]).toEqual([0.5, -0.5, 0.25]);
    expect(() => parseWav(piped.subarray(0, 44), 'a.wav')).toThrow('holds no samples');
    expect(() => parseWav(piped.subarray(0, 47), 'a.wav')).toThrow('3 bytes of data are not whole frames of 2');
    piped.write('LIST', 36, 'latin1'); // any other chunk has a size
    expect(() => parseWav(piped, 'a.wav')).toThrow('truncated: chunk "LIST" is 4294967295 bytes and 6 are there');
  });

  const good = wav([0, 0.5, -0.5, 0.25]);
  const with16 = (at: number, value: number) => {
    const bytes = Buffer.from(good);
    bytes.writeUInt16LE(value, at);
    return bytes;
  };
  it.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(0), 'is empty; a WAV file is needed'],
    ['another format', Buffer.from('OggS and more of it'), 'not a WAV file'],
    ['cut in the data', good.subarray(0, good.length - 3), 'truncated: chunk "data" is 8 bytes and 5 are there'],
    ['cut in a head', good.subarray(0, 40), 'truncated: it ends inside the head of a chunk'],
    ['cut before the data', good.subarray(0, 36), 'holds no "data" chunk'],
    [
      'cut in the format',
      Buffer.concat([good.subarray(0, 16), Buffer.of(4, 0, 0, 0, 1, 0, 1, 0), good.subarray(36)]),
      'truncated: "fmt " is 4 bytes and needs 16',
    ],
    ['no samples', wav([]), 'holds no samples'],
    [
      'half a sample',
      Buffer.concat([good.subarray(0, 40), Buffer.of(3, 0, 0, 0, 1, 2, 3)]),
      'truncated: 3 bytes of data are not whole frames of 2',
    ],
    ['μ-law', with16(20, 7), 'compressed (format 7). Convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav'],
    [
      'RF64',
      Buffer.concat([Buffer.from('RF64'), good.subarray(4)]),
      'is RF64, a WAV for more than 4 GB, which is not read. Convert it: ffmpeg -i IN',
    ],
    ['RIFX', Buffer.concat([Buffer.from('RIFX'), good.subarray(4)]), 'is RIFX, a WAV of big-endian numbers, which'],
    [
      'no WAV',
      Buffer.from('fLaC, or any other format'),
      'not a WAV file: it does not start with RIFF … WAVE. Convert it: ffmpeg',
    ],
    ['12 bits', with16(34, 12), '12-bit samples are not read'],
    ['no channels', with16(22, 0), '0 channels; 1 to 32 are read'],
    ['no rate', with16(24, 0), '0 samples a second'],
    ['a wrong frame', with16(32, 3), 'a frame of 3 bytes contradicts 1 channels of 16 bits'],
    ['data first', Buffer.concat([good.subarray(0, 12), good.subarray(36)]), '"data" comes before "fmt "'],
    ['not a number', wav([0, Number.NaN], { bits: 32, tag: 3 }), 'sample 1 is not a finite number'],
    ['infinity', wav([0, 0, Number.POSITIVE_INFINITY], { bits: 64, tag: 3 }), 'sample 2 is not a finite number'],
    [
      'one bad sample far behind',
      wav(new Float32Array(50_000).fill(Number.NaN, 49_999), { bits: 32, tag: 3 }),
      'sample 49999 is not a finite number',
    ],
  ])('refuses %s', (_, bytes, message) => {
    const parse = () => parseWav(bytes, 'bad.wav');
    expect(parse).toThrow(FileError);
    expect(parse).toThrow(`bad.wav: ${message}`);
  });

  it('raises only typed errors for mutated files', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice(0, length);
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          try {
            const sound = parseWav(bytes, 'mutated');
            expect(samplesOf(sound).every(Number.isFinite)).toBe(true);
          } catch (error) {
            refused++;
            if (!(error instanceof FileError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });
});
