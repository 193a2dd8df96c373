import { FileError } from '../../common/errors.js';

/**
 * The lines and files that a loader skipped. Loaders continue where that is safe and record it here; with `strict` the
 * first one is an error. All are counted, and the first hundred reasons are kept.
 */
export class Skipped {
  count = 0;
  readonly reasons: string[] = [];

  constructor(private readonly strict = false) {}

  /** @throws FileError when strict */
  add(where: string, reason: string): void {
    if (this.strict) throw new FileError(`${where}: ${reason}`);
    this.count++;
    if (this.reasons.length < 100) this.reasons.push(`${where}: ${reason}`);
  }

  /** Do `work`; on a FileError, record it and return undefined. Any other error is rethrown. */
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

  /** The first reason, for the error that nothing usable is left: "(3 left out, the first: a.wav: empty)". */
  summary(): string {
    return this.count === 0 ? '' : ` (${this.count} left out, the first: ${this.reasons[0]})`;
  }
}
