import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { reason } from '../../common/atomicWrite.js';
import { FileError } from '../../common/errors.js';
import { isRecord } from '../../common/json.js';

/** Milliseconds between two signs of life, and after which a lock without one is taken over. */
const BEAT = 5_000;
const STALE = 120_000;

/** Who holds a lock. */
interface Owner {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
}

/** Tokens of the locks that this process holds. */
const ours = new Set<string>();

/**
 * A lock that processes on one file system take: a folder, since making one either works or fails, whole. Its time of
 * change is the holder's sign of life; a lock of a process that is gone, or silent for two minutes, is taken over.
 *
 * A process that slept that long wakes up without it: `check` before each write finds out. What is written in the
 * moment between the two cannot be helped without a file system that knows of the lock.
 */
export class Lock {
  readonly #timer: NodeJS.Timeout;

  private constructor(
    readonly path: string,
    private readonly owner: Owner,
  ) {
    ours.add(owner.token);
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
      if (isAlive(path, holder, stale)) return nameOf(holder);
      // Renaming works for one of several that try; the others find nothing to rename, or the winner's fresh lock.
      const grave = `${path}.${owner.token}`;
      try {
        renameSync(path, grave);
      } catch {
        return nameOf(undefined);
      }
      // Between looking and renaming another may have taken it over: then what was renamed is theirs, and goes back.
      const moved = readOwner(grave);
      if (moved?.token !== holder?.token) {
        renameSync(grave, path);
        return nameOf(moved);
      }
      rmSync(grave, { recursive: true, force: true });
      if (!make(path, owner)) return nameOf(undefined);
    }
    return new Lock(path, owner);
  }

  /** Who holds a lock, as `take` would say; undefined where it could be taken. */
  static holder(path: string, stale = STALE): string | undefined {
    const holder = readOwner(path);
    return isAlive(path, holder, stale) ? nameOf(holder) : undefined;
  }

  /** @throws FileError when it is this process's no more, so that nothing more may be written */
  check(): void {
    const holder = readOwner(this.path);
    if (holder?.token === this.owner.token) return;
    const how = holder ? `taken over by ${nameOf(holder)} after this process was silent` : 'removed';
    throw new FileError(`${this.path}: was ${how}; this process writes nothing more`);
  }

  #beat(): void {
    if (readOwner(this.path)?.token !== this.owner.token) return;
    const now = new Date();
    try {
      utimesSync(this.path, now, now);
    } catch {
      // The next look finds out whether it is still there.
    }
  }

  /** Let go of it. Twice is once; a folder that cannot be removed is taken over once this process has ended. */
  release(): void {
    clearInterval(this.#timer);
    ours.delete(this.owner.token);
    if (readOwner(this.path)?.token !== this.owner.token) return;
    try {
      rmSync(this.path, { recursive: true, force: true });
    } catch {
      // Said above.
    }
  }
}

/** Make the folder with its owner in it; false where there is one already. */
function make(path: string, owner: Owner): boolean {
  let made = false;
  try {
    mkdirSync(path);
    made = true;
    writeFileSync(join(path, 'owner.json'), JSON.stringify(owner));
    return true;
  } catch (error) {
    if (made) rmSync(path, { recursive: true, force: true });
    else if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new FileError(`${path}: could not be made: ${reason(error)}`, { cause: error });
  }
}

function readOwner(path: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8'));
    return isRecord(owner) ? (owner as unknown as Owner) : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(holder: Owner | undefined): string {
  return holder ? `${holder.host}, process ${holder.pid}` : 'another process';
}

function isAlive(path: string, holder: Owner | undefined, stale: number): boolean {
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (changed === undefined || Date.now() - changed > stale) return false;
  if (holder?.host !== hostname()) return true; // of another machine only its signs of life are known
  // A container that starts again has the host name and the process number of the one that died.
  if (holder.pid === process.pid) return ours.has(holder.token);
  try {
    process.kill(holder.pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // there, but another user's
  }
}
