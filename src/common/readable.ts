import { accessSync, constants, statSync } from 'node:fs';
import { FileError } from './errors.js';

/**
 * The size in bytes of a file that can be read.
 *
 * @throws FileError when there is no such file, it is not a plain file, or it may not be read
 */
export function readable(path: string): number {
  try {
    const stat = statSync(path);
    if (!stat.isFile())
      throw new FileError(`${path}: is ${stat.isDirectory() ? 'a folder' : 'not a plain file'}; a file is needed`);
    accessSync(path, constants.R_OK);
    return stat.size;
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new FileError(`${path}: ${code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`}`);
  }
}
