import { PREDICTED } from '../train/measures.js';
import { WINDOW_KINDS } from '../train/windows/window.js';
import { smooth, thin } from './curves.js';
import type { Curve, RunRecord } from './readRun.js';
import { KEEP } from './terminal.js';

/** One line of a chart, for the report's script. */
export interface Series extends Curve {
  readonly label: string;
  /** a band around the line: its lower and upper edge at each x */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  /** the colour on each background */
  readonly light: string;
  readonly dark: string;
  readonly faint?: boolean;
  readonly dash?: boolean;
  readonly points?: boolean;
}

/** One chart of a report: curves on one pair of axes. */
export interface Chart {
  readonly title: string;
  readonly about: string;
  readonly wide?: boolean;
  /** a logarithmic axis of y, of x */
  readonly log?: boolean;
  readonly logX?: boolean;
  /** meaning of x; default the step */
  readonly x?: string;
  readonly series: readonly Series[];
}

/** A colour per run, distinct in hue and in lightness, after Okabe and Ito 2008. */
const COLOURS: readonly { light: string; dark: string }[] = [
  { light: '#0b6a74', dark: '#6fc9cf' },
  { light: '#b0480f', dark: '#f2a36b' },
  { light: '#4a4fb5', dark: '#a9aef5' },
  { light: '#8a1f5c', dark: '#ee93c3' },
  { light: '#3f6b13', dark: '#a6cf72' },
  { light: '#6b5a13', dark: '#dcc56a' },
];

/** Colour of lines that do not belong to a run. */
export const GREY = { light: '#6b675e', dark: '#a5a198' };

/** Number of different run colours. */
export const COLOUR_COUNT = COLOURS.length;

/** The colours of the `index`-th run. */
export function colourOf(index: number): { light: string; dark: string } {
  return COLOURS[index % COLOURS.length]!;
}

/** The charts of some runs, overlaid by step. Charts without a point are omitted. */
export function chartsOf(runs: readonly RunRecord[]): Chart[] {
  const charts: Chart[] = [
    {
      title: 'Bits per byte',
      about:
        'Loss per predicted byte; lower is better. Faint: each training batch. Full: their running mean. Dots: held out. ' +
        'Dashed: order-0 entropy, the loss of byte frequencies alone.',
      wide: true,
      series: runs.flatMap(lossSeries),
    },
    { title: 'Learning rate', about: 'Linear warm-up, then half a cosine.', series: single(runs, 'learning_rate') },
    {
      title: 'Gradient norm',
      about: 'Norm of the whole gradient before clipping to 1.',
      log: true,
      series: single(runs, 'gradient_norm', positive),
    },
    { title: 'Throughput', about: 'Prefix and stream bytes a second.', series: single(runs, 'bytes_per_second') },
  ];
  return charts.filter(({ series }) => series.length > 0);
}

function lossSeries(run: RunRecord, index: number, runs: readonly RunRecord[]): Series[] {
  const colour = colourOf(index);
  const label = (what: string) => (runs.length === 1 ? what : `${run.name}: ${what}`);
  const series: Series[] = [];
  for (const [i, kind] of WINDOW_KINDS.entries()) {
    // A colour for each kind if there is one run, the run's own if there are several.
    const own = runs.length === 1 ? colourOf(i) : colour;
    const train = run.training.get(kind);
    const heldOut = run.curves.get(`${PREDICTED[kind]}_bpb`);
    if (train !== undefined) {
      series.push({ ...thin(train), ...own, label: label(`${kind} batches`), faint: true });
      series.push({ ...thin({ x: train.x, y: smooth(train.y, KEEP) }), ...own, label: label(`${kind}, mean`) });
    }
    if (heldOut) series.push({ ...thin(heldOut), ...own, label: label(`held-out ${PREDICTED[kind]}`), points: true });
  }
  const entropy = run.config.order0_entropy;
  const steps = run.curves.get('bits_per_byte')?.x;
  if (typeof entropy === 'number' && steps !== undefined) {
    const ends = [steps[0]!, steps.at(-1)!];
    const known = runs.slice(0, index).some((other) => other.config.order0_entropy === entropy);
    if (!known) series.push({ x: ends, y: [entropy, entropy], ...GREY, label: 'order-0 entropy', dash: true });
  }
  return series;
}

function single(runs: readonly RunRecord[], name: string, keep: (curve: Curve) => Curve = (curve) => curve): Series[] {
  return runs.flatMap((run, index) => {
    const curve = run.curves.get(name);
    return curve === undefined ? [] : [{ ...thin(keep(curve)), ...colourOf(index), label: run.name }];
  });
}

/** A logarithmic axis cannot show 0. */
function positive({ x, y }: Curve): Curve {
  const kept = y.flatMap((value, i) => (value > 0 ? [i] : []));
  return { x: kept.map((i) => x[i]!), y: kept.map((i) => y[i]!) };
}
