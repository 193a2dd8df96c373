import type { PeerResult, PeerResults, PeerRow } from '../../bench/peers/results.js';
import { signed } from '../../src/experiment/claims.js';
import type { Interval } from '../../src/experiment/intervals.js';
import { MEASURES, type Report } from '../../src/experiment/report.js';

/*
 * The README's tables of results and speed, each from the JSON file that a command writes. test/readme.test.ts
 * holds the README to them. The commands are byte-to-loss experiment and bench/peers/run.ts --record.
 */

/** A table in Markdown. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

/** One row per experiment: the difference of the zero door to each other door, in the measure that the experiment is about. */
export function resultsSummary(reports: readonly Report[]): string {
  const others = ['projected', 'bytes', 'permuted'];
  const rows = reports.flatMap(({ name, groups }) =>
    groups.map(({ steps, arms }) => {
      const measure = arms.every(({ measures }) => measures.text_bpb) ? 'text_bpb' : 'caption_bpb';
      const differences = others.map((other) => arms.find(({ arm }) => arm === other)?.toZero?.[measure]);
      const seeds = Math.max(...arms.map(({ measures }) => measures[measure]!.n));
      const scale = `${steps} steps, ${seeds === 1 ? 'one seed' : `${seeds} seeds`}`;
      return [
        `[\`${name}\`](results/${name}/report.md)`,
        scale,
        MEASURES[measure]!,
        ...differences.map((difference) => (difference ? reversed(difference) : '–')),
      ];
    }),
  );
  return table(['experiment', 'scale', 'measure', ...others.map((other) => `zero − ${other}`)], rows);
}

/** A report has each arm minus zero; reversed, a positive number means that the zero door has the higher loss. */
function reversed({ mean, half }: Interval): string {
  return signed(-mean) + (half === undefined ? '' : ` (${signed(-mean - half)} to ${signed(-mean + half)})`);
}

/** What an experiment found: each door's measures, and what the zero door costs more than the others. */
export function resultsTables({ name, groups }: Report): string {
  return groups.map((group) => groupTables(name, group)).join('\n\n');
}

const SHOWN = ['text_bpb', 'video_bpb', 'caption_bpb', 'binding_gap', 'retrieval'];

function groupTables(name: string, { K, steps, windows, arms }: Report['groups'][number]): string {
  const shown = SHOWN.filter((measure) => arms.some(({ measures }) => measures[measure] !== undefined));
  const bits = shown.filter((measure) => measure.endsWith('_bpb'));
  const found = ({ mean, half }: Interval) =>
    mean.toFixed(3).replace('-', '−') + (half === undefined ? '' : ` ± ${half.toFixed(3)}`);
  const doors = arms.map(({ arm, parameters, measures }) => [
    arm,
    parameters.door.toLocaleString('en'),
    ...shown.map((name) => (measures[name] ? found(measures[name]) : '–')),
  ]);
  const differences = arms.flatMap(({ arm, toZero }) =>
    toZero === undefined
      ? []
      : [[`zero − ${arm}`, ...bits.map((name) => (toZero[name] ? reversed(toZero[name]) : '–'))]],
  );
  const seeds = Math.max(...arms.flatMap(({ measures }) => Object.values(measures).map(({ n }) => n)));
  return [
    `[\`${name}\`](results/${name}/report.md): K ${K}, ${steps} steps, ${windows} held-out windows of each kind; ` +
      (seeds === 1 ? 'one seed.' : `${seeds} seeds: means, ± half the 95 % interval (without one: a single seed).`),
    table(['door', 'parameters in it', ...shown.map((name) => MEASURES[name]!)], doors),
    table(['', ...bits.map((name) => MEASURES[name]!)], differences),
  ].join('\n\n');
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
