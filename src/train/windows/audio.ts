import { readdirSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { FileError } from '../../common/errors.js';
import { isFolder } from '../../common/folders.js';
import { isRecord } from '../../common/json.js';
import { readJsonLines } from '../../common/jsonl.js';
import { SILENCE } from '../data/mulaw.js';
import { Skipped } from '../data/skipped.js';
import { toMuLaw } from '../data/toMuLaw.js';
import { isWav, readWav } from '../data/wav.js';
import { captionIds, tooLong } from './caption.js';
import { rngAt } from './draws.js';
import { memoizeByPath } from './memoizeByPath.js';
import { canHoldOutWhole, evenly, splitOf } from './split.js';
import type { Split, Window, WindowSize, WindowSource } from './window.js';
import { count, leftOutText } from './words.js';

/** Options for reading recordings, and for the split. */
export interface AudioOptions {
  /** samples per second of the model's input. Default 4000 */
  readonly rate?: number;
  /** held-out share of a manifest. Default 0.1 */
  readonly validation?: number;
  /** the length of the fixed list of held-out windows. Default 64 */
  readonly validationWindows?: number;
  /** stop at the first bad line or file instead of skipping it */
  readonly strict?: boolean;
}

/** A recording, cut to a prefix, and its caption. */
export interface Clip {
  readonly source: string;
  /** [L] μ-law bytes; silence follows if they are fewer */
  readonly audio: Uint8Array;
  readonly caption: string;
}

/** Audio windows, with their recordings. */
export interface AudioSource extends WindowSource {
  readonly clips: Readonly<Record<Split, readonly Clip[]>>;
  readonly leftOut: Skipped;
  readonly rate: number;
}

/**
 * Open recordings with captions: a prefix of μ-law bytes, a stream of the caption and its EOS.
 *
 * @param path a manifest of lines `{"audio": "x.wav", "caption": "…"}`, paths relative to it, every tenth of whose recordings is held
 *   out with all its lines; or a folder of files named `{digit}_{speaker}_{index}.wav` (as the Free Spoken Digit Dataset is), of which index 0 to 4 are held out
 *   and whose captions are `a voice says seven`
 * @throws FileError when nothing can be read; a single bad line or file is skipped and counted, unless `strict`
 */
export function openAudio(path: string, size: WindowSize, options: AudioOptions = {}): AudioSource {
  const { rate = 4000, validation = 0.1, validationWindows = 64, strict = false } = options;
  const leftOut = new Skipped(strict);
  const listed = isFolder(path) ? spokenDigits(path) : manifest(path, validation, leftOut);
  const clips: Record<Split, Clip[]> = { train: [], validation: [] };
  const heard = memoizeByPath((file) => toMuLaw(readWav(file), rate, size.prefix));
  for (const { where, file, caption, split } of listed) {
    if (!captionIds(caption, size.stream)) {
      leftOut.add(where, tooLong(caption, size.stream));
      continue;
    }
    const audio = leftOut.attempt(where, file, () => heard(file));
    if (audio) clips[split].push({ source: file, audio, caption });
  }
  for (const split of ['train', 'validation'] as const) {
    if (clips[split].length === 0) throw new FileError(`${path}: no ${split} recording is left${leftOut.summary()}`);
  }

  const validationCount = Math.min(validationWindows, clips.validation.length);
  return {
    kind: 'audio',
    name: path,
    size,
    clips,
    leftOut,
    rate,
    trainCount: clips.train.length,
    validationCount,
    split: { train: clips.train.map(({ source }) => source), validation: clips.validation.map(({ source }) => source) },
    contents: () => [
      {
        name: `${path} and the recordings in it`,
        pieces: [...clips.train, ...clips.validation].flatMap(({ audio, caption }) => [audio, caption]),
      },
    ],
    sample: (split, seed, step, index) => audioWindow(rngAt(seed, 'audio', step, index).pick(clips[split]), size),
    validation: (index) =>
      audioWindow(clips.validation[evenly(index, validationCount, clips.validation.length)]!, size),
    describe: () =>
      `audio: ${path}: ${count(clips.train.length, 'recording')} to train on, ${clips.validation.length.toLocaleString('en-US')} held out; ` +
      `${count(size.prefix, 'μ-law byte')} each at ${rate} Hz (${(size.prefix / rate).toFixed(3)} s)${leftOutText(leftOut.count)}`,
  };
}

/** The window of a clip; `at` is its position in the source. @throws FileError when its caption does not fit */
export function audioWindow({ source, audio, caption }: Clip, size: WindowSize, at = 0): Window {
  const words = captionIds(caption, size.stream);
  if (!words) throw new FileError(`${source}: ${tooLong(caption, size.stream)}`);
  const prefix = new Uint32Array(size.prefix).fill(SILENCE);
  prefix.set(audio);
  return {
    kind: 'audio',
    prefix,
    stream: words.ids,
    weights: new Float32Array(size.stream).fill(1, 0, words.used),
    info: {
      source,
      at,
      caption,
      parts: {
        prefix: [{ name: 'audio', start: 0, end: size.prefix }],
        stream: [{ name: 'caption', start: 0, end: words.used - 1 }],
      },
    },
  };
}

interface Listed {
  readonly where: string;
  readonly file: string;
  readonly caption: string;
  readonly split: Split;
}

function manifest(path: string, validation: number, leftOut: Skipped): Listed[] {
  if (isWav(path)) {
    throw new FileError(
      `${path}: is a recording. Name it with its caption in a manifest, a line {"audio": "x.wav", "caption": "…"}`,
    );
  }
  const entries: Omit<Listed, 'split'>[] = [];
  for (const { line, value, problem } of readJsonLines(path)) {
    const where = `${path}:${line}`;
    const { audio, caption } = isRecord(value) ? value : {};
    if (problem !== undefined) leftOut.add(where, problem);
    else if (typeof audio !== 'string' || audio === '') leftOut.add(where, 'has no "audio", the path of a WAV file');
    else if (typeof caption !== 'string' || caption === '') leftOut.add(where, 'has no "caption"');
    else entries.push({ where, file: isAbsolute(audio) ? audio : join(dirname(path), audio), caption });
  }
  if (entries.length === 0) {
    throw new FileError(
      `${path}: is no manifest, whose lines are {"audio": "x.wav", "caption": "…"}${leftOut.summary()}`,
    );
  }
  // A recording that several lines describe is on one side of the split with all of them.
  const files = [...new Set(entries.map(({ file }) => resolve(file)))];
  if (!canHoldOutWhole(files.length, validation)) {
    const least = Math.ceil(1 / validation);
    throw new FileError(
      `${path}: names ${count(files.length, 'recording')}; at least ${least} are needed to hold some out${leftOut.summary()}`,
    );
  }
  const splits = new Map(files.map((file, index) => [file, splitOf(index, validation)]));
  return entries.map((entry) => ({ ...entry, split: splits.get(resolve(entry.file))! }));
}

const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

function spokenDigits(folder: string): Listed[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const [, digit, index] = /^(\d)_.+_(\d+)\.wav$/.exec(name) ?? [];
      if (digit === undefined || index === undefined) return [];
      const file = join(folder, name);
      const split = Number(index) < 5 ? 'validation' : 'train';
      return [{ where: file, file, caption: `a voice says ${digits[Number(digit)]}`, split }];
    });
}
