import asciichart from 'asciichart';
import { columns, smooth } from './curves.js';
import type { RunRecord } from './readRun.js';

/** Share of the running mean that stays at each step, in the terminal and in the page. */
export const KEEP = 0.9;

/**
 * The training curve of a run in characters, for the end of `train`: bits per byte of the kind of window it had most of,
 * smoothed, one column per share of the steps. Undefined where there are too few steps to draw.
 */
export function terminalChart(run: RunRecord, width = 64, height = 10): string | undefined {
  const [most] = [...run.training].sort(([, a], [, b]) => b.x.length - a.x.length);
  if (most === undefined) return undefined;
  const [kind, { x, y }] = most;
  const numbers = y.filter(Number.isFinite);
  if (numbers.length < 2) return undefined;
  const drawn = asciichart.plot(columns(smooth(numbers, KEEP), width), { height });
  return `training on ${kind}, bits per byte (smoothed), steps ${x[0]} to ${x.at(-1)}\n${drawn.replace(/ +$/gm, '')}`;
}
