/*
 * Write every report again from the cells that are kept: `results/GRID/report.*` of each grid, and `results/verdicts.*` of the
 * registered experiment. test/results.test.ts holds the committed files to it.
 *
 *     npx tsx results/report.ts
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { cellsOf, chosenEmbedding, tunedArms } from '../grids/tuned.js';
import type { CollectedCell } from '../src/experiment/collect.js';
import { readGrid } from '../src/experiment/grid.js';
import { blindDeviation } from '../src/experiment/hypotheses.js';
import { jsonOf, makeReport, markdownOf, type Report } from '../src/experiment/report.js';
import { htmlOf } from '../src/experiment/reportHtml.js';
import { REGISTERED, verdictsHtml, verdictsMarkdown, verdictsOf } from '../src/experiment/verdicts.js';

/** The commit that registered PROTOCOL.md. */
const PROTOCOL = '1ec4612aa73adffbdf587bb756d4f0de7c64be09';

/** The text of every file by its path. */
export function resultFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const evidence = new Map<string, CollectedCell[]>();
  const reports: Report[] = [];
  for (const name of REGISTERED) {
    const cells = cellsOf(name);
    if (cells === undefined) continue;
    evidence.set(name, cells);
    // Grid doors shows no mean before the deviation of its seeds 0 to 3 has decided on the number of seeds.
    if (!existsSync(`results/${name}/cells`) || (name === 'doors' && blindDeviation(evidence) === undefined)) continue;
    const file = `grids/${name}.json`;
    const grid = readGrid(JSON.parse(readFileSync(file, 'utf8')), file);
    const command = `byte-to-loss experiment --grid ${file} --out runs/${name} --results results/${name} --device cpu`;
    const report = makeReport(grid, cells, command, version());
    reports.push(report);
    files.set(`results/${name}/report.json`, jsonOf(report));
    files.set(`results/${name}/report.md`, markdownOf(report));
    files.set(`results/${name}/report.html`, htmlOf(report));
  }
  const tuned = tunedArms();
  const verdicts = verdictsOf(evidence, tuned && chosenEmbedding(tuned), PROTOCOL);
  files.set('results/verdicts.json', `${JSON.stringify(verdicts, null, 2)}\n`);
  files.set('results/verdicts.md', verdictsMarkdown(verdicts));
  files.set('results/verdicts.html', verdictsHtml(verdicts, reports, evidence));
  return files;
}

function version(): string {
  return (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
}

if (process.argv[1]?.endsWith('report.ts')) {
  for (const [path, text] of resultFiles()) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(path);
  }
}
