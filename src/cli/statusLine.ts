/** The part of a stream that a status line uses: `process.stdout`, or a recorder in tests. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

/** Back to the start of the line, and erase from there to the end of the screen. */
const CLEAR = '\r\x1b[J';

/**
 * The last line of a terminal, rewritten in place while work proceeds. It owns the screen: every message goes through
 * `print`, which clears the line first and draws it again below the message.
 *
 * The cursor rests at the start of the line. An echoed ^C, or a terminal made narrower, then leaves nothing that `CLEAR`
 * does not erase. On a stream that is not a terminal nothing is drawn, and messages are plain lines.
 */
export class StatusLine {
  #compose: ((columns: number) => string) | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;

  /** @param every minimum milliseconds between two drawings: a short step takes less time than a drawing */
  constructor(
    private readonly screen: Screen = process.stdout,
    private readonly every = 50,
  ) {}

  /** Is the stream a terminal, so that `show` draws? */
  get visible(): boolean {
    return this.screen.isTTY;
  }

  /** Show a status from now on. @param compose returns its text in at most the given number of columns */
  show(compose: (columns: number) => string): void {
    this.#compose = compose;
    if (performance.now() - this.#drawnAt >= this.every) this.#draw();
  }

  /** Print a message above the status. */
  print(text: string): void {
    this.screen.write(`${this.visible ? CLEAR : ''}${text}\n`);
    this.#draw();
  }

  /** Remove the status from the screen. A second call has no effect. */
  end(): void {
    if (this.#compose !== undefined && this.visible) this.screen.write(CLEAR);
    this.#compose = undefined;
  }

  #draw(): void {
    if (this.#compose === undefined || !this.visible) return;
    this.#drawnAt = performance.now();
    // The last column stays empty: a terminal that has filled it may move to the next line.
    const columns = (this.screen.columns || 80) - 1;
    const text = Array.from(this.#compose(columns)).slice(0, columns).join('');
    this.screen.write(`${CLEAR}${text}\r`);
  }
}

/**
 * Parts of a status on one line. If they do not fit, those named in `spare` are omitted, one after another.
 *
 *     fitted({ step: 'step 3/9', bits: '4.000 bits/byte', left: '5s left' }, ['bits'], 20) // 'step 3/9  5s left'
 */
export function fitted<T extends string>(parts: Record<T, string>, spare: readonly T[], columns: number): string {
  const shown = new Map(Object.entries<string>(parts));
  const text = () => [...shown.values()].filter((part) => part !== '').join('  ');
  for (const name of spare) {
    if (text().length <= columns) break;
    shown.delete(name);
  }
  return text();
}

/** Minimum width of a bar. */
const BAR = { narrowest: 4, widest: 24 };

/** A text after a bar that fills the remaining columns. `withBar(0.5, 'step 1/2', 13) // '██░░ step 1/2'` */
export function withBar(share: number, text: string, columns: number): string {
  const width = Math.min(BAR.widest, columns - text.length - 1);
  if (width < BAR.narrowest) return text;
  const done = Math.round(share * width);
  return `${'█'.repeat(done)}${'░'.repeat(width - done)} ${text}`;
}
