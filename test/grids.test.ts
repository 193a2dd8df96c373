import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openCells } from '../grids/run.js';
import { tunedGrids } from '../grids/tuned.js';
import { keepCell } from '../src/experiment/cell.js';
import { type Grid, readGrid } from '../src/experiment/grid.js';
import type { CellResult } from '../src/experiment/result.js';
import { cellsOf } from './support/evidence.js';

const root = mkdtempSync(join(tmpdir(), 'grids-'));
mkdirSync(join(root, 'grids'));
cpSync('grids/rates.json', join(root, 'grids/rates.json'));
afterAll(() => rmSync(root, { recursive: true }));

const result: CellResult = cellsOf('any', { zero: 3 }, 1)[0]!.result!;

/** Finish open cells of the first grid that has any, with a made value for each; returns the grid's name. */
function finish(value: (grid: string, arm: string, lr: number) => number): string {
  const { grid, cells } = openCells(root)!;
  const path = join(root, 'grids', `${grid}.json`);
  const laidOut: Grid = readGrid(JSON.parse(readJson(path)), grid);
  for (const index of cells) {
    const cell = laidOut.cells[index]!;
    const measure = grid.startsWith('binding') ? 'caption_bpb' : 'text_bpb';
    const bits = value(grid, cell.options.door, cell.lr);
    const scores = { [measure]: { sums: [bits, bits], weights: [1, 1] } };
    const { arm, K, seed, steps, lr } = cell;
    keepCell(
      join(root, 'results', grid),
      cell,
      { ...result, arm, K, seed, steps, lr, measures: { [measure]: bits }, scores },
      [],
    );
  }
  for (const [name, text] of tunedGrids(root).grids)
    writeFileSync(join(root, 'grids', `${name}.json`), JSON.stringify(text));
  return grid;
}

function readJson(path: string): string {
  return readFileSync(path, 'utf8');
}

test('the grids follow from each other in the order of the protocol, and the search goes beyond its ends', () => {
  expect(openCells(root)).toEqual({ grid: 'rates', cells: [...Array(30).keys()] });
  // Best at 0.004, but bytes at the upper end and projected just below the lower one.
  const best = (door: string) => (door === 'bytes' ? 0.016 : door === 'projected' ? 0.00025 : 0.004);
  const value = (grid: string, door: string, lr: number) =>
    2.5 + Math.abs(Math.log2(lr / best(door))) + (door === 'bytes' ? 0.3 : 0) + (grid === 'deviations' ? 0.1 : 0);
  const order: string[] = [];
  while (openCells(root) !== undefined) order.push(finish(value));
  expect(order).toEqual([
    ...['rates', 'rates-beyond', 'rates-beyond', 'rates-again', 'deviations', 'doors'],
    ...['binding-rates', 'binding', 'small', 'long', 'small-long'],
  ]);
  const doors = readGrid(JSON.parse(readJson(join(root, 'grids/doors.json'))), 'doors');
  const rate = (arm: string) => doors.cells.find((cell) => cell.arm === arm)!.lr;
  expect(['zero', 'bytes', 'projected', 'permuted', 'zero:value'].map(rate)).toEqual([
    0.004, 0.016, 0.00025, 0.004, 0.004,
  ]);
  expect(doors.cells.length).toBe(66);
  expect(new Set(doors.cells.map(({ options }) => options.validationPart))).toEqual(new Set(['odd']));
  const small = readGrid(JSON.parse(readJson(join(root, 'grids/small.json'))), 'small');
  expect(small.cells.map(({ arm }) => arm).slice(0, 5)).toEqual([
    'zero',
    'projected',
    'bytes-untied',
    'bytes+previous',
    'permuted',
  ]);
  expect(small.cells[0]!.lr).toBe(0.002);
  expect(small.cells[0]!.decoder).toMatchObject({ dim: 256, layers: 4, K: 8 });
  const binding = readGrid(JSON.parse(readJson(join(root, 'grids/binding.json'))), 'binding');
  expect(binding.cells.length).toBe(20);
  expect(readdirSync(join(root, 'grids')).length).toBe(11 - 1);
});
