import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judgeClaims } from '../src/experiment/claims.js';
import { type CollectedCell, summarise } from '../src/experiment/collect.js';
import { readGrid } from '../src/experiment/grid.js';
import { jsonOf, markdownOf, type Report } from '../src/experiment/report.js';
import { htmlOf } from '../src/experiment/reportHtml.js';

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

test('the numbers in results/README.md are those of the reports', () => {
  const armsOf = (name: string) => {
    const { groups } = JSON.parse(readFileSync(join('results', name, 'report.json'), 'utf8')) as Report;
    return groups[0]!.arms;
  };
  const arm = (name: string, called: string) => armsOf(name).find(({ arm }) => arm === called)!;
  const mean = (name: string, called: string, measure = 'text_bpb') => arm(name, called).measures[measure]!.mean;
  const cost = (name: string, called: string, measure = 'text_bpb') => arm(name, called).toZero![measure]!;
  const digits = (value: number) => value.toFixed(3).replace('-', '−');
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  const value = cost('channels', 'zero:value');
  const best = cost('channels', 'zero:dxor,d2xor');
  const doors = ['zero', 'projected', 'bytes', 'permuted', 'zero:value'];
  const text = readFileSync('results/README.md', 'utf8').replaceAll('\n', ' ');
  for (const words of [
    `zero and bytes tie (${digits(mean('channels', 'zero'))} and ${digits(mean('channels', 'bytes'))})`,
    `zero costs ${digits(value.mean)} more (95 % interval ${digits(value.mean - value.half!)} to ${digits(value.mean + value.half!)})`,
    `\`permuted\` ends at ${digits(mean('channels', 'permuted'))}, \`random\` at ${digits(mean('channels', 'random'))} and \`learned\` at ${digits(mean('channels', 'learned'))}`,
    `the raw bits (${digits(mean('channels', 'zero:bits'))}) and their differences (${digits(mean('channels', 'zero:dxor'))})`,
    `far behind (${digits(mean('channels', 'zero:phase'))})`,
    `best mean of all arms (${digits(Math.min(...armsOf('channels').map(({ measures }) => measures.text_bpb!.mean)))})`,
    `not sure (${digits(best.mean)} ± ${digits(best.half!)})`,
    `| here, seed 0 | ${doors.map((door) => digits(mean('pilot-text', door))).join(' | ')} |`,
    `of ${digits(cost('pilot-text', 'bytes').mean)}, and ${digits(cost('pilot-text', 'zero:value').mean)} of it`,
    `is ${digits(cost('pilot-text', 'permuted').mean)} behind`,
    `in ${percent(mean('binding', 'zero', 'retrieval'))} of recordings, bytes in ${percent(mean('binding', 'bytes', 'retrieval'))}`,
    `costs ${digits(cost('binding', 'bytes', 'caption_bpb').mean)} bits per byte less`,
  ]) {
    expect(text).toContain(words);
  }
  const share = cost('pilot-text', 'zero:value').mean / cost('pilot-text', 'bytes').mean;
  expect(share).toBeCloseTo(0.9, 1); // nine tenths
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
