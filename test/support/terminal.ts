import type { Screen } from '../../src/cli/statusLine.js';

const ERASE = '\x1b[J';

/** A terminal of some columns that obeys what a status line sends: text that wraps, \r, \n, and erasing to the end of the screen. */
export class Terminal implements Screen {
  readonly isTTY = true;
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(readonly columns: number) {}

  write(text: string | Uint8Array): boolean {
    for (const [i, part] of String(text).split(ERASE).entries()) {
      if (i > 0) this.#erase();
      for (const char of part) this.#take(char);
    }
    return true;
  }

  /** What a person sees, row by row. */
  get rows(): string[] {
    return this.#rows.map((row) => Array.from(row, (char) => char ?? ' ').join(''));
  }

  #take(char: string): void {
    if (char === '\r') this.#column = 0;
    else if (char === '\n') this.#moveTo(this.#row + 1);
    else {
      if (this.#column === this.columns) this.#moveTo(this.#row + 1);
      this.#rows[this.#row]![this.#column++] = char;
    }
  }

  #erase(): void {
    this.#rows.length = this.#row + 1;
    this.#rows[this.#row]!.length = this.#column;
  }

  #moveTo(row: number): void {
    this.#row = row;
    this.#column = 0;
    this.#rows[row] ??= [];
  }
}
