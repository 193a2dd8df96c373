import { type Chart, COLOUR_COUNT, colourOf, GREY, type Series } from '../report/charts.js';
import type { CollectedCell } from './collect.js';
import { intervalOf } from './intervals.js';
import { MEASURES, type Report } from './report.js';
import { KNOWS_NOTHING } from './select.js';

/** The style of a line. */
type Look = Pick<Series, 'light' | 'dark'> & { readonly dash: boolean };

/** Measures with curves, if they were measured during the run. */
const CURVES = ['text_bpb', 'video_bpb', 'caption_bpb', 'binding_gap'];

/** The charts of a report: each measure by step and by operations, and by learning rate if it was tuned. */
export function chartsOf({ cells, groups }: Report): Chart[] {
  const arms = [...new Set(cells.map(({ cell }) => cell.arm))];
  // More arms than colours: the second round of colours is dashed.
  const colour = (arm: string) => ({ ...colourOf(arms.indexOf(arm)), dash: arms.indexOf(arm) >= COLOUR_COUNT });
  const tuned = groups.some(({ lr }) => lr !== undefined);
  return CURVES.flatMap((measure): Chart[] => {
    const name = MEASURES[measure]!;
    if (tuned) return [rateChart(measure, name, cells, arms, colour)].filter(({ series }) => series.length > 0);
    const floor = measure === 'caption_bpb' ? floorOf(cells) : undefined;
    const along = (x: (cell: CollectedCell, step: number) => number): Series[] => {
      const lines = linesOf(measure, cells, arms, x, colour);
      const ends = lines.flatMap((line) => line.x);
      if (floor === undefined || lines.length === 0) return lines;
      const label = 'caption frequencies alone, without the audio';
      return [...lines, { x: [Math.min(...ends), Math.max(...ends)], y: [floor, floor], ...GREY, label, dash: true }];
    };
    const bands = 'Lines are means over seeds, bands their 95 % intervals.';
    const charts: Chart[] = [
      { title: name, about: `By step. ${bands}`, wide: true, series: along((_, step) => step) },
      {
        title: `${name}, by operations`,
        about: `By floating-point operations spent, in TFLOP. ${bands}`,
        x: 'TFLOP',
        wide: true,
        series: along(({ cell, result }, step) => ((result?.flops ?? 0) * step) / cell.steps / 1e12),
      },
    ];
    return charts.filter(({ series }) => series.length > 0);
  });
}

/** One line per arm, and per K and budget if there are several: the mean over the seeds that have reached a step. */
function linesOf(
  measure: string,
  cells: readonly CollectedCell[],
  arms: readonly string[],
  x: (cell: CollectedCell, step: number) => number,
  colour: (arm: string) => Look,
): Series[] {
  const keys = [...new Set(cells.map(({ cell }) => `K ${cell.K}, ${cell.steps} steps`))];
  return arms.flatMap((arm) =>
    keys.flatMap((key): Series[] => {
      const own = cells.filter(({ cell }) => cell.arm === arm && `K ${cell.K}, ${cell.steps} steps` === key);
      const points = new Map<number, { x: number; values: number[] }>();
      for (const each of own) {
        for (const { step, measures } of each.curve) {
          if (measures[measure] === undefined) continue;
          const point = points.get(step) ?? { x: x(each, step), values: [] };
          point.values.push(measures[measure]);
          points.set(step, point);
        }
      }
      if (points.size === 0) return [];
      const sorted = [...points.entries()].sort(([a], [b]) => a - b).map(([, point]) => point);
      const found = sorted.map(({ values }) => intervalOf(values));
      const edge = (sign: number) => found.map(({ mean, half = 0 }) => mean + sign * half);
      return [
        {
          label: keys.length > 1 ? `${arm}, ${key}` : arm,
          x: sorted.map((point) => point.x),
          y: found.map(({ mean }) => mean),
          ...(found.some(({ half }) => half !== undefined) && { low: edge(-1), high: edge(1) }),
          points: true,
          ...colour(arm),
        },
      ];
    }),
  );
}

/** The last value by learning rate, one line per arm. A run that was not finite has the loss of a uniform guess. */
function rateChart(
  measure: string,
  name: string,
  cells: readonly CollectedCell[],
  arms: readonly string[],
  colour: (arm: string) => Look,
): Chart {
  const series = arms.flatMap((arm): Series[] => {
    const values = new Map<number, number[]>();
    for (const { cell, result } of cells) {
      if (cell.arm !== arm || result === undefined) continue;
      const value =
        result.non_finite !== undefined && measure.endsWith('_bpb') ? KNOWS_NOTHING : result.measures[measure];
      if (value !== undefined) values.set(cell.lr, [...(values.get(cell.lr) ?? []), value]);
    }
    const sorted = [...values].sort(([a], [b]) => a - b);
    const means = sorted.map(([, each]) => intervalOf(each).mean);
    return sorted.length === 0
      ? []
      : [{ label: arm, x: sorted.map(([lr]) => lr), y: means, points: true, ...colour(arm) }];
  });
  const about = 'After the last step, by the highest learning rate. A run that was not finite is at 8.011.';
  return { title: `${name}, by learning rate`, about, x: 'learning rate', logX: true, wide: true, series };
}

function floorOf(cells: readonly CollectedCell[]): number | undefined {
  return cells.flatMap(({ result }) => result?.caption_floor ?? [])[0];
}
