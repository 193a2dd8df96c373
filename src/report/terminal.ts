import asciichart from 'asciichart';
import { columns, smooth } from './curves.js';
import type { RunRecord } from './readRun.js';

/** Share of the running mean that stays at each step, in the terminal and in the page. */
export const KEEP = 0.9;

/**
 * The training curve of a run in characters, for the end of `train`: bits per byte, smoothed, one column per share of the
 * steps. Undefined where there are too few steps to draw.
 */
export function terminalChart(run: RunRecord, width = 64, height = 10): string | undefined {
  const curve = run.curves.get('bits_per_byte');
  const numbers = curve?.y.filter(Number.isFinite) ?? [];
  if (curve === undefined || numbers.length < 2) return undefined;
  const drawn = asciichart.plot(columns(smooth(numbers, KEEP), width), { height });
  const span = `steps ${curve.x[0]} to ${curve.x.at(-1)}`;
  return `training, bits per byte (smoothed), ${span}\n${drawn.replace(/ +$/gm, '')}`;
}
