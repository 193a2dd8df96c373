import * as node from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type FileSystem, isTemporary, writeFileAtomic } from '../../src/common/atomicWrite.js';
import { FileError } from '../../src/common/errors.js';

const folder = node.mkdtempSync(join(tmpdir(), 'atomic-'));
const path = join(folder, 'checkpoint');
afterAll(() => node.rmSync(folder, { recursive: true }));
beforeEach(() => node.writeFileSync(path, 'old'));

const content = [Buffer.from('a new '), Buffer.from(''), Buffer.from('checkpoint')];
const { openSync, fsyncSync, closeSync, renameSync, unlinkSync } = node;

/** Writes at most three bytes at a time. */
const shortWrites: FileSystem = {
  openSync,
  fsyncSync,
  closeSync,
  renameSync,
  unlinkSync,
  writeSync: ((file: number, bytes: Uint8Array, at: number, length: number) =>
    node.writeSync(file, bytes, at, Math.min(3, length))) as FileSystem['writeSync'],
};

/** The file system whose n-th call (of any kind) fails with `code`; `calls` are the calls so far. */
function failing(n: number, code: string, calls: string[]): FileSystem {
  const wrap =
    (name: keyof FileSystem) =>
    (...args: never[]) => {
      calls.push(name);
      if (calls.length === n) throw Object.assign(new Error(`${code}: made up`), { code });
      return (shortWrites[name] as (...args: never[]) => unknown)(...args);
    };
  return Object.fromEntries(
    Object.keys(shortWrites).map((name) => [name, wrap(name as keyof FileSystem)]),
  ) as unknown as FileSystem;
}

describe('writeFileAtomic', () => {
  it('replaces a file, for any size of each write', () => {
    writeFileAtomic(path, content, shortWrites);
    expect(node.readFileSync(path, 'utf8')).toBe('a new checkpoint');
    writeFileAtomic(path, 'text');
    expect(node.readFileSync(path, 'utf8')).toBe('text');
    writeFileAtomic(path, Uint8Array.of(1, 2));
    expect([...node.readFileSync(path)]).toEqual([1, 2]);
    expect(node.readdirSync(folder)).toEqual(['checkpoint']);
  });

  it('leaves the old file or the new one when any call fails, and nothing else', () => {
    const all: string[] = [];
    writeFileAtomic(path, content, failing(0, '', all));
    expect(all.slice(-6)).toEqual(['fsyncSync', 'closeSync', 'renameSync', 'openSync', 'fsyncSync', 'closeSync']);
    const renamed = all.indexOf('renameSync');
    for (let n = 1; n <= all.length; n++) {
      node.writeFileSync(path, 'old');
      const write = () => writeFileAtomic(path, content, failing(n, 'ENOSPC', []));
      if (n - 1 === renamed + 1)
        write(); // a folder that cannot be opened cannot be flushed: not an error
      else expect(write).toThrow(FileError);
      expect(node.readFileSync(path, 'utf8')).toBe(n - 1 <= renamed ? 'old' : 'a new checkpoint');
      expect(node.readdirSync(folder)).toEqual(['checkpoint']);
    }
  });

  it.each([
    ['ENOSPC', 'could not be written: the disk is full. Free some space (ENOSPC)'],
    ['EROFS', 'could not be written: the file system is read-only. Choose another folder (EROFS)'],
    ['EACCES', 'could not be written: the folder may not be written to.'],
    ['EWEIRD', 'could not be written: EWEIRD: made up (EWEIRD)'],
  ])('explains %s', (code, message) => {
    expect(() => writeFileAtomic(path, content, failing(2, code, []))).toThrow(`${path}: ${message}`);
  });

  it('explains a missing folder and a folder in the way', () => {
    expect(() => writeFileAtomic(join(folder, 'no', 'file'), 'x')).toThrow(
      'its folder does not exist. Create it first (ENOENT)',
    );
    expect(() => writeFileAtomic(folder, 'x')).toThrow('it is a folder. Choose another name (EISDIR)');
  });

  it('stops when the disk takes nothing', () => {
    const stuck = { ...shortWrites, writeSync: (() => 0) as FileSystem['writeSync'] };
    expect(() => writeFileAtomic(path, content, stuck)).toThrow('the disk took no bytes');
  });

  it('knows its temporary files', () => {
    let temporary = '';
    const noted: FileSystem = {
      ...shortWrites,
      renameSync: (from, to) => {
        temporary = String(from);
        node.renameSync(from, to);
      },
    };
    writeFileAtomic(path, content, noted);
    expect(isTemporary(temporary)).toBe(true);
    expect(isTemporary(path)).toBe(false);
  });
});
