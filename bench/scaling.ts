/**
 * How a training step's time and memory grow with batch, length, layers and dim: `npx tsx bench/scaling.ts [axes]`, on the
 * device that BYTE_TO_LOSS_DEVICE names.
 *
 * Writes the numbers to bench/scaling.json and draws them as docs/scaling.svg. Axes that are not named keep their numbers; with
 * `none` it only draws.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { timed } from '../src/bench/timing.js';
import { openDevice } from '../src/engine/adapters.js';
import type { Device } from '../src/engine/device.js';
import { Plan } from '../src/engine/plan.js';
import { Program } from '../src/engine/program.js';
import { integers } from '../src/engine/random.js';
import type { DecoderConfig } from '../src/model/config.js';
import { feedsOf, recordForward } from '../src/model/forward.js';
import { initialParameters } from '../src/model/parameters.js';
import { escapeHtml } from '../src/report/html.js';
import { recordOptimiser, stepScalars } from '../src/train/optimiser.js';

const NUMBERS = 'bench/scaling.json';
const PICTURE = 'docs/scaling.svg';
const REPLAYS = 3;

/** What one axis varies; the others stay at the base. */
interface Point {
  readonly batch: number;
  /** S, positions: a fifth of them slots of 4 bytes */
  readonly length: number;
  readonly layers: number;
  readonly dim: number;
}

const BASE: Point = { batch: 2, length: 160, layers: 2, dim: 128 };
const AXES: Readonly<Record<keyof Point, { readonly values: readonly number[]; readonly base: Point }>> = {
  batch: { values: [1, 2, 4, 8, 16], base: BASE },
  length: { values: [128, 256, 512, 1024, 2048, 4096], base: { ...BASE, batch: 1, layers: 1 } },
  layers: { values: [1, 2, 4, 8], base: BASE },
  dim: { values: [112, 128, 192, 256, 384, 512], base: { ...BASE, layers: 1 } },
};

interface Measured extends Point {
  readonly axis: keyof Point;
  readonly milliseconds: { readonly median: number; readonly least: number; readonly most: number };
  /** bytes of GPU memory */
  readonly total: number;
  readonly activations: number;
  /** what the probabilities of every head and layer would take, kept for backward: batch · heads · S² floats a layer */
  readonly squares: number;
}

interface Recording {
  readonly date: string;
  readonly adapter: string;
  readonly points: readonly Measured[];
}

async function measure(device: Device, axis: keyof Point, point: Point): Promise<Measured> {
  const { batch: B, length: S, layers, dim } = point;
  const config: DecoderConfig = { door: 'zero', dim, layers, heads: 4, K: 4 };
  const P = Math.floor(S / 5);
  const size = { B, L: P * config.K, T: S - P };
  const program = new Program();
  const pass = recordForward(program, config, size);
  program.backward(pass.loss);
  const optimiser = recordOptimiser(program, pass.loss);
  const plan = await Plan.compile(program, device, { keep: [pass.loss], parameters: initialParameters(config, 0) });
  const feeds = feedsOf(pass, {
    prefix: integers(1, 'prefix', B * size.L, 256),
    targets: integers(1, 'targets', B * size.T, 256),
    weights: new Float32Array(B * size.T).fill(1),
  });
  for (const [tensor, data] of feeds) plan.write(tensor, data);
  plan.write(optimiser.step, stepScalars(1, 1e-3));
  const run = () => plan.replayAndRead([pass.loss]);
  const [loss] = await run();
  if (!Number.isFinite(loss![0])) throw new Error(`${axis} ${point[axis]}: the loss is ${loss![0]}`);
  const milliseconds = await timed(REPLAYS, run);
  const { total, activations } = plan.bytes;
  plan.free();
  return { axis, ...point, milliseconds, total, activations, squares: 4 * B * config.heads * layers * S * S };
}

/** Measure some axes and write them down, point by point, beside those that were measured before. */
async function record(axes: readonly (keyof Point)[]): Promise<void> {
  if (axes.length === 0) return;
  const device = await openDevice();
  const before = existsSync(NUMBERS) ? (JSON.parse(readFileSync(NUMBERS, 'utf8')) as Recording).points : [];
  const points = before.filter(({ axis }) => !axes.includes(axis));
  for (const axis of axes) {
    const { values, base } = AXES[axis];
    for (const value of values) {
      const point = await measure(device, axis, { ...base, [axis]: value });
      points.push(point);
      const { median, least, most } = point.milliseconds;
      console.log(
        `${axis.padEnd(7)} ${String(value).padStart(5)}  ${median.toFixed(1)} ms (${least.toFixed(1)}..${most.toFixed(1)})  ` +
          `${(point.total / 2 ** 20).toFixed(1)} MiB, activations ${(point.activations / 2 ** 20).toFixed(1)} MiB`,
      );
      const recording: Recording = { date: new Date().toISOString().slice(0, 10), adapter: device.name, points };
      writeFileSync(NUMBERS, `${JSON.stringify(recording, null, 1)}\n`);
    }
  }
  device.close();
}

const [WIDTH, HEIGHT] = [280, 210];
/** where the plots begin, below the captions */
const TOP = 44;
const TITLES: Readonly<Record<keyof Point, string>> = {
  batch: 'batch, windows',
  length: 'length S, positions',
  layers: 'layers',
  dim: 'dim',
};

/** Two rows of four: time above, memory below. The best time is drawn, since other work of the machine only ever adds. */
function draw({ date, adapter, points }: Recording): string {
  const { document } = parseHTML('<!doctype html><body></body>');
  const axes = Object.keys(AXES) as (keyof Point)[];
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
      y: { label: 'MiB on the device', grid: true, zero: true, ticks: 5 },
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

const named = process.argv.slice(2);
const all = Object.keys(AXES) as (keyof Point)[];
await record(named.length === 0 ? all : all.filter((axis) => named.includes(axis)));
mkdirSync('docs', { recursive: true });
writeFileSync(PICTURE, draw(JSON.parse(readFileSync(NUMBERS, 'utf8')) as Recording));
