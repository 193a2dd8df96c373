import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RunFolder } from '../../../src/train/run/folder.js';

const here = process.cwd();
let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'byte-to-loss-folder-')));
  process.chdir(root);
});
afterEach(() => {
  process.chdir(here);
  rmSync(root, { recursive: true });
});

it('runs of one second have names of their own', () => {
  const now = new Date('2026-11-24T12:21:38.200Z');
  const folders = [1, 2, 3].map(() => RunFolder.createNamed('tiny', 'zero', now));
  const name = 'runs/2026-11-24T12-21-38-tiny-zero';
  expect(folders.map(({ path }) => path)).toEqual([name, `${name}-2`, `${name}-3`]);
  for (const folder of folders) folder.release();
});

it('is removed again by a run that did not begin, and by no other', () => {
  const refused = RunFolder.create('refused');
  refused.writeJson('config.json', {});
  refused.writeJson('split.json', {});
  refused.writeJson('memory.json', {});
  refused.discard();
  expect(existsSync('refused')).toBe(false);

  const begun = RunFolder.create('begun');
  begun.writeJson('config.json', {});
  begun.log({ step: 1 });
  begun.discard();
  expect(existsSync('begun/config.json')).toBe(true);
  expect(existsSync('begun/lock')).toBe(false);

  const lost = RunFolder.create('lost');
  lost.writeJson('config.json', {});
  rmSync('lost/lock', { recursive: true });
  lost.discard(); // another process may have taken it over
  expect(existsSync('lost/config.json')).toBe(true);
});

it.each(['config.json', 'split.json', 'memory.json', 'metrics.jsonl', 'samples.jsonl', 'sample.txt', 'report.html'])(
  'is refused where it holds a %s already, which stays',
  (name) => {
    mkdirSync('others');
    writeFileSync(join('others', name), 'of another program');
    expect(() => RunFolder.create('others')).toThrow(
      name === 'config.json'
        ? /^others: already holds a run; resume it with --resume others, /
        : `others: holds a ${name}, which a run would overwrite; choose another folder with --out, or move that file`,
    );
    expect(readFileSync(join('others', name), 'utf8')).toBe('of another program');
    expect(existsSync('others/lock')).toBe(false);
    expect(existsSync('others/checkpoints')).toBe(false);
  },
);
