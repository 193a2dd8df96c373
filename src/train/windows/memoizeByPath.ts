import { resolve } from 'node:path';

/**
 * Read each file once, however many lines of a manifest name it, so that memory follows the files and not the lines.
 *
 * @returns `read`, which gives what it gave for the same file before, or throws what it threw
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
