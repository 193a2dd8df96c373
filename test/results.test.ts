import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { markdownOf, type Report } from '../src/train/experiment/report.js';
import { htmlOf } from '../src/train/experiment/reportHtml.js';

/** Folders of results/ that `experiment` wrote. */
const folders = readdirSync('results')
  .map((name) => join('results', name))
  .filter((folder) => existsSync(join(folder, 'report.json')));

describe.each(folders)('%s', (folder) => {
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report;
  // `UPDATE_GOLDEN=1` writes them anew.
  test.each([
    ['report.md', markdownOf],
    ['report.html', htmlOf],
  ] as const)('%s is made of report.json', (name, make) => {
    const path = join(folder, name);
    const text = make(asWritten(report));
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
    else expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

/** The JSON has a cell's fields beside its state; `makeReport` keeps them in `cell`. */
function asWritten(report: Report): Report {
  return { ...report, cells: report.cells.map((row) => ({ ...row, cell: row as unknown as typeof row.cell })) };
}
