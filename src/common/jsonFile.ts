import { readFileSync } from 'node:fs';
import { FileError, InputError } from './errors.js';
import { parseJson } from './json.js';
import { readable } from './readable.js';

/** Maximum bytes and values of a JSON file. */
export interface FileLimits {
  readonly bytes: number;
  readonly values: number;
}

/** A configuration, a grid or an index: a mebibyte. */
const SMALL: FileLimits = { bytes: 1 << 20, values: 100_000 };

/**
 * A file that a run or an experiment wrote: the names and hashes of all its text files, or the scores of a million windows
 * of each kind.
 */
export const WRITTEN: FileLimits = { bytes: 1 << 28, values: 1 << 24 };

/**
 * The JSON of a file.
 *
 * @param limits default a mebibyte and 100,000 values
 * @throws FileError when it is missing, longer than that, or not JSON within the limits of `parseJson`
 */
export function readJsonFile(path: string, { bytes, values }: FileLimits = SMALL): unknown {
  if (readable(path) > bytes) throw new FileError(`${path}: is longer than such a file can be (${bytes >> 20} MiB)`);
  try {
    return parseJson(readFileSync(path, 'utf8'), { depth: 16, values });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new FileError(`${path}: cannot be used: ${error.message}`);
  }
}
