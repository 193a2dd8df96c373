import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from './errors.js';
import { parseJson } from './json.js';
import { readable } from './readable.js';

/** One line that is not blank: its 1-based number, and its value or the reason that it has none. */
export type JsonLine =
  | { readonly line: number; readonly value: unknown; readonly problem?: never }
  | { readonly line: number; readonly value?: never; readonly problem: string };

const chunkBytes = 1 << 20;

/**
 * Read a JSONL file line by line: UTF-8, one JSON value per line; blank lines are skipped. Holds one line at a time.
 *
 * @param longest maximum bytes of a line; longer lines are skipped, not held. Default 8 MiB; its text and its value
 * each take the same again, or twice that
 * @throws FileError when the file cannot be read; a bad line is yielded with its problem, and reading continues
 */
export function* readJsonLines(path: string, longest = 8 << 20): Generator<JsonLine> {
  const chunk = Buffer.alloc(Math.min(chunkBytes, readable(path)));
  const file = openSync(path, 'r');
  try {
    let line = new Line(longest);
    for (let number = 1; ; ) {
      const count = readSync(file, chunk);
      for (let at = 0; at < count; ) {
        const newline = chunk.subarray(0, count).indexOf(10, at);
        line.add(chunk.subarray(at, newline === -1 ? count : newline));
        if (newline === -1) break;
        yield* line.parse(number++);
        line = new Line(longest);
        at = newline + 1;
      }
      if (count > 0) continue;
      yield* line.parse(number); // the last line need not end in a newline
      return;
    }
  } finally {
    closeSync(file);
  }
}

/** A line that is being read: its text so far, decoded piece by piece, since keeping its bytes too would double it. */
class Line {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #text = '';
  #bytes = 0;
  #isUtf8 = true;

  constructor(private readonly longest: number) {}

  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    this.#decode(piece, true);
  }

  *parse(line: number): Generator<JsonLine> {
    this.#decode(new Uint8Array(0), false);
    if (this.#bytes > this.longest) {
      yield { line, problem: `a line of ${this.#bytes} bytes (at most ${this.longest} are read)` };
    } else if (!this.#isUtf8) {
      yield { line, problem: 'not UTF-8' };
    } else if (this.#text.trim() !== '') {
      yield parsed(line, this.#text);
    }
  }

  #decode(piece: Uint8Array, stream: boolean): void {
    if (this.#bytes > this.longest) this.#text = '';
    else if (this.#isUtf8) {
      try {
        this.#text += this.#decoder.decode(piece, { stream });
      } catch {
        this.#isUtf8 = false;
      }
    }
  }
}

function parsed(line: number, text: string): JsonLine {
  try {
    return { line, value: parseJson(text, { depth: 32 }) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { line, problem: error.message };
  }
}
