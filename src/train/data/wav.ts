import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
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
 * of the file.
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

/** The sample at a byte, in [-1, 1) for whole numbers, by tag and bits: 8 bits are unsigned, all others signed. */
const SAMPLES: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  '1/8': (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  '1/16': (view, at) => view.getInt16(at, true) / 2 ** 15,
  '1/24': (view, at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
  '1/32': (view, at) => view.getInt32(at, true) / 2 ** 31,
  '3/32': (view, at) => view.getFloat32(at, true),
  '3/64': (view, at) => view.getFloat64(at, true),
};

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
  if (!(`${tag}/${bits}` in SAMPLES))
    fail(`${bits}-bit ${tag === 3 ? 'float ' : ''}samples are not read; 8, 16, 24, 32 and floats are`);
  if (channels < 1 || channels > wavLimits.channels) fail(`${channels} channels; 1 to ${wavLimits.channels} are read`);
  if (rate < wavLimits.slowest || rate > wavLimits.fastest) {
    fail(`${rate} samples a second; ${wavLimits.slowest} to ${wavLimits.fastest} are read`);
  }
  if (frame !== (channels * bits) / 8)
    fail(`a frame of ${frame} bytes contradicts ${channels} channels of ${bits} bits`);
  return { tag, rate, channels, bits, frame };
}

function stored(file: string, data: Uint8Array, format: Format, fail: (what: string) => never): StoredSound {
  const { rate, frame, channels, tag, bits } = format;
  const length = data.length / frame;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const sampleAt = SAMPLES[`${tag}/${bits}`]!;
  const read = (first: number, count: number): Float32Array => {
    const samples = new Float32Array(Math.max(0, Math.min(length, first + count) - first));
    for (let n = 0; n < samples.length; n++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += sampleAt(view, (first + n) * frame + (c * bits) / 8);
      samples[n] = sum / channels;
      if (!Number.isFinite(samples[n])) fail(`sample ${first + n} is not a finite number`);
    }
    return samples;
  };
  // Only floats can be non-finite. All are checked now, piece by piece, so that no later code has to.
  if (tag === 3) for (let first = 0; first < length; first += PIECE) read(first, PIECE);
  return { file, rate, length, bytes: data.length, read };
}

/** Samples that are checked at once, so that a file is never held in memory as floats. */
const PIECE = 1 << 14;
