/** Number of steps over which the share of skipped steps is computed. */
const WINDOW = 20;

/**
 * Counts the steps skipped for a loss or gradient that was not finite. A few are accidents; a majority means that the
 * run failed.
 */
export class Skips {
  /** over the whole run */
  count = 0;
  readonly #recent: boolean[] = [];

  /** Record a step. */
  add(skipped: boolean): void {
    if (skipped) this.count++;
    this.#recent.push(skipped);
    if (this.#recent.length > WINDOW) this.#recent.shift();
  }

  /** `11 of the last 20 steps`, if more than half of a whole window was skipped or is certain to be; else undefined. */
  get most(): string | undefined {
    return this.#over(WINDOW / 2);
  }

  /** Like `most`, for a finished run, which may have fewer steps than a window. */
  get mostAtEnd(): string | undefined {
    return this.#over(this.#recent.length / 2);
  }

  #over(half: number): string | undefined {
    const skipped = this.#recent.filter(Boolean).length;
    return skipped > half ? `${skipped} of the last ${this.#recent.length} steps` : undefined;
  }
}
