import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from '../../engine/errors.js';
import { parseJson } from './json.js';
import { readable } from './readable.js';

/** One line that is not blank: its 1-based number, and its value or why it has none. */
export type JsonLine =
  | { readonly line: number; readonly value: unknown; readonly problem?: never }
  | { readonly line: number; readonly value?: never; readonly problem: string };

const chunkBytes = 1 << 20;

/**
 * Read a JSONL file line by line: UTF-8, one JSON value a line, blank lines passed over. Holds one line at a time.
 *
 * @param longest bytes that a line may have; more are passed over, not held
 * @throws FileError when the file cannot be read; a bad line is yielded with its problem, and reading goes on
 */
export function* readJsonLines(path: string, longest = 64 << 20): Generator<JsonLine> {
  const size = readable(path);
  const chunk = Buffer.alloc(Math.min(chunkBytes, size));
  const file = openSync(path, 'r');
  try {
    let line = 0;
    let held: Buffer[] = []; // the pieces of a line that has not ended yet
    let heldBytes = 0;
    for (;;) {
      const count = readSync(file, chunk);
      for (let at = 0; at < count; ) {
        const newline = chunk.subarray(0, count).indexOf(10, at);
        const end = newline === -1 ? count : newline;
        heldBytes += end - at;
        if (heldBytes <= longest) held.push(Buffer.from(chunk.subarray(at, end)));
        at = end + 1;
        if (newline === -1) break;
        yield* parseLine(++line, held, heldBytes, longest);
        held = [];
        heldBytes = 0;
      }
      if (count === 0) break;
    }
    yield* parseLine(++line, held, heldBytes, longest); // the last line need not end in a newline
  } finally {
    closeSync(file);
  }
}

function* parseLine(line: number, pieces: Buffer[], bytes: number, longest: number): Generator<JsonLine> {
  if (bytes > longest) {
    yield { line, problem: `a line of ${bytes} bytes (at most ${longest} are read)` };
    return;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
    if (text.trim() !== '') yield { line, value: parseJson(text, { depth: 32 }) };
  } catch (error) {
    yield { line, problem: error instanceof InputError ? error.message : 'not UTF-8' };
  }
}
