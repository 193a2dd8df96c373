import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeFolders } from '../../src/common/folders.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-folders-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('makes a folder and those above it, and is content with what is there', () => {
  expect(makeFolders(join(folder, 'a/b/c'), 0o700)).toBe(true);
  expect(makeFolders(join(folder, 'a/b/c'))).toBe(false);
  expect(statSync(join(folder, 'a/b/c')).mode & 0o777).toBe(0o700);
});

it('gives up where the system refuses, even with the error that Node takes for a missing folder above', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolders(join(folder, 'file/below'))).toThrow('ENOTDIR');
  if (process.platform === 'linux') expect(() => makeFolders('/proc/nope/below')).toThrow('ENOENT');
});
