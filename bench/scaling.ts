/**
 * Time and memory of a training step as a function of batch, length, layers and dim: `npx tsx bench/scaling.ts [axes]`,
 * on the device that BYTE_TO_LOSS_DEVICE names.
 *
 * Writes the numbers to bench/scaling.json and draws them as docs/scaling.svg. Axes that are not named keep their numbers; with
 * `none` it only draws.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { timed } from '../src/bench/timing.js';
import { integers } from '../src/common/random.js';
import { openDevice } from '../src/device/adapters.js';
import type { Device } from '../src/device/device.js';
import { recordAdamW, stepScalars } from '../src/engine/optimiser.js';
import { Plan } from '../src/engine/plan.js';
import { Program } from '../src/engine/program.js';
import type { DecoderConfig } from '../src/model/config.js';
import { recordForward, toFeeds } from '../src/model/forward.js';
import { initialParameters } from '../src/model/parameters.js';
import { OPTIMISER } from '../src/train/optimiser.js';
import { draw, type Measured, type Point, REPLAYS, type Recording } from './scalingPicture.js';

const NUMBERS = 'bench/scaling.json';
const PICTURE = 'docs/scaling.svg';

const BASE: Point = { batch: 2, length: 160, layers: 2, dim: 128 };
const AXES: Readonly<Record<keyof Point, { readonly values: readonly number[]; readonly base: Point }>> = {
  batch: { values: [1, 2, 4, 8, 16], base: BASE },
  length: { values: [128, 256, 512, 1024, 2048, 4096], base: { ...BASE, batch: 1, layers: 1 } },
  layers: { values: [1, 2, 4, 8], base: BASE },
  dim: { values: [112, 128, 192, 256, 384, 512], base: { ...BASE, layers: 1 } },
};

async function measure(device: Device, axis: keyof Point, point: Point): Promise<Measured> {
  const { batch: B, length: S, layers, dim } = point;
  const config: DecoderConfig = { door: 'zero', dim, layers, heads: 4, K: 4 };
  const P = Math.floor(S / 5);
  const size = { B, L: P * config.K, T: S - P };
  const program = new Program();
  const pass = recordForward(program, config, size);
  program.backward(pass.loss);
  const optimiser = recordAdamW(program, pass.loss, OPTIMISER);
  const plan = await Plan.compile(program, device, { keep: [pass.loss], parameters: initialParameters(config, 0) });
  const feeds = toFeeds(pass, {
    prefix: integers(1, 'prefix', B * size.L, 256),
    targets: integers(1, 'targets', B * size.T, 256),
    weights: new Float32Array(B * size.T).fill(1),
  });
  for (const [tensor, data] of feeds) plan.write(tensor, data);
  plan.write(optimiser.scalars, stepScalars(1, 1e-3, OPTIMISER));
  const run = () => plan.replayAndRead([pass.loss]);
  const [loss] = await run();
  if (!Number.isFinite(loss![0])) throw new Error(`${axis} ${point[axis]}: the loss is ${loss![0]}`);
  const milliseconds = await timed(REPLAYS, run);
  const { total, activations } = plan.bytes;
  plan.free();
  return { axis, ...point, milliseconds, total, activations, squares: 4 * B * config.heads * layers * S * S };
}

/** Measure some axes and store them, point by point, together with earlier measurements. */
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

const named = process.argv.slice(2);
const all = Object.keys(AXES) as (keyof Point)[];
await record(named.length === 0 ? all : all.filter((axis) => named.includes(axis)));
mkdirSync('docs', { recursive: true });
writeFileSync(PICTURE, draw(JSON.parse(readFileSync(NUMBERS, 'utf8')) as Recording));
