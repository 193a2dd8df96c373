import * as node from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FileError } from './errors.js';

/** The part of a file system that writing uses: `node:fs`, or one that fails on purpose. */
export type FileSystem = Pick<
  typeof node,
  'openSync' | 'writeSync' | 'fsyncSync' | 'closeSync' | 'renameSync' | 'unlinkSync'
>;

/** Maximum bytes of one write call; Linux itself accepts at most 2 GiB. */
const largestWrite = 1 << 26;

/**
 * Write a whole file or nothing: the bytes go to a temporary file in the same folder, are flushed to the disk, and take the
 * name in one rename, which is flushed too. At any moment a reader finds the old file or the new one.
 *
 * A process killed during the write leaves a temporary file (see `isTemporary`), never a partial `path`.
 *
 * @param chunks the content in order, not copied
 * @throws FileError when the disk is full, the folder is read-only, …; the temporary file is removed and `path` is as it was
 */
export function writeFileAtomic(
  path: string,
  chunks: string | Uint8Array | readonly Uint8Array[],
  fs: FileSystem = node,
): void {
  const content = typeof chunks === 'string' ? [Buffer.from(chunks)] : chunks instanceof Uint8Array ? [chunks] : chunks;
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  let open: number | undefined; // the temporary file, while it is open
  let made = false; // is there a temporary file to remove?
  try {
    const file = fs.openSync(temporary, 'w');
    open = file;
    made = true;
    for (const chunk of content) writeWhole(file, chunk, fs);
    fs.fsyncSync(file);
    open = undefined; // a close that fails has closed all the same
    fs.closeSync(file);
    fs.renameSync(temporary, path);
    made = false;
    syncFolder(dirname(path), fs);
  } catch (error) {
    if (open !== undefined) quietly(() => fs.closeSync(open!));
    if (made) quietly(() => fs.unlinkSync(temporary));
    throw new FileError(`${path}: could not be written: ${reason(error)}`, { cause: error });
  }
}

/** Is it the name of a temporary file from a killed write? Such a file may be removed when no writer runs. */
export function isTemporary(name: string): boolean {
  return /^\..+\.\d+\.tmp$/.test(basename(name));
}

/** Write all bytes: a single call may write fewer than it was given. */
function writeWhole(file: number, chunk: Uint8Array, fs: FileSystem): void {
  for (let at = 0; at < chunk.length; ) {
    const count = fs.writeSync(file, chunk, at, Math.min(chunk.length - at, largestWrite));
    if (count === 0) throw new Error('the disk took no bytes');
    at += count;
  }
}

/**
 * Flush the rename. Not every system lets a folder be opened or flushed (Windows does not); the rename is done
 * nevertheless.
 */
function syncFolder(folder: string, fs: FileSystem): void {
  let open: number;
  try {
    open = fs.openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    fs.fsyncSync(open);
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    fs.closeSync(open);
  }
}

/** Do work whose failure does no harm: most of it cleans up after an error, which is the one to report. */
export function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Files that remain are found and removed by a resumed run.
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space',
  EDQUOT: 'the disk quota is used up. Free some space',
  EROFS: 'the file system is read-only. Choose another folder',
  EACCES: 'the folder may not be written to. Choose another folder, or change its permissions',
  EPERM: 'the folder may not be written to. Choose another folder, or change its permissions',
  ENOENT: 'its folder does not exist. Create it first',
  ENOTDIR: 'a part of the path is not a folder. Choose another one',
  EISDIR: 'it is a folder. Choose another name',
  EMFILE: 'too many files are open',
  EIO: 'the disk reports an error',
};

/** The error of the file system, and a fix. `reason(ENOSPC) // 'the disk is full. Free some space (ENOSPC)'` */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `${reasons[code] ?? message} (${code})`;
}
