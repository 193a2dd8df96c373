import { printable } from '../train/windows/show.js';
import { type CollectedCell, type Group, summarise } from './collect.js';
import type { Grid } from './grid.js';
import { differenceText, intervalText } from './numberText.js';

/** The content of a report; the JSON file stores it unchanged. */
export interface Report {
  readonly name: string;
  readonly about: string;
  readonly command: string;
  readonly version: string;
  readonly adapters: readonly string[];
  readonly cells: readonly CollectedCell[];
  readonly groups: readonly Group[];
}

/**
 * Summarise the finished part of an experiment.
 *
 * @param cells the result of `collect`   @param command the command of the run, for the reader
 */
export function makeReport(grid: Grid, cells: readonly CollectedCell[], command: string, version: string): Report {
  const groups = summarise(grid, cells);
  const adapters = new Set(cells.flatMap(({ result }) => (result ? [result.adapter] : [])));
  const { name, about } = grid;
  return { name, about, command, version, adapters: [...adapters], cells, groups };
}

/** Names of measures in tables, in order, and their direction. Others follow under their own names. */
export const MEASURES: Readonly<Record<string, string>> = {
  text_bpb: 'text bits/byte',
  video_bpb: 'video bits/byte',
  caption_bpb: 'caption bits/byte',
  binding_gap: 'binding gap',
  retrieval: 'retrieval of ten',
  text_end: 'P(EOS) at text ends',
  text_middle: 'P(EOS) within text',
  caption_end: 'P(EOS) at caption ends',
  caption_middle: 'P(EOS) within captions',
};

/** A table as header and rows of text: Markdown and HTML print the same ones. */
export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The report's tables, as text cells: means, paired differences, runs. */
export function tablesOf({ groups, cells }: Report): Table[] {
  const tables = groups.flatMap((group): Table[] => {
    const where = whereOf(group);
    const measures = measuresOf(group);
    const compared = group.arms.filter(({ minusZero }) => minusZero !== undefined);
    const broken = group.arms.some(({ nonFinite }) => nonFinite > 0);
    const means: Table = {
      title: `${where}: means over seeds, ± half the 95 % interval`,
      header: [
        ...['arm', 'seeds', ...(broken ? ['not finite'] : []), 'door parameters'],
        ...[...measures.map(nameOf), 'TFLOP', 'bytes/s', 'peak memory'],
      ],
      rows: group.arms.map((arm) => [
        ...[arm.arm, `${arm.bytesPerSecond.n}`, ...(broken ? [`${arm.nonFinite}`] : [])],
        arm.parameters.door.toLocaleString('en'),
        ...measures.map((name) => (arm.measures[name] ? intervalText(arm.measures[name]) : '')),
        (arm.flops / 1e12).toFixed(2),
        arm.bytesPerSecond.mean.toFixed(0),
        `${(arm.peakMemory / 2 ** 20).toFixed(0)} MiB`,
      ]),
    };
    const differences: Table = {
      title: `${where}: each arm minus zero, paired by seed and window, 95 % interval`,
      header: ['arm', ...measures.map(nameOf)],
      rows: compared.map((arm) => [
        arm.arm,
        ...measures.map((name) => (arm.minusZero![name] ? differenceText(arm.minusZero![name]) : '')),
      ]),
    };
    return compared.length > 0 ? [means, differences] : [means];
  });
  return [...tables, cellTable(cells)];
}

/** "K 4, 1000 steps, at most 250 windows" */
export function whereOf({ K, steps, lr, windows }: Group): string {
  return `K ${K}, ${steps} steps${lr === undefined ? '' : `, rate ${lr}`}, at most ${windows} windows`;
}

function cellTable(cells: readonly CollectedCell[]): Table {
  return {
    title: 'Runs',
    header: ['cell', 'folder', 'arm', 'K', 'seed', 'steps', 'rate', 'state', 'time', 'weights (SHA-256)', 'commit'],
    rows: cells.map(({ cell, state, result }) => [
      `${cell.index}`,
      cell.id,
      cell.arm,
      `${cell.K}`,
      `${cell.seed}`,
      `${cell.steps}`,
      `${cell.lr}`,
      result?.non_finite ?? state,
      result ? `${result.seconds} s` : '',
      result ? result.weights_sha256.slice(0, 16) : '',
      result?.commit ? result.commit.replace(/^([0-9a-f]{8})[0-9a-f]*/, '$1') : '',
    ]),
  };
}

/** Measures that any arm of a group has, the known ones first. */
function measuresOf({ arms }: Group): string[] {
  const found = new Set(arms.flatMap(({ measures }) => Object.keys(measures)));
  return [...Object.keys(MEASURES).filter((name) => found.delete(name)), ...found];
}

function nameOf(measure: string): string {
  return MEASURES[measure] ?? measure;
}

/** Lines about the run as a whole. */
export function factsOf({ command, version, adapters, cells }: Report): string[] {
  const results = cells.flatMap(({ result }) => (result ? [result] : []));
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const { reasons, unnamed } = leftOutOf(cells);
  return [
    `Command: ${command}`,
    `Adapter: ${adapters.join('; ') || 'none yet'}`,
    `Cells: ${results.length} of ${cells.length} finished, ${(seconds / 60).toFixed(1)} minutes in all`,
    `Lines and files left out of the data: ${reasons.length + unnamed}`,
    `Version: byte-to-loss ${version}`,
  ];
}

/**
 * The items that runs skipped in their data. Cells of one grid read the same data, so a reason of several cells counts
 * once.
 *
 * @returns each reason once, and the number of further items in one run without a kept reason
 */
function leftOutOf(cells: readonly CollectedCell[]): { reasons: string[]; unnamed: number } {
  const results = cells.flatMap(({ result }) => (result ? [result] : []));
  const reasons = [...new Set(results.flatMap(({ left_out_reasons }) => left_out_reasons))];
  const unnamed = results.map(({ left_out, left_out_reasons }) => left_out - left_out_reasons.length);
  return { reasons, unnamed: Math.max(0, ...unnamed) };
}

/** Each skipped line or file, as one line of text; empty if all data was used. */
export function leftOutLines({ cells }: Report): string[] {
  const { reasons, unnamed } = leftOutOf(cells);
  return [...reasons.map(printable), ...(unnamed > 0 ? [`${unnamed} more, whose reasons were not kept`] : [])];
}

/** Notes on the numbers for a reader. */
export const HOW_TO_READ =
  'Bits per byte are of held-out windows, lower is better. The binding gap is the additional loss of a caption with the recordings of ' +
  'other windows. Means have intervals over seeds, by Student’s t. Differences are paired by seed and by window; their intervals ' +
  'include the sampling of seeds and windows. A run that was not finite counts with the loss of a uniform guess, 8.011 bits per byte. ' +
  'Numbers hold for this size, data and budget. A difference is a finding only where it was registered before.';

/** The report as Markdown; it links to `report.html`, which is written to the same folder. */
export function markdownOf(report: Report): string {
  // As code, so that a file's name is not interpreted as markup.
  const leftOut = leftOutLines(report).map((line) => `- \`\` ${line.replace(/`+/g, "'")} \`\``);
  return [
    `# Grid ${report.name}`,
    '',
    'With curves: [`report.html`](report.html).',
    '',
    ...(report.about ? [report.about, ''] : []),
    ...factsOf(report).map((fact) => `- ${fact}`),
    '',
    ...(leftOut.length > 0 ? ['## Left out of the data', '', ...leftOut, ''] : []),
    HOW_TO_READ,
    '',
    '## Numbers',
    '',
    ...tablesOf(report).flatMap((table) => markdownTable(table, 3)),
  ].join('\n');
}

/** A table as lines of Markdown, below a heading of this level. */
export function markdownTable({ title, header, rows }: Table, level: number): string[] {
  const lines = [header, header.map(() => '---'), ...rows].map(row);
  return [`${'#'.repeat(level)} ${title}`, '', ...lines, ''];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/**
 * The report as JSON: numbers by group, and the identification of each run. Windows and curves are in the cells' own
 * files.
 */
export function jsonOf({ cells, groups, ...report }: Report): string {
  const runs = cells.map(({ cell: { index, id, arm, K, seed, steps, lr }, state, result }) => ({
    ...{ index, id, arm, K, seed, steps, lr, state },
    ...(result && {
      measures: result.measures,
      ...(result.non_finite !== undefined && { non_finite: result.non_finite }),
      weights_sha256: result.weights_sha256,
      ...(result.commit !== undefined && { commit: result.commit }),
    }),
  }));
  return `${JSON.stringify({ ...report, groups, runs }, null, 2)}\n`;
}
