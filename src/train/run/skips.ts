/** Steps over which the share of skipped ones is judged. */
const WINDOW = 20;

/** Counts the steps skipped for a loss or gradient that was not finite. A few are an accident; most of them are a run that failed. */
export class Skips {
  /** over all of the run */
  count = 0;
  readonly #recent: boolean[] = [];

  /** Take note of a step. */
  add(skipped: boolean): void {
    if (skipped) this.count++;
    this.#recent.push(skipped);
    if (this.#recent.length > WINDOW) this.#recent.shift();
  }

  /** `11 of the last 20 steps`, where more than half of a whole window was skipped, or must be whatever comes; else undefined. */
  get most(): string | undefined {
    return this.#over(WINDOW / 2);
  }

  /** As `most`, of a run that has ended, whose steps may be fewer than a window. */
  get mostAtEnd(): string | undefined {
    return this.#over(this.#recent.length / 2);
  }

  #over(half: number): string | undefined {
    const skipped = this.#recent.filter(Boolean).length;
    return skipped > half ? `${skipped} of the last ${this.#recent.length} steps` : undefined;
  }
}
