import { readFileSync } from 'node:fs';
import { FileError, InputError } from './errors.js';
import { parseJson } from './json.js';
import { readable } from './readable.js';

/** Maximum bytes of a configuration, a grid, an index or a result: a mebibyte. */
const MAX_BYTES = 1 << 20;

/**
 * The JSON of a small file.
 *
 * @throws FileError when it is missing, longer than a mebibyte, or not JSON within the limits of `parseJson`
 */
export function readJsonFile(path: string): unknown {
  if (readable(path) > MAX_BYTES) throw new FileError(`${path}: is longer than a configuration can be (1 MiB)`);
  try {
    return parseJson(readFileSync(path, 'utf8'), { depth: 16 });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new FileError(`${path}: cannot be used: ${error.message}`);
  }
}
