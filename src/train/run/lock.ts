import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { quietly, reason } from '../../common/atomicWrite.js';
import { FileError } from '../../common/errors.js';
import { isRecord } from '../../common/json.js';

/** Milliseconds between two heartbeats, and after which a lock without one is taken over. */
const BEAT = 5_000;
const STALE = 120_000;

/** The holder of a lock. */
interface Owner {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
}

/** Tokens of the locks that this process holds. */
const ours = new Set<string>();

/**
 * A lock between processes on one file system: a folder, since creating one is atomic. Its modification time is the
 * holder's heartbeat. A lock is taken over if its process has ended or was silent for two minutes.
 *
 * A process that slept that long has lost the lock: `check` before each write detects it. A write between the check and
 * the takeover cannot be prevented without support of the file system.
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
   * @returns the lock, or its holder, as "host, process 123"
   * @throws FileError when its folder cannot be written
   */
  static take(path: string): Lock | string {
    const owner: Owner = { token: randomUUID(), host: hostname(), pid: process.pid };
    if (!make(path, owner)) {
      const holder = readOwner(path);
      if (isAlive(path, holder, STALE)) return nameOf(holder);
      // Only one of several processes can rename it; the others find nothing to rename, or the winner's new lock.
      const grave = `${path}.${owner.token}`;
      try {
        renameSync(path, grave);
      } catch {
        return nameOf(undefined);
      }
      // Another process may have taken it over between the look and the rename: then the renamed lock is theirs, and is
      // restored.
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

  /** The holder of a lock, as `take` would return it; undefined if it is free. */
  static holder(path: string, stale = STALE): string | undefined {
    const holder = readOwner(path);
    return isAlive(path, holder, stale) ? nameOf(holder) : undefined;
  }

  /** @throws FileError when this process has lost it, so that it must not write any more */
  check(): void {
    const holder = readOwner(this.path);
    if (holder?.token === this.owner.token) return;
    const how = holder ? `taken over by ${nameOf(holder)} after this process was silent` : 'removed';
    throw new FileError(`${this.path}: was ${how}; this process writes nothing more`);
  }

  #beat(): void {
    if (readOwner(this.path)?.token !== this.owner.token) return;
    const now = new Date();
    quietly(() => utimesSync(this.path, now, now)); // the next check detects whether the lock still exists
  }

  /**
   * Release it. A second call has no effect; a folder that cannot be removed is taken over after this process has
   * ended.
   */
  release(): void {
    clearInterval(this.#timer);
    ours.delete(this.owner.token);
    if (readOwner(this.path)?.token !== this.owner.token) return;
    quietly(() => rmSync(this.path, { recursive: true, force: true }));
  }
}

/** Create the folder with its owner in it; false if it already exists. */
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
    throw new FileError(`${path}: could not be created: ${reason(error)}`, { cause: error });
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
  if (holder?.host !== hostname()) return true; // only the heartbeat of a process on another machine is known
  // A container that starts again has the host name and the process number of the one that died.
  if (holder.pid === process.pid) return ours.has(holder.token);
  try {
    process.kill(holder.pid, 0); // signal 0 only tests
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // exists, but belongs to another user
  }
}
