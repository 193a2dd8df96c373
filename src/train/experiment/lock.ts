import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../../engine/errors.js';
import { isRecord } from '../data/json.js';

/** Milliseconds between two signs of life, and after which a lock without one is taken over. */
const BEAT = 5_000;
const STALE = 120_000;

/** Who holds a lock. */
interface Owner {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
}

/**
 * A lock that processes on one file system take: a folder, since making one either works or fails, whole. Its time of
 * change is the holder's sign of life; a lock of a process that is gone, or silent for two minutes, is taken over.
 */
export class Lock {
  readonly #timer: NodeJS.Timeout;
  #lost = false;

  private constructor(
    readonly path: string,
    private readonly owner: Owner,
  ) {
    this.#timer = setInterval(() => this.#beat(), BEAT);
    this.#timer.unref();
  }

  /**
   * Take a lock.
   *
   * @returns the lock, or who holds it, as "host, process 123"
   * @throws FileError when its folder cannot be written
   */
  static take(path: string, stale = STALE): Lock | string {
    const owner: Owner = { token: randomUUID(), host: hostname(), pid: process.pid };
    if (!make(path, owner)) {
      const holder = readOwner(path);
      if (isAlive(path, holder, stale)) return holder ? `${holder.host}, process ${holder.pid}` : 'another process';
      // Renaming works for one of several that try; the others find nothing to rename, or the winner's fresh lock.
      const grave = `${path}.${owner.token}`;
      try {
        renameSync(path, grave);
      } catch {
        return 'another process';
      }
      // Between looking and renaming another may have taken it over: then what was renamed is theirs, and goes back.
      const moved = readOwner(grave);
      if (moved?.token !== holder?.token) {
        renameSync(grave, path);
        return 'another process';
      }
      rmSync(grave, { recursive: true, force: true });
      if (!make(path, owner)) return 'another process';
    }
    return new Lock(path, owner);
  }

  /** Has another taken it over, after this process slept too long? Then nothing more may be written. */
  get lost(): boolean {
    return this.#lost;
  }

  #beat(): void {
    if (readOwner(this.path)?.token !== this.owner.token) {
      this.#lost = true;
      return;
    }
    const now = new Date();
    try {
      utimesSync(this.path, now, now);
    } catch {
      // The next beat finds out whether it is still there.
    }
  }

  release(): void {
    clearInterval(this.#timer);
    if (readOwner(this.path)?.token === this.owner.token) rmSync(this.path, { recursive: true, force: true });
  }
}

/** Make the folder with its owner in it; false where there is one already. */
function make(path: string, owner: Owner): boolean {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new FileError(`${path}: cannot be made (${message}); choose another folder with --out`);
  }
  writeFileSync(join(path, 'owner.json'), JSON.stringify(owner));
  return true;
}

function readOwner(path: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8'));
    return isRecord(owner) ? (owner as unknown as Owner) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(path: string, holder: Owner | undefined, stale: number): boolean {
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (changed === undefined || Date.now() - changed > stale) return false;
  if (holder?.host !== hostname()) return true; // of another machine only its signs of life are known
  try {
    process.kill(holder.pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // there, but another user's
  }
}
