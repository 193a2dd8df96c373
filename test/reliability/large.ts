import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteToLossError } from '../../src/common/errors.js';
import { readJsonFile } from '../../src/common/jsonFile.js';
import { readJsonLines } from '../../src/common/jsonl.js';
import type { DecoderConfig } from '../../src/model/config.js';
import { initialParameters } from '../../src/model/parameters.js';
import { readMoments, writeCheckpoint } from '../../src/train/checkpoint.js';
import { toMuLaw } from '../../src/train/data/toMuLaw.js';
import { readWav } from '../../src/train/data/wav.js';
import { RunFolder } from '../../src/train/run/folder.js';
import { collectGarbage } from '../../src/train/run/garbage.js';
import { readSafetensors } from '../../src/train/safetensors.js';
import { readWeights } from '../../src/train/weights.js';
import { openText } from '../../src/train/windows/text.js';
import { openVideo } from '../../src/train/windows/video.js';
import { wav } from '../support/media.js';
import { inOwnProcess } from './ownProcess.js';

const MIB = 1 << 20;
/** Bytes of most files: far above what Node itself takes. */
const SIZE = 128 * MIB;
/** Memory of Node itself: garbage that V8 has not collected, and code compiled in the meantime. */
export const NODE_ITSELF = 48 * MIB;

/** Bytes that may take a second more than a small file. */
export const PER_SECOND = 4 * MIB;

/** A file that is as expensive to read as its format allows, and the function that reads it. */
interface Large {
  readonly file: string;
  readonly write: (path: string) => void;
  readonly read: (path: string) => unknown;
}

const ascii = (text: string) => Buffer.from(text, 'latin1');

/** The same bytes again and again, after a head. */
function repeated(path: string, head: Uint8Array | string, piece: Uint8Array | string, bytes = SIZE): void {
  const one = Buffer.from(piece);
  const many = Buffer.concat(Array.from({ length: Math.ceil(MIB / one.length) }, () => one));
  const file = openSync(path, 'w');
  let size = writeSync(file, Buffer.from(head));
  while (size < bytes) size += writeSync(file, many);
  closeSync(file);
}

/** A WAV of silence. */
function silence(path: string, format: Parameters<typeof wav>[1]): void {
  const empty = Buffer.from(wav([], format));
  empty.writeUInt32LE(SIZE, empty.length - 4);
  repeated(path, empty, new Uint8Array(MIB));
}

/** A safetensors file of one tensor after some bytes of another, which decide whether it is aligned. */
function tensors(path: string, before: number): void {
  const header = JSON.stringify({
    a: { dtype: 'U8', shape: [before], data_offsets: [0, before] },
    b: { dtype: 'F32', shape: [SIZE / 4], data_offsets: [before, before + SIZE] },
  }).padEnd(256);
  const head = Buffer.alloc(8 + header.length + before);
  head.writeBigUInt64LE(BigInt(header.length));
  head.write(header, 8, 'latin1');
  repeated(path, head, new Uint8Array(MIB), head.length + SIZE);
}

const run = (path: string, line: string) => {
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), '{"options":{}}');
  repeated(join(path, 'metrics.jsonl'), '', line);
};

const WINDOW = { prefix: 8, stream: 8 };
const FILM_WINDOW = { prefix: 1024, stream: 1024 };
const DECODER: DecoderConfig = { door: 'zero', dim: 1024, layers: 2, heads: 4, K: 1 };

const LARGE: Readonly<Record<string, Large>> = {
  'WAV of 8 bits': {
    file: 'x.wav',
    write: (path) => silence(path, { rate: 4000, bits: 8 }),
    read: (path) => toMuLaw(readWav(path), 4000),
  },
  'WAV of 32 channels of doubles': {
    file: 'x.wav',
    write: (path) => silence(path, { rate: 768_000, bits: 64, tag: 3, channels: 32 }),
    read: (path) => toMuLaw(readWav(path), 4000),
  },
  'y4m film': {
    file: 'x.y4m',
    write: (path) => repeated(path, 'YUV4MPEG2 W16 H16 F8:1 Cmono\n', `FRAME\n${'x'.repeat(256)}`),
    read: (path) => openVideo([path], FILM_WINDOW),
  },
  'film with its sound': {
    file: 'x.y4m',
    write: (path) => {
      repeated(path, 'YUV4MPEG2 W16 H16 F8:1 Cmono\n', `FRAME\n${'x'.repeat(256)}`, 16 * MIB);
      silence(path.replace(/\.y4m$/, '.wav'), { rate: 4000, bits: 8 });
    },
    read: (path) => openVideo([path], FILM_WINDOW),
  },
  text: { file: 'x.txt', write: (path) => repeated(path, '', 'text '), read: (path) => openText([path], WINDOW) },
  'JSONL of documents': {
    file: 'x.jsonl',
    write: (path) => repeated(path, '', `${JSON.stringify({ text: 'a document – '.repeat(5000) })}\n`),
    read: (path) => openText([path], WINDOW),
  },
  'JSONL of the longest documents': {
    file: 'x.jsonl',
    write: (path) => repeated(path, '', `${JSON.stringify({ text: `–${'a'.repeat(8 * MIB - 20)}` })}\n`),
    read: (path) => openText([path], WINDOW),
  },
  'JSONL of one line': {
    file: 'x.jsonl',
    write: (path) => repeated(path, '"', 'a'),
    read: (path) => [...readJsonLines(path)],
  },
  'JSONL of the most values': {
    file: 'x.jsonl',
    write: (path) => repeated(path, '', `[${Array.from({ length: 99_000 }, () => '[]').join()}]\n`),
    read: (path) => openText([path], WINDOW),
  },
  safetensors: { file: 'x.safetensors', write: (path) => tensors(path, 8), read: readSafetensors },
  'safetensors, not aligned': { file: 'x.safetensors', write: (path) => tensors(path, 7), read: readSafetensors },
  'safetensors of the most tensors': {
    file: 'x.safetensors',
    write: (path) => {
      const entry = (_: unknown, i: number) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`;
      const header = `{${Array.from({ length: 16_384 }, entry).join()}}`.padEnd(4 * MIB);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      writeFileSync(path, length);
      appendFileSync(path, ascii(header));
    },
    read: readSafetensors,
  },
  checkpoint: {
    file: 'x.safetensors',
    write: (path) => {
      const parameters = initialParameters(DECODER, 1);
      writeCheckpoint(
        path,
        { config: DECODER, step: 1, seed: 1, ...WINDOW, parameters },
        { m: parameters, v: parameters },
      );
    },
    read: (path) => [readWeights(path, undefined), readMoments(path)],
  },
  metrics: {
    file: 'run',
    write: (path) => run(path, '{"step":0}\n'),
    read: (path) => {
      const folder = RunFolder.open(path);
      folder.rewind(
        1,
        () => {},
        () => {},
      );
      folder.release();
    },
  },
  subtitles: {
    file: 'x.y4m',
    write: (path) => {
      repeated(path, 'YUV4MPEG2 W16 H16 F8:1 Cmono\n', `FRAME\n${'x'.repeat(256)}`, MIB);
      const time = (n: number) => new Date(n).toISOString().slice(11, 23).replace('.', ',');
      const cue = (_: unknown, n: number) => `${time(2 * n)} --> ${time(2 * n + 1)}\na\n\n`;
      writeFileSync(path.replace(/\.y4m$/, '.srt'), Array.from({ length: 30_000 }, cue).join(''));
    },
    read: (path) => openVideo([path], FILM_WINDOW),
  },
  configuration: {
    file: 'x.json',
    write: (path) => writeFileSync(path, `[${Array.from({ length: 99_000 }, () => '{}').join()}]`),
    read: readJsonFile,
  },
};

/**
 * Read one of the large files, in a process of its own.
 *
 * @returns maximum growth of resident memory in bytes (Linux), and seconds of a processor
 */
export function rise(name: string, path: string): { rose: number; seconds: number } {
  collectGarbage();
  writeFileSync('/proc/self/clear_refs', '5'); // forget the highest so far
  const before = resident('VmRSS');
  const start = process.cpuUsage();
  let kept: unknown;
  try {
    kept = LARGE[name]!.read(path);
  } catch (error) {
    if (!(error instanceof ByteToLossError)) throw error;
  }
  const { user, system } = process.cpuUsage(start);
  const highest = resident('VmHWM');
  void kept; // alive until measured
  return { rose: highest - before, seconds: (user + system) / 1e6 };
}

function resident(what: string): number {
  const [, kib] = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))!;
  return Number(kib) * 1024;
}

/** Read every large file. @returns how many, what broke the promise, and the nearest to what memory and time allow */
export async function readLarge(): Promise<{ files: number; broken: string[]; most: string; slowest: string }> {
  const broken: string[] = [];
  let most = { share: 0, words: '' };
  let slowest = { share: 0, words: '' };
  for (const [name, { file, write }] of Object.entries(LARGE)) {
    const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-large-'));
    try {
      const path = join(folder, file);
      write(path);
      const size = sizeOf(folder);
      const { rose, seconds } = await inOwnProcess<ReturnType<typeof rise>>(import.meta.url, 'rise', [name, path]);
      const allowed = 2 * size + NODE_ITSELF;
      const words = `${name}: ${mib(rose)} MiB for ${mib(size)} MiB`;
      if (rose > allowed) broken.push(words);
      if (rose / allowed > most.share) most = { share: rose / allowed, words };
      const share = seconds / (1 + size / PER_SECOND);
      const took = `${name}: ${seconds.toFixed(1)} s for ${mib(size)} MiB`;
      if (share > 1) broken.push(took);
      if (share > slowest.share) slowest = { share, words: took };
      console.log(`${words}, ${seconds.toFixed(1)} s`);
    } catch (error) {
      broken.push(`${name}: ${(error as Error).message}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return { files: Object.keys(LARGE).length, broken, most: most.words, slowest: slowest.words };
}

/** Bytes of all files in a folder and those below it. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
