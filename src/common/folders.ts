import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Create a folder and its parents. Node's own `recursive` never returns if a parent refuses with ENOENT, as all folders
 * in /proc do.
 *
 * @returns whether this call created the last one: of several processes that try, only one does
 * @throws the file system's error when a folder cannot be created
 */
export function makeFolders(path: string, mode = 0o777): boolean {
  if (isFolder(path)) return false;
  const above = dirname(path);
  if (above !== path) makeFolders(above, mode);
  try {
    mkdirSync(path, mode);
    return true;
  } catch (error) {
    if (!isFolder(path)) throw error;
    return false; // another process was first
  }
}

/** Is there a folder at this path? */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
