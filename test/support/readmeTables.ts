import type { PeerResult, PeerResults, PeerRow } from '../../bench/peers/results.js';
import { comparisonName } from '../../src/experiment/hypotheses.js';
import { type Interval, intervalOf } from '../../src/experiment/intervals.js';
import { differenceText, signed } from '../../src/experiment/numberText.js';
import { MEASURES } from '../../src/experiment/report.js';
import type { Verdicts } from '../../src/experiment/verdicts.js';

/*
 * The README's tables of results and speed, each from the JSON file that a command writes. test/readme.test.ts
 * holds the README to them. The commands are byte-to-loss experiment and bench/peers/run.ts --record.
 */

/** A table in Markdown. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

/** results/exploratory.json: runs from before the experiment was registered. */
export interface Exploratory {
  readonly [name: string]: {
    readonly K: number;
    readonly steps: number;
    readonly windows: number;
    readonly runs: readonly {
      readonly arm: string;
      readonly seed: number;
      readonly measures: Readonly<Record<string, number>>;
    }[];
  };
}

/** One row per exploratory grid: the difference of the zero door to each other door, in the measure that the grid is about. */
export function exploratoryTable(grids: Exploratory): string {
  const others = ['projected', 'bytes', 'permuted'];
  const rows = Object.entries(grids).map(([name, { steps, windows, runs }]) => {
    const measure = runs.every(({ measures }) => measures.text_bpb !== undefined) ? 'text_bpb' : 'caption_bpb';
    const of = (arm: string) => runs.filter((run) => run.arm === arm);
    const seeds = new Set(runs.map(({ seed }) => seed)).size;
    const differences = others.map((other) => {
      const pairs = of('zero').flatMap((zero) => {
        const paired = of(other).find(({ seed }) => seed === zero.seed);
        return paired ? [zero.measures[measure]! - paired.measures[measure]!] : [];
      });
      if (pairs.length === 0) return '–';
      return between(intervalOf(pairs)) + (pairs.length === 1 && seeds > 1 ? ' (one seed)' : '');
    });
    const scale = `${steps} steps, ${seeds === 1 ? 'one seed' : `${seeds} seeds`}, ${windows} windows`;
    return [`\`${name}\``, scale, MEASURES[measure]!, ...differences];
  });
  return table(['grid', 'scale', 'measure', ...others.map((other) => `zero − ${other}`)], rows);
}

/** A positive number means that the zero door has the higher loss. */
function between({ mean, half }: Interval): string {
  return signed(mean) + (half === undefined ? '' : ` (${signed(mean - half)} to ${signed(mean + half)})`);
}

/** One row per registered hypothesis: its verdict, and the numbers that it rests on. */
export function verdictTable({ judgements }: Verdicts): string {
  const rows = judgements.map(({ id, text, verdict, parts }) => [
    id,
    text,
    `${MEASURES[parts[0]!.measure]}: ${parts
      .map((part) => `${comparisonName(part)} ${part.found ? differenceText(part.found) : 'no runs yet'}`)
      .join('; ')}`,
    parts.map(({ finished, seeds }) => `${finished} of ${seeds.length}`).join(', '),
    verdict,
  ]);
  return table(['', 'hypothesis', 'found (95 % interval)', 'seeds', 'verdict'], rows);
}

const LIBRARIES = {
  'ours-1-thread': 'ours, 1 thread',
  'jax-js-wasm': 'jax-js, wasm',
  torch: 'PyTorch, 1 thread',
};

/** What one training step takes in each library. */
export function speedTable(results: PeerResults): string {
  const rows = Object.values(results).map((result) => [
    stepOf(result),
    cell(result, 'ours', ({ milliseconds }) => `${Math.round(milliseconds.median).toLocaleString('en')} ms`),
    ...Object.keys(LIBRARIES).map((name) => cell(result, name, ({ ratio }) => `${ratio!.toPrecision(2)} ×`)),
    `${result.date}, ${result.commit}; ${result.rounds} × ${result.steps} steps, load ${result.load}`,
  ]);
  return table(['step', 'ours, 2 threads', ...Object.values(LIBRARIES), 'measured'], rows);
}

function stepOf({ workload: { B, T, dim, layers } }: PeerResult): string {
  return `${B} × ${T}, dim ${dim}, ${layers} layers`;
}

function cell({ rows }: PeerResult, name: string, time: (row: PeerRow) => string): string {
  const row = rows.find((row) => row.name === name);
  return row ? `${time(row)}, ${Math.round(row.peakMemory / 2 ** 20).toLocaleString('en')} MiB` : '–';
}
