import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judgeClaims } from '../src/train/experiment/claims.js';
import { type CollectedCell, summarise } from '../src/train/experiment/collect.js';
import { readGrid } from '../src/train/experiment/grid.js';
import { jsonOf, markdownOf, type Report } from '../src/train/experiment/report.js';
import { htmlOf } from '../src/train/experiment/reportHtml.js';

/** Names in results/ that `experiment` wrote a report under. */
const names = readdirSync('results').filter((name) => existsSync(join('results', name, 'report.json')));

describe.each(names)('results/%s', (name) => {
  const folder = join('results', name);
  const stored = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report;
  const report = remade(stored, name);
  // `UPDATE_GOLDEN=1` writes them anew.
  test.each([
    ['report.json', jsonOf],
    ['report.md', markdownOf],
    ['report.html', htmlOf],
  ] as const)('%s follows from the runs that report.json lists', (file, make) => {
    const path = join(folder, file);
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, make(report));
    else expect(readFileSync(path, 'utf8')).toBe(make(report));
  });
});

/** The report with its means and verdicts computed again from its runs. */
function remade(report: Report, name: string): Report {
  const path = join('grids', `${name}.json`);
  const grid = readGrid(JSON.parse(readFileSync(path, 'utf8')), path);
  // The JSON has a cell's fields beside its state; a report keeps them in `cell`.
  const cells = report.cells.map((row) => ({ ...row, cell: row as unknown as CollectedCell['cell'] }));
  expect(cells.map(({ cell }) => cell.id)).toEqual(grid.cells.map(({ id }) => id));
  const groups = summarise(grid, cells);
  return { ...report, about: grid.about, groups, claims: judgeClaims(groups), cells };
}
