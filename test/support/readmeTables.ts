import type { PeerResult, PeerResults, PeerRow } from '../../bench/peers/results.js';
import { signed } from '../../src/experiment/claims.js';
import type { Interval } from '../../src/experiment/intervals.js';
import { MEASURES, type Report } from '../../src/experiment/report.js';
import type { Row } from '../reliability/report.js';

/*
 * The README's tables of results, speed and reliability, each from the JSON file that a command writes. test/readme.test.ts
 * holds the README to them. The commands are byte-to-loss experiment, bench/peers/run.ts --record and npm run reliability.
 */

/** A table in Markdown. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
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
  // A report has each arm minus zero; turned round, a plus says that the zero door pays more.
  const between = ({ mean, half }: Interval) =>
    signed(-mean) + (half === undefined ? '' : ` (${signed(-mean - half)} to ${signed(-mean + half)})`);
  const differences = arms.flatMap(({ arm, toZero }) =>
    toZero === undefined
      ? []
      : [[`zero − ${arm}`, ...bits.map((name) => (toZero[name] ? between(toZero[name]) : '–'))]],
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
  'jax-js': 'jax-js, WebGPU',
  tfjs: 'TensorFlow.js, WebGPU',
  'jax-js-wasm': 'jax-js, wasm',
  torch: 'PyTorch, 1 CPU thread',
};

/** What one training step takes in each library, by step and driver. */
export function speedTable(results: PeerResults): string {
  const rows = Object.values(results).map((result) => [
    stepOf(result),
    cell(result, 'ours', ({ milliseconds }) => `${Math.round(milliseconds.median).toLocaleString('en')} ms`),
    ...Object.keys(LIBRARIES).map((name) => cell(result, name, ({ ratio }) => `${ratio!.toPrecision(2)} ×`)),
    `${result.date}, ${result.commit}; ${result.rounds} × ${result.steps} steps, load ${result.load}`,
  ]);
  return table(['step', 'ours', ...Object.values(LIBRARIES), 'measured'], rows);
}

function stepOf({ workload: { B, T, dim, layers }, rows }: PeerResult): string {
  const [driver] = rows[0]!.adapter.split(/:| driver/);
  return `${B} × ${T}, dim ${dim}, ${layers} layers; ${driver}`;
}

function cell({ rows }: PeerResult, name: string, time: (row: PeerRow) => string): string {
  const row = rows.find((row) => row.name === name);
  return row ? `${time(row)}, ${Math.round(row.peakMemory / 2 ** 20).toLocaleString('en')} MiB` : '–';
}

/** What was promised, how often it was tried, and the command that did; a row's note stands whole in the report beside the JSON. */
export function reliabilityTable(outcomes: Readonly<Record<string, Row>>): string {
  const rows = Object.values(outcomes).map(({ promise, command, counts: { note, ...counts }, broken }) => {
    const counted = Object.entries(counts).map(([what, value]) => `${value.toLocaleString('en')} ${what}`);
    const kept = broken.length === 0 ? '**kept**' : `**broken ${broken.length} times**`;
    const noted = note === undefined ? '' : ', with [a note](results/reliability.md)';
    return [promise, `${counted.join(', ')}: ${kept}${noted}`, `\`${command}\``];
  });
  return table(['promise', 'tried', 'command'], rows);
}
