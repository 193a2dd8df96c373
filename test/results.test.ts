import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tunedGrids } from '../grids/tuned.js';
import { resultFiles } from '../results/report.js';
import { readGrid } from '../src/experiment/grid.js';
import { REGISTERED } from '../src/experiment/verdicts.js';

const files = resultFiles();

// `npx tsx results/report.ts` writes them.
test.each([...files.keys()])('%s follows from the cells that are kept', (path) => {
  expect(readFileSync(path, 'utf8')).toBe(files.get(path));
});

test('no report is left of a grid that has none', () => {
  const reports = readdirSync('results', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(report|verdicts)\.(json|md|html)$/.test(name),
  );
  expect(reports.map((name) => `results/${name}`).sort()).toEqual([...files.keys()].sort());
});

// `npx tsx grids/tuned.ts` writes them.
test('the grids that depend on grid A are those that its rules give', () => {
  for (const [name, grid] of tunedGrids().grids) {
    expect(JSON.parse(readFileSync(`grids/${name}.json`, 'utf8')), name).toEqual(grid);
  }
});

const kept = REGISTERED.filter((name) => existsSync(`results/${name}/cells`));

describe.each(kept)('the cells of %s', (name) => {
  const grid = readGrid(JSON.parse(readFileSync(`grids/${name}.json`, 'utf8')), name);
  const cells = readdirSync(`results/${name}/cells`).map((file) => ({
    id: file.replace('.json', ''),
    result: JSON.parse(readFileSync(`results/${name}/cells/${file}`, 'utf8')),
  }));

  test('are of the grid, each from a commit without changes', () => {
    for (const { id, result } of cells) {
      const cell = grid.cells.find((each) => each.id === id);
      expect(cell, id).toMatchObject({
        arm: result.arm,
        K: result.K,
        seed: result.seed,
        steps: result.steps,
        lr: result.lr,
      });
      expect(result.commit, id).toMatch(/^[0-9a-f]{40}$/);
      expect(result.weights_sha256, id).toMatch(/^[0-9a-f]{64}$/);
      expect(result.adapter, id).toMatch(/^CPU device/);
    }
  });

  // Arithmetic of its own: a mean that was computed wrongly, or a number that was changed by hand, is found.
  test('have measures that are the ratio of their windows', () => {
    for (const { id, result } of cells) {
      if (result.non_finite === undefined) expect(Object.keys(result.scores).length, id).toBeGreaterThan(0);
      for (const [measure, { sums, weights }] of Object.entries<{ sums: number[]; weights: number[] }>(result.scores)) {
        let [top, bottom] = [0, 0];
        for (let w = 0; w < sums.length; w++) {
          top += sums[w]!;
          bottom += weights[w]!;
        }
        expect(sums.length, id).toBe(result.scores.caption_bpb ? 125 : 250);
        expect(result.measures[measure], `${id} ${measure}`).toBeCloseTo(top / bottom, 10);
      }
    }
  });
});
