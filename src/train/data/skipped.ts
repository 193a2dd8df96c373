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

  /**
   * Do `work` on a file; on a FileError, record it and return undefined. Any other error is rethrown.
   *
   * @param where names the file: `list.jsonl:3`, which the reason then begins with, or the file itself
   * @throws FileError when strict
   */
  attempt<T>(where: string, file: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const reason = where === file ? error.message : `${where}: ${error.message}`;
      if (this.strict) throw new FileError(reason, { cause: error });
      this.count++;
      if (this.reasons.length < 100) this.reasons.push(reason);
      return undefined;
    }
  }

  /** The first reason, for the error that nothing usable is left: "(3 left out, the first: a.wav: empty)". */
  summary(): string {
    return this.count === 0 ? '' : ` (${this.count} left out, the first: ${this.reasons[0]})`;
  }
}
