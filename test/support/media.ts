/** Small media files, made in memory. */
import type { Sound } from '../../src/train/data/wav.js';

/** What `wav` writes, where it is not 16 bits of one channel at 8 kHz. */
export interface WavOptions {
  readonly rate?: number;
  readonly channels?: number;
  readonly bits?: 8 | 16 | 24 | 32 | 64;
  /** 1 whole numbers, 3 floats, others are compressed */
  readonly tag?: number;
  readonly extensible?: boolean;
}

/** A WAV file; `samples` in [-1, 1), channels interleaved. */
export function wav(
  samples: ArrayLike<number>,
  { rate = 8000, channels = 1, bits = 16, tag = 1, extensible = false }: WavOptions = {},
): Uint8Array {
  const width = bits / 8;
  const formatBytes = extensible ? 40 : 16;
  const dataBytes = samples.length * width;
  const bytes = Buffer.alloc(12 + 8 + formatBytes + 8 + dataBytes);
  let at = 0;
  const text = (value: string) => {
    at += bytes.write(value, at, 'latin1');
  };
  const u16 = (value: number) => {
    at = bytes.writeUInt16LE(value, at);
  };
  const u32 = (value: number) => {
    at = bytes.writeUInt32LE(value, at);
  };
  text('RIFF');
  u32(bytes.length - 8);
  text('WAVEfmt ');
  u32(formatBytes);
  u16(extensible ? 0xfffe : tag);
  u16(channels);
  u32(rate);
  u32(rate * channels * width);
  u16(channels * width);
  u16(bits);
  if (extensible) {
    u16(22);
    u16(bits);
    u32(0);
    u16(tag);
    at += 14;
  }
  text('data');
  u32(dataBytes);
  for (const sample of Array.from(samples)) {
    if (tag === 3) at = bits === 64 ? bytes.writeDoubleLE(sample, at) : bytes.writeFloatLE(sample, at);
    else if (bits === 8) at = bytes.writeUInt8(Math.round(sample * 128) + 128, at);
    else at = bytes.writeIntLE(Math.round(sample * 2 ** (bits - 1)), at, width);
  }
  return bytes;
}

/** Samples in memory, as a sound. */
export function soundOf(samples: Float32Array, rate: number): Sound {
  return { rate, length: samples.length, read: (first, count) => samples.slice(first, first + count) };
}

/** All of a sound at once. */
export function samplesOf(sound: Sound): Float32Array {
  return sound.read(0, sound.length);
}

/** `count` samples of a sine of `hertz` at `rate` samples a second. */
export function sine(hertz: number, rate: number, count: number, amplitude = 0.9): Float32Array {
  return Float32Array.from({ length: count }, (_, n) => amplitude * Math.sin((2 * Math.PI * hertz * n) / rate));
}

/** A y4m file of grey frames of `side` x `side`; `colour` is its C field, chroma is 128. */
export function y4m(frames: readonly Uint8Array[], { side = 16, fps = '8:1', colour = 'mono' } = {}): Uint8Array {
  const chroma = colour === 'mono' ? 0 : 2 * Math.ceil(side / 2) ** 2;
  const head = Buffer.from(`YUV4MPEG2 W${side} H${side} F${fps} Ip A1:1 C${colour}\n`);
  return Buffer.concat([
    head,
    ...frames.flatMap((frame) => [Buffer.from('FRAME\n'), frame, Buffer.alloc(chroma, 128)]),
  ]);
}
