import { resolve } from 'node:path';

/**
 * Read each file once, even if many lines of a manifest name it, so that memory grows with the files and not with the
 * lines.
 *
 * @returns `read` with a memory: the same file gives the same result, or the same error
 */
export function memoizeByPath<T>(read: (path: string) => T): (path: string) => T {
  const outcomes = new Map<string, () => T>();
  return (path) => {
    const file = resolve(path);
    let outcome = outcomes.get(file);
    if (outcome === undefined) {
      try {
        const value = read(path);
        outcome = () => value;
      } catch (error) {
        outcome = () => {
          throw error;
        };
      }
      outcomes.set(file, outcome);
    }
    return outcome();
  };
}
