import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from './errors.js';
import { parseJson } from './json.js';
import { readable } from './readable.js';

/** One line that is not blank: its 1-based number, and its value or the reason that it has none. */
export type JsonLine = {
  readonly line: number;
  /** offset in the file after its newline; absent where that is missing, or the line too long */
  readonly end?: number;
} & ({ readonly value: unknown; readonly problem?: never } | { readonly value?: never; readonly problem: string });

const chunkBytes = 1 << 20;
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Read a JSONL file line by line: UTF-8, one JSON value per line; blank lines are skipped. Holds one line at a time.
 *
 * @param longest maximum bytes of a line; longer lines are skipped, not held. Default 8 MiB; its text and its value
 * each take the same again, or twice that
 * @throws FileError when the file cannot be read; a bad line is yielded with its problem as soon as that is known, and
 * reading continues
 */
export function* readJsonLines(path: string, longest = 8 << 20): Generator<JsonLine> {
  const chunk = Buffer.alloc(Math.min(chunkBytes, readable(path)));
  const file = openSync(path, 'r');
  try {
    let pieces: Buffer[] = []; // of the line so far; none of one that is too long
    let bytes = 0; // of the line so far
    let isTold = false; // that the line is too long
    const add = (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > longest) pieces = [];
      else pieces.push(Buffer.from(piece)); // a copy: the next chunk takes its place
    };
    let end = 0;
    for (let line = 1; ; ) {
      const read = chunk.subarray(0, readSync(file, chunk));
      let at = 0;
      for (let newline = read.indexOf(10); newline !== -1; newline = read.indexOf(10, at)) {
        add(read.subarray(at, newline));
        end += bytes + 1;
        if (bytes <= longest) {
          const content = contentOf(pieces);
          if (content) yield { line, end, ...content };
        } else if (!isTold) yield { line, problem: tooLong(longest) };
        line++;
        pieces = [];
        bytes = 0;
        isTold = false;
        at = newline + 1;
      }
      add(read.subarray(at));
      if (bytes > longest && !isTold) {
        isTold = true;
        yield { line, problem: tooLong(longest) };
      }
      if (read.length > 0) continue;
      const content = isTold ? undefined : contentOf(pieces); // the last line need not end in a newline
      if (content) yield { line, ...content };
      return;
    }
  } finally {
    closeSync(file);
  }
}

const tooLong = (longest: number) => `a line of over ${longest} bytes, the most that are read`;

/** The value of a line, or its problem; undefined if it is blank. */
function contentOf(pieces: readonly Buffer[]) {
  let text: string;
  try {
    text = decoder.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  } catch {
    return { problem: 'not UTF-8' };
  }
  try {
    return text.trim() === '' ? undefined : { value: parseJson(text, { depth: 32 }) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problem: error.message };
  }
}
