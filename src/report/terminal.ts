import asciichart from 'asciichart';
import { smooth, columns as thinned } from './curves.js';
import type { RunRecord } from './readRun.js';

/** Share of the running mean kept at each step, in the terminal and in the page. */
export const KEEP = 0.9;

/** Columns that the chart's own axis takes: a label as `7.98` with its padding, and the line. */
const AXIS = 12;
const MAX_COLUMNS = 64;

/**
 * The training curve of a run as text, for the end of `train`: bits per byte of the most frequent kind of window,
 * smoothed, one column per share of the steps. Undefined if there are too few steps.
 *
 * @param columns of the terminal: no line of the chart is longer
 */
export function terminalChart(run: RunRecord, columns = 80, height = 10): string | undefined {
  const [most] = [...run.training].sort(([, a], [, b]) => b.x.length - a.x.length);
  if (most === undefined) return undefined;
  const [kind, { x, y }] = most;
  const numbers = y.filter(Number.isFinite);
  const width = Math.min(MAX_COLUMNS, columns - AXIS);
  if (numbers.length < 2 || width < 2) return undefined;
  const drawn = asciichart.plot(thinned(smooth(numbers, KEEP), width), { height });
  const title = [`training on ${kind}, bits per byte (smoothed),`, `steps ${x[0]} to ${x.at(-1)}`];
  const lines = title.join(' ').length < columns ? [title.join(' ')] : title;
  return [...lines, drawn.replace(/ +$/gm, '')].join('\n');
}
