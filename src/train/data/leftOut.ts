import { FileError } from '../../common/errors.js';

/**
 * What a loader had to leave out. Loaders go on where that is safe and say so here; with `strict` the first one stops.
 * All are counted, the first hundred are kept in words.
 */
export class LeftOut {
  count = 0;
  readonly reasons: string[] = [];

  constructor(private readonly strict = false) {}

  /** @throws FileError when strict */
  add(where: string, reason: string): void {
    if (this.strict) throw new FileError(`${where}: ${reason}`);
    this.count++;
    if (this.reasons.length < 100) this.reasons.push(`${where}: ${reason}`);
  }

  /** Do `work`; if a file is at fault, note it and give undefined. Any other error goes on. */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FileError) || this.strict) throw error;
      this.count++;
      if (this.reasons.length < 100) this.reasons.push(error.message);
      return undefined;
    }
  }

  /** The first reason, for an error that nothing was left: "(3 left out, the first: a.wav: empty)". */
  summary(): string {
    return this.count === 0 ? '' : ` (${this.count} left out, the first: ${this.reasons[0]})`;
  }
}
