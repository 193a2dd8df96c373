/*
 * Continue the registered experiment to its end: the open cells of the first grid that has any, then the grids that
 * `tuned.ts` writes after it, in the order of results/PROTOCOL.md. Stop it at any time; the same command resumes it.
 *
 *     npm run build && npx tsx grids/run.ts [processes]
 *
 * Each process trains one cell at a time with one thread; give as many as there are cores. Build and run it in a
 * separate checkout that is not edited, since a cell records the commit of its code.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { REGISTERED } from '../src/experiment/verdicts.js';
import { cellsOf, tunedGrids } from './tuned.js';

/** The first grid that has open cells, and their numbers; undefined where all that is defined has finished. */
export function openCells(root = '.'): { grid: string; cells: number[] } | undefined {
  for (const grid of REGISTERED) {
    const open = (cellsOf(grid, root) ?? []).filter(({ state }) => state !== 'finished');
    if (open.length > 0) return { grid, cells: open.map(({ cell }) => cell.index) };
  }
  return undefined;
}

/** Train one cell in a process of its own. @returns whether it finished */
function runCell(grid: string, cell: number): Promise<boolean> {
  const paths = ['--grid', `grids/${grid}.json`, '--out', `runs/${grid}`, '--results', `results/${grid}`];
  const args = ['dist/cli.js', 'experiment', ...paths, '--device', 'cpu', '--threads', '1', '--cell', `${cell}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)));
}

/** Run open cells until there are none, or until none of a round finishes. */
async function runAll(processes: number): Promise<void> {
  for (;;) {
    for (const [name, grid] of tunedGrids().grids) {
      writeFileSync(`grids/${name}.json`, `${JSON.stringify(grid, null, 2)}\n`);
    }
    const open = openCells();
    if (open === undefined) return;
    console.log(`grid ${open.grid}: ${open.cells.length} open cells`);
    // One round is at most a seed of the largest grid, so that a rule that looks at finished seeds is applied in time.
    const queue = open.cells.slice(0, 11);
    let finished = 0;
    const worker = async () => {
      for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
        if (await runCell(open.grid, cell)) finished++;
      }
    };
    await Promise.all(Array.from({ length: processes }, worker));
    if (finished === 0) throw new Error(`no cell of grid ${open.grid} finished; see its messages above`);
  }
}

if (process.argv[1]?.endsWith('run.ts')) await runAll(Number(process.argv[2] ?? 1));
