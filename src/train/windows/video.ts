import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, parse, resolve } from 'node:path';
import { FileError } from '../../common/errors.js';
import { isRecord } from '../../common/json.js';
import { readJsonLines } from '../../common/jsonl.js';
import { readable } from '../../common/readable.js';
import { type FilmOptions, readFilm } from '../data/film.js';
import { Skipped } from '../data/skipped.js';
import { type Cue, cueAt, parseSrt } from '../data/srt.js';
import { toMuLaw } from '../data/toMuLaw.js';
import { readWav } from '../data/wav.js';
import type { Film } from '../data/y4m.js';
import { captionIds, tooLong } from './caption.js';
import { rngAt } from './draws.js';
import { memoizeByPath } from './memoizeByPath.js';
import { canHoldOutWhole, evenly, splitOf } from './split.js';
import { type Moment, type VideoLayout, videoLayout, videoWindow } from './videoWindow.js';
import type { Split, Window, WindowSize, WindowSource } from './window.js';
import { count, leftOutText } from './words.js';

/** Options for reading films, and for the split. */
export interface VideoOptions extends FilmOptions {
  /** samples per second of the model's input. Default 4000 */
  readonly rate?: number;
  /** the share held out: of fewer than ten different films the end of each, of more every tenth. Default 0.1 */
  readonly validation?: number;
  /** the length of the fixed list of held-out windows. Default 64 */
  readonly validationWindows?: number;
  /** stop at the first bad line or file instead of skipping it */
  readonly strict?: boolean;
}

/** Video windows, with their layout. */
export interface VideoSource extends WindowSource {
  readonly layout: VideoLayout;
  readonly leftOut: Skipped;
}

/** The frames, sound and captions of a film, moment by moment. */
interface Moments {
  readonly source: string;
  /** number of moments, one per frame */
  readonly length: number;
  moment(n: number): Moment;
}

/** Moments `first` to `end - 1` of a film, of which each but the last is a window with the one after it. */
interface Stretch {
  readonly film: Moments;
  readonly first: number;
  readonly end: number;
}

/**
 * Open films and cut windows `[16 x 16 frame | μ-law audio | caption]` → the next one.
 *
 * The folder of `x.y4m` (or `.gray`, or any format that ffmpeg reads) may also contain `x.wav`, its sound, and `x.srt`,
 * its captions. A `.jsonl` manifest names them with paths relative to it: `{"video": "x.y4m", "audio": "x.wav", "srt":
 * "x.srt"}`, or `"caption": "…"` for the whole film.
 *
 * The audio of a frame is the sound from its time on, at `rate`, as many bytes as the layout has room for.
 *
 * @throws FileError when nothing can be read; a single bad line, film or subtitle is skipped and counted, unless
 * `strict`
 */
export function openVideo(paths: readonly string[], size: WindowSize, options: VideoOptions = {}): VideoSource {
  const { rate = 4000, validation = 0.1, validationWindows = 64, strict = false } = options;
  const layout = videoLayout(size);
  const leftOut = new Skipped(strict);
  const listed = paths.flatMap((path) =>
    (path.endsWith('.jsonl') ? manifest(path, leftOut) : [filmWithTracks(path)]).map((film) => ({
      ...film,
      input: path,
    })),
  );
  const read: Readers = {
    film: memoizeByPath((path) => readFilm(path, options)),
    sound: memoizeByPath((path) => toMuLaw(readWav(path), rate)),
    cues: memoizeByPath((path) => fitting(readCues(path, leftOut), layout, path, leftOut)),
  };
  const films = listed.flatMap(({ input, ...film }) => {
    const moments = leftOut.attempt(film.where, film.video, () => openFilm(film, layout, rate, read));
    return moments ? [{ ...moments, input }] : [];
  });

  const stretches: Record<Split, Stretch[]> = { train: [], validation: [] };
  // A film that is given more than once, on several lines or paths, is on the same side each time.
  const numbers = new Map([...new Set(films.map(({ source }) => resolve(source)))].map((path, index) => [path, index]));
  const whole = canHoldOutWhole(numbers.size, validation);
  for (const film of films) {
    const cut = Math.floor(film.length * (1 - validation));
    const parts: [Split, number, number][] = whole
      ? [[splitOf(numbers.get(resolve(film.source))!, validation), 0, film.length]]
      : [
          ['train', 0, cut],
          ['validation', cut, film.length],
        ];
    for (const [split, first, end] of parts) if (end - first >= 2) stretches[split].push({ film, first, end });
  }
  const counts = { train: windowCount(stretches.train), validation: windowCount(stretches.validation) };
  const name = paths.join(', ');
  for (const split of ['train', 'validation'] as const) {
    if (counts[split] === 0)
      throw new FileError(`${name}: no ${split} frames are left: a window needs two${leftOut.summary()}`);
  }

  const windowAt = (split: Split, position: number): Window => {
    let rest = position;
    for (const { film, first, end } of stretches[split]) {
      const at = first + rest;
      if (at < end - 1) return videoWindow(film.moment(at), film.moment(at + 1), layout, size, film.source, at);
      rest -= end - first - 1;
    }
    throw new RangeError(`video: window ${position} of ${counts[split]}`);
  };
  const validationCount = Math.min(validationWindows, counts.validation);
  return {
    kind: 'video',
    name,
    size,
    layout,
    leftOut,
    trainCount: counts.train,
    validationCount,
    split: { train: stretches.train.map(rangeOf), validation: stretches.validation.map(rangeOf) },
    contents: () =>
      paths.map((path) => ({
        name: path.endsWith('.jsonl') ? `${path} and the films in it` : path,
        pieces: films.filter(({ input }) => input === path).flatMap((film) => [...momentBytes(film)]),
      })),
    sample: (split, seed, step, index) => windowAt(split, rngAt(seed, 'video', step, index).integer(counts[split])),
    validation: (index) => windowAt('validation', evenly(index, validationCount, counts.validation)),
    describe: () =>
      `video: ${name}: ${count(numbers.size, 'film')}, ${count(counts.train, 'window')} to train on, ${counts.validation.toLocaleString('en-US')} held out; ` +
      `each [${layout.side ** 2} frame | ${layout.audio} audio at ${rate} Hz | ${layout.caption} caption] bytes${leftOutText(leftOut.count)}`,
  };
}

interface Listed {
  /** the manifest's line that names the film, or the film itself */
  readonly where: string;
  readonly video: string;
  readonly audio?: string;
  readonly srt?: string;
  readonly caption?: string;
}

/** A film with the sound and subtitles of the same name in its folder. */
function filmWithTracks(video: string): Listed {
  const { dir, name } = parse(video);
  const audio = join(dir, `${name}.wav`);
  const srt = join(dir, `${name}.srt`);
  return { where: video, video, ...(existsSync(audio) ? { audio } : {}), ...(existsSync(srt) ? { srt } : {}) };
}

function manifest(path: string, leftOut: Skipped): Listed[] {
  const films: Listed[] = [];
  for (const { line, value, problem } of readJsonLines(path)) {
    const where = `${path}:${line}`;
    const entry = isRecord(value) ? value : {};
    const fields = ['video', 'audio', 'srt', 'caption'].filter((key) => entry[key] !== undefined);
    const wrong = fields.find((key) => typeof entry[key] !== 'string');
    if (problem !== undefined) leftOut.add(where, problem);
    else if (entry.video === undefined) leftOut.add(where, 'has no "video", the path of a film');
    else if (wrong !== undefined) leftOut.add(where, `"${wrong}" must be text`);
    else {
      const found = fields.map((key) => {
        const text = entry[key] as string;
        return [key, key === 'caption' || isAbsolute(text) ? text : join(dirname(path), text)];
      });
      films.push({ where, ...Object.fromEntries(found) } as Listed);
    }
  }
  return films;
}

/** Maximum bytes of subtitles: ten times those of a long film. */
const largestSubtitles = 1 << 20;

/** Readers for the files of films; each file is read once. */
interface Readers {
  film(path: string): Film;
  /** μ-law bytes at the windows' rate */
  sound(path: string): Uint8Array;
  /** subtitles that fit in a window */
  cues(path: string): readonly Cue[];
}

function readCues(path: string, leftOut: Skipped): Cue[] {
  if (readable(path) > largestSubtitles)
    throw new FileError(`${path}: more than ${largestSubtitles} bytes of subtitles`);
  return parseSrt(readFileSync(path), path, leftOut);
}

function openFilm(listed: Listed, layout: VideoLayout, rate: number, read: Readers): Moments {
  const { video, audio, srt } = listed;
  const { fps, length, frame } = read.film(video);
  const heard = audio === undefined ? new Uint8Array(0) : read.sound(audio);
  const cues = srt === undefined ? undefined : read.cues(srt);
  if (listed.caption !== undefined && !captionIds(listed.caption, layout.caption)) {
    throw new FileError(`${video}: ${tooLong(listed.caption, layout.caption)}`);
  }
  const moment = (n: number): Moment => {
    const from = Math.round((n / fps) * rate);
    return {
      frame: frame(n),
      audio: heard.subarray(from, from + layout.audio),
      caption: listed.caption ?? (cues && cueAt(cues, n / fps)),
    };
  };
  return { source: video, length, moment };
}

/** The cues that fit in a window; the others are skipped. */
function fitting(cues: readonly Cue[], layout: VideoLayout, file: string, leftOut: Skipped): Cue[] {
  return cues.filter(({ text, line }) => {
    const fits = captionIds(text, layout.caption) !== undefined;
    if (!fits) leftOut.add(`${file}:${line}`, tooLong(text, layout.caption));
    return fits;
  });
}

/** The content of a film's windows, moment by moment. */
function* momentBytes({ length, moment }: Moments): Generator<Uint8Array | string> {
  for (let n = 0; n < length; n++) {
    const { frame, audio, caption } = moment(n);
    yield frame;
    yield audio;
    yield caption ?? '';
  }
}

/** `x.y4m, frames 0 to 89` */
function rangeOf({ film, first, end }: Stretch): string {
  return `${film.source}, frames ${first} to ${end - 1}`;
}

function windowCount(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { first, end }) => sum + end - first - 1, 0);
}
