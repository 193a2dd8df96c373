import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Lock } from '../../../src/train/run/lock.js';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A lock that another process left, and when it last gave a sign of life. */
function left(name: string, owner: object | undefined, secondsAgo = 0): string {
  const path = join(folder, name);
  mkdirSync(path);
  if (owner) writeFileSync(join(path, 'owner.json'), JSON.stringify(owner));
  const then = new Date(Date.now() - 1000 * secondsAgo);
  utimesSync(path, then, then);
  return path;
}

const taken = (path: string) => {
  const lock = Lock.take(path);
  if (typeof lock === 'string') return lock;
  lock.release();
  return true;
};

describe('Lock', () => {
  it('is held by one, who names themself, and can be taken again once released', () => {
    const path = join(folder, 'one');
    const lock = Lock.take(path);
    expect(lock).toBeInstanceOf(Lock);
    expect(Lock.take(path)).toBe(`${hostname()}, process ${process.pid}`);
    (lock as Lock).release();
    expect(existsSync(path)).toBe(false);
    expect(taken(path)).toBe(true);
  });

  it('is taken over from a process that is gone, at once', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('close', resolve));
    expect(taken(left('gone', { token: 'x', host: hostname(), pid: child.pid }))).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken over from a process whose host name and number this one has now, as in a container started again', () => {
    expect(taken(left('myself', { token: 'x', host: hostname(), pid: process.pid }))).toBe(true);
  });

  it('tells who holds it, as long as that is so', () => {
    const path = left('told', { token: 'x', host: 'elsewhere', pid: 1 }, 60);
    expect(Lock.holder(path)).toBe('elsewhere, process 1');
    expect(Lock.holder(path, 30_000)).toBeUndefined();
    expect(Lock.holder(join(folder, 'nowhere'))).toBeUndefined();
    rmSync(path, { recursive: true });
  });

  it("that was taken over, or removed, is found lost before the next write, and the other's is not released", () => {
    const path = join(folder, 'slept');
    const slept = Lock.take(path) as Lock;
    slept.check();
    rmSync(path, { recursive: true });
    expect(() => slept.check()).toThrow(`${path}: was removed; this process writes nothing more`);
    const owner = { token: 'x', host: 'elsewhere', pid: 1 };
    left('slept', owner);
    expect(() => slept.check()).toThrow(
      `${path}: was taken over by elsewhere, process 1 after this process was silent; this process writes nothing more`,
    );
    slept.release();
    expect(Lock.holder(path)).toBe('elsewhere, process 1');
    rmSync(path, { recursive: true });
  });

  it('is left to another machine while it gives signs of life, and taken over after', () => {
    const owner = { token: 'x', host: 'elsewhere', pid: 1 };
    expect(taken(left('alive', owner, 60))).toBe('elsewhere, process 1');
    expect(taken(left('silent', owner, 180))).toBe(true);
  });

  it('without an owner yet is young or dead', () => {
    expect(taken(left('young', undefined))).toBe('another process');
    expect(taken(left('dead', undefined, 180))).toBe(true);
  });

  it('goes to exactly one of many that want a dead one', () => {
    const path = left('wanted', { token: 'x', host: 'elsewhere', pid: 1 }, 180);
    const all = Array.from({ length: 20 }, () => Lock.take(path));
    const locks = all.filter((lock) => lock instanceof Lock);
    expect(locks.length).toBe(1);
    locks[0]!.release();
  });
});
