import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import wavefile from 'wavefile';
import { FileError } from '../../common/errors.js';
import { readable } from '../../common/readable.js';

/** Sound in one channel that returns its samples part by part, so that a file is never held in memory as floats. */
export interface Sound {
  /** samples per second */
  readonly rate: number;
  /** number of samples */
  readonly length: number;
  /** The samples from `first` on, `count` of them or all that remain; in [-1, 1] for whole-number formats. */
  read(first: number, count: number): Float32Array;
}

/** A sound in a file. */
export interface StoredSound extends Sound {
  /** its name in errors */
  readonly file: string;
  /** bytes of its samples in the file: a limit for the result */
  readonly bytes: number;
}

/** Limits far beyond real recordings. */
export const wavLimits = { bytes: 1 << 30, channels: 32, slowest: 1000, fastest: 768_000 };

/**
 * Read a WAV file: uncompressed, 8, 16, 24 or 32 bits or 32- or 64-bit floats, any rate; channels are averaged.
 *
 * @throws FileError when it is truncated, compressed, empty, or a field contradicts another
 */
export function readWav(path: string): StoredSound {
  const size = readable(path);
  if (size > wavLimits.bytes)
    throw new FileError(`${path}: ${size} bytes (at most ${wavLimits.bytes} are read). Cut it into pieces`);
  return parseWav(readFileSync(path), path);
}

/** Related formats with the same chunks, by their first four bytes. */
const RELATIVES: Readonly<Record<string, string>> = {
  RF64: 'RF64, a WAV for more than 4 GB',
  BW64: 'BW64, a WAV for more than 4 GB',
  RIFX: 'RIFX, a WAV of big-endian numbers',
};

/** Does a file start like a WAV or a related format? @throws FileError when it cannot be read */
export function isWav(path: string): boolean {
  readable(path);
  const head = Buffer.alloc(12);
  const file = openSync(path, 'r');
  try {
    readSync(file, head);
  } finally {
    closeSync(file);
  }
  const name = head.toString('latin1', 0, 4);
  return head.toString('latin1', 8) === 'WAVE' && (name === 'RIFF' || name in RELATIVES);
}

/** The size field when the size was unknown: ffmpeg cannot go back and write it when it writes to a pipe. */
const UNTOLD = 0xffff_ffff;

/**
 * Like `readWav`, for bytes in memory. A WAV is `RIFF size WAVE`, then chunks of `name size bytes`, each padded to an
 * even length: `fmt ` gives the format of `data`, other chunks are skipped; `data` of unknown size extends to the end
 * of the file. This function checks the chunks; the package `wavefile` reads the samples.
 *
 * @returns a sound over `bytes`, which are not copied
 */
export function parseWav(bytes: Uint8Array, file: string): StoredSound {
  const fail: (what: string) => never = (what) => {
    throw new FileError(`${file}: ${what}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const name = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length === 0) fail('is empty; a WAV file is needed');
  const convert = 'Convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav';
  const relative = RELATIVES[name(0)];
  if (relative !== undefined && name(8) === 'WAVE') fail(`is ${relative}, which is not read. ${convert}`);
  if (bytes.length < 12 || name(0) !== 'RIFF' || name(8) !== 'WAVE')
    fail(`not a WAV file: it does not start with RIFF … WAVE. ${convert}`);

  let format: Format | undefined;
  for (let at = 12; at < bytes.length; ) {
    if (bytes.length - at < 8) fail('truncated: it ends inside the head of a chunk');
    const start = at + 8;
    const told = view.getUint32(at + 4, true);
    const length = told === UNTOLD && name(at) === 'data' ? bytes.length - start : told;
    const what = JSON.stringify(name(at));
    if (length > bytes.length - start)
      fail(`truncated: chunk ${what} is ${length} bytes and ${bytes.length - start} are there`);
    if (name(at) === 'fmt ') format = parseFormat(new DataView(view.buffer, view.byteOffset + start, length), fail);
    if (name(at) === 'data') {
      if (!format) return fail('"data" comes before "fmt "');
      if (length === 0) fail('holds no samples');
      if (length % format.frame !== 0)
        fail(`truncated: ${length} bytes of data are not whole frames of ${format.frame}`);
      return stored(file, bytes.subarray(start, start + length), format, fail);
    }
    at = start + length + (length % 2);
  }
  return fail('holds no "data" chunk');
}

interface Format {
  /** 1 whole numbers, 3 floats */
  readonly tag: number;
  readonly rate: number;
  readonly channels: number;
  readonly bits: number;
  /** bytes of one sample of all channels */
  readonly frame: number;
}

/** Supported formats, as tag and bits. */
const known = new Set(['1/8', '1/16', '1/24', '1/32', '3/32', '3/64']);

function parseFormat(view: DataView, fail: (what: string) => never): Format {
  if (view.byteLength < 16) fail(`truncated: "fmt " is ${view.byteLength} bytes and needs 16`);
  let tag = view.getUint16(0, true);
  // "extensible": the tag opens the subformat
  if (tag === 0xfffe && view.byteLength >= 26) tag = view.getUint16(24, true);
  const channels = view.getUint16(2, true);
  const rate = view.getUint32(4, true);
  const frame = view.getUint16(12, true);
  const bits = view.getUint16(14, true);
  if (tag !== 1 && tag !== 3) fail(`compressed (format ${tag}). Convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav`);
  if (!known.has(`${tag}/${bits}`))
    fail(`${bits}-bit ${tag === 3 ? 'float ' : ''}samples are not read; 8, 16, 24, 32 and floats are`);
  if (channels < 1 || channels > wavLimits.channels) fail(`${channels} channels; 1 to ${wavLimits.channels} are read`);
  if (rate < wavLimits.slowest || rate > wavLimits.fastest) {
    fail(`${rate} samples a second; ${wavLimits.slowest} to ${wavLimits.fastest} are read`);
  }
  if (frame !== (channels * bits) / 8)
    fail(`a frame of ${frame} bytes contradicts ${channels} channels of ${bits} bits`);
  return { tag, rate, channels, bits, frame };
}

/**
 * Samples of all channels that are decoded at once, so that the reader's own copies stay small compared with the file.
 */
const PIECE = 1 << 14;

function stored(file: string, data: Uint8Array, format: Format, fail: (what: string) => never): StoredSound {
  const { rate, frame, channels, tag } = format;
  const length = data.length / frame;
  const piece = Math.max(1, Math.floor(PIECE / channels));
  const read = (first: number, count: number): Float32Array => {
    const end = Math.min(length, first + count);
    const samples = new Float32Array(Math.max(0, end - first));
    for (let at = first; at < end; at += piece) {
      const frames = data.subarray(at * frame, Math.min(end, at + piece) * frame);
      mono(frames, format, samples.subarray(at - first), (n) => fail(`sample ${at + n} is not a finite number`));
    }
    return samples;
  };
  // Only floats can be non-finite. All are checked now, so that no later code has to.
  if (tag === 3) for (let first = 0; first < length; first += piece) read(first, piece);
  return { file, rate, length, bytes: data.length, read };
}

/** The mean of the channels, into `mean`. Calls `odd` with the index of the first that is not finite. */
function mono(frames: Uint8Array, format: Format, mean: Float32Array, odd: (n: number) => never): void {
  const { tag, channels, bits, frame } = format;
  const full = tag === 3 ? 1 : 2 ** (bits - 1);
  const middle = bits === 8 ? 128 : 0; // 8 bits are unsigned, all others signed
  const samples = new wavefile.WaveFile(plainWav(frames, format)).getSamples(true) as unknown as Float64Array;
  for (let n = 0; n < frames.length / frame; n++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += (samples[n * channels + c]! - middle) / full;
    mean[n] = sum / channels;
    if (!Number.isFinite(mean[n])) odd(n);
  }
}

/** A WAV with only a format of 16 bytes and some data, without other chunks. */
function plainWav(data: Uint8Array, { tag, rate, channels, bits, frame }: Format): Uint8Array {
  const bytes = Buffer.alloc(44 + data.length + (data.length % 2));
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(tag, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * frame, 28);
  bytes.writeUInt16LE(frame, 32);
  bytes.writeUInt16LE(bits, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(data.length, 40);
  bytes.set(data, 44);
  return bytes;
}
