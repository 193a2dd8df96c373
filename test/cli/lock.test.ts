import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { cellFolder } from '../../src/experiment/cell.js';
import { readGrid } from '../../src/experiment/grid.js';
import { Lock } from '../../src/train/run/lock.js';
import { ended, hashes, startTraining, TINY_RUN } from '../reliability/runs.js';
import { cli } from '../support/cli.js';

const root = mkdtempSync(join(tmpdir(), 'byte-to-loss-lock-'));
afterAll(() => rmSync(root, { recursive: true }));

it('a second process is told who runs a folder; a dead one holds nothing', async () => {
  const grid = { name: 'g', arms: ['zero'], seeds: 0, steps: 4 };
  const file = join(root, 'grid.json');
  writeFileSync(file, JSON.stringify(grid));
  const path = cellFolder(root, readGrid(grid, file).cells[0]!); // what trains there need not be the cell
  const child = await startTraining(path);
  const refused = {
    code: 1,
    out: '',
    error: `error: ${path}: is being run by ${hostname()}, process ${child.pid}; nothing was done. Wait until it ends, or stop it\n`,
  };
  expect(await cli('train', '--resume', path)).toEqual(refused);
  expect(await cli('train', ...TINY_RUN, '--steps', '1', '--out', path)).toEqual(refused);
  const cell = await cli('experiment', '--grid', file, '--out', root, '--cell', '0');
  expect({ ...cell, out: '' }).toEqual(refused);

  child.kill('SIGKILL');
  await ended(child);
  const lock = Lock.take(join(path, 'lock'));
  expect(lock).toBeInstanceOf(Lock);
  (lock as Lock).release();
});

it('a process that slept, and whose run was taken over, writes nothing more', async () => {
  const path = join(root, 'slept');
  const child = await startTraining(path);
  child.kill('SIGSTOP');
  const lastSign = new Date(Date.now() - 180_000);
  utimesSync(join(path, 'lock'), lastSign, lastSign);
  const lock = Lock.take(join(path, 'lock')) as Lock;
  expect(lock).toBeInstanceOf(Lock);
  child.kill('SIGCONT');
  const { code, error } = await ended(child);
  expect(error).toContain(
    `error: ${join(path, 'lock')}: was taken over by ${hostname()}, process ${process.pid} after this process was silent; this process writes nothing more\n`,
  );
  expect(code).toBe(1);
  expect(hashes(path).size).toBe(0); // a run that stops saves, this one must not
  lock.check();
  lock.release();
});
