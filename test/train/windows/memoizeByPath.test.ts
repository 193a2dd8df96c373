import { join, resolve } from 'node:path';
import { expect, it, vi } from 'vitest';
import { memoizeByPath } from '../../../src/train/windows/memoizeByPath.js';

it('a file is read once, under any of its paths, and its error is raised each time', () => {
  const read = vi.fn((path: string) => {
    if (path.includes('bad')) throw new Error('no film');
    return [path];
  });
  const once = memoizeByPath(read);
  expect(once('films/a')).toBe(once(resolve('films/a')));
  expect(once(join('films', 'b', '..', 'a'))).toBe(once('films/a'));
  expect(() => once('bad')).toThrow('no film');
  expect(() => once('bad')).toThrow('no film');
  expect(read).toHaveBeenCalledTimes(2);
});
