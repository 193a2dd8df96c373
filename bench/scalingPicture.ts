import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeHtml } from '../src/report/html.js';

/** Number of replays per point; the best one counts. */
export const REPLAYS = 3;

/** The values of one axis; the others stay at the base. */
export interface Point {
  readonly batch: number;
  /** S, positions: a fifth of them slots of 4 bytes */
  readonly length: number;
  readonly layers: number;
  readonly dim: number;
}

/** A point, and the cost of its step. */
export interface Measured extends Point {
  readonly axis: keyof Point;
  readonly milliseconds: { readonly median: number; readonly least: number; readonly most: number };
  /** bytes of GPU memory */
  readonly total: number;
  readonly activations: number;
  /**
   * size of the stored probabilities of every head and layer, if they were kept for backward: batch · heads · S² floats
   * a layer
   */
  readonly squares: number;
}

/** bench/scaling.json */
export interface Recording {
  readonly date: string;
  readonly adapter: string;
  readonly points: readonly Measured[];
}

const [WIDTH, HEIGHT] = [280, 210];
/** top of the plots, below the captions */
const TOP = 44;
const TITLES: Readonly<Record<keyof Point, string>> = {
  batch: 'batch, windows',
  length: 'length S, positions',
  layers: 'layers',
  dim: 'dim',
};

/**
 * Two rows of four: time above, memory below. The best time is drawn, since other work on the machine only adds time.
 */
export function draw({ date, adapter, points }: Recording): string {
  const { document } = parseHTML('<!doctype html><body></body>');
  const axes = Object.keys(TITLES) as (keyof Point)[];
  const mib = (key: 'total' | 'activations' | 'squares') => (point: Measured) => point[key] / 2 ** 20;
  const frames = axes.flatMap((axis, column) => {
    const data = points.filter((point) => point.axis === axis);
    const least = axis === 'length' ? 'S × S per head, which is never made' : undefined;
    const both = { document, width: WIDTH, height: HEIGHT, marginLeft: 52, x: { label: TITLES[axis], ticks: 5 } };
    const time = Plot.plot({
      ...both,
      y: { label: 'ms a step', grid: true, zero: true, ticks: 5 },
      marks: [
        Plot.ruleX(data, {
          x: axis,
          y1: (p: Measured) => p.milliseconds.least,
          y2: (p: Measured) => p.milliseconds.median,
        }),
        Plot.lineY(data, { x: axis, y: (p: Measured) => p.milliseconds.least, stroke: '#2563eb', strokeWidth: 2 }),
        Plot.dot(data, { x: axis, y: (p: Measured) => p.milliseconds.least, fill: '#2563eb', r: 3 }),
      ],
    });
    const memory = Plot.plot({
      ...both,
      y: { label: 'peak MiB on the device', grid: true, zero: true, ticks: 5 },
      marks: [
        Plot.lineY(data, { x: axis, y: mib('total'), stroke: '#16a34a', strokeWidth: 2 }),
        Plot.dot(data, { x: axis, y: mib('total'), fill: '#16a34a', r: 3 }),
        ...(least === undefined
          ? []
          : [
              Plot.lineY(data, { x: axis, y: mib('squares'), stroke: '#9ca3af', strokeDasharray: '4 3' }),
              Plot.text([least], { frameAnchor: 'top-left', dx: 6, dy: 4, fill: '#6b7280' }),
            ]),
      ],
    });
    return [time, memory].map((plot, row) => place(plot as unknown as Element, column * WIDTH, TOP + row * HEIGHT));
  });
  const captions = [
    `A training step on ${adapter}, ${date}: best of ${REPLAYS}, bars to the median.`,
    'Base: 2 windows of 160 positions, 2 layers, dim 128, 4 heads; length: 1 window, 1 layer; dim: 1 layer.',
  ];
  const [width, height] = [axes.length * WIDTH, TOP + 2 * HEIGHT];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...captions.map((line, i) => `<text x="10" y="${16 + 16 * i}" font-size="12">${escapeHtml(line)}</text>`),
    ...frames,
    '</svg>\n',
  ].join('\n');
}

function place(plot: Element, x: number, y: number): string {
  const svg = plot.tagName.toLowerCase() === 'svg' ? plot : plot.querySelector('svg')!;
  svg.setAttribute('x', String(x));
  svg.setAttribute('y', String(y));
  return svg.outerHTML;
}
