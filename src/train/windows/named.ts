import { FileError } from '../../common/errors.js';

/**
 * Do `work` on a file that a manifest names: an error about a file then names the line.
 *
 * @param where `list.jsonl:3`, or the file itself without a manifest
 * @throws the error of `work`
 */
export function named<T>(where: string, file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FileError) || where === file) throw error;
    throw new FileError(`${where}: ${error.message}`, { cause: error });
  }
}
