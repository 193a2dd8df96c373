import { OP_GROUPS, timeOps } from '../bench/ops.js';
import { benchWindows, stepFlops, timeStep } from '../bench/step.js';
import { DeviceError, ParityError } from '../common/errors.js';
import type { AdapterProfile, Precision } from '../engine/kernel.js';
import { checkMixed, profileFor } from '../engine/precision.js';
import type { Spread } from '../inspect/profile.js';
import { type DecoderConfig, SIZES, type SizeName } from '../model/config.js';
import type { BatchSize } from '../model/forward.js';
import { type Context, messageOf, type Part, precisionsOf, type Row, some, type Table } from './part.js';

/** Number of steps for a median, if time allows. */
const REPLAYS = 9;

/** Sizes and precisions to time, the cheapest first. */
const CASES: readonly { size: SizeName; precision: Precision }[] = (Object.keys(SIZES) as SizeName[]).flatMap((size) =>
  (['full', 'mixed'] as const).map((precision) => ({ size, precision })),
);

/** The decoder and the windows of a size; a quick examination uses the minimum. */
function workOf(name: SizeName, { device, isQuick }: Context): { config: DecoderConfig; size: BatchSize } {
  const config = { door: 'zero', ...SIZES[name] } as const;
  if (isQuick) return { config: { ...config, dim: 56, layers: 1, K: 2 }, size: { B: 1, L: 8, T: 8 } };
  return { config, size: benchWindows(name, device.kind) };
}

/** The precisions of this device, and the reason for one that gives wrong results. */
async function profilesOf({ device }: Context): Promise<{ profiles: Map<Precision, AdapterProfile>; notes: string[] }> {
  const profiles = new Map<Precision, AdapterProfile>();
  const notes: string[] = [];
  for (const precision of precisionsOf(device)) {
    try {
      const profile = profileFor(device, precision);
      if (precision === 'mixed') await checkMixed(device, profile);
      profiles.set(precision, profile);
    } catch (error) {
      notes.push(messageOf(error));
    }
  }
  return { profiles, notes };
}

/** Errors of one case that do not affect the others. */
function isOwnFault(error: unknown): error is Error {
  return error instanceof ParityError || (error instanceof DeviceError && error.fault !== 'lost');
}

/** The whole training step of each size, in float32 and in mixed precision. */
export const steps: Part = {
  name: 'steps',
  what: 'The training step of each size of decoder: median of several, first step, and the share of each op by the device’s own clock.',
  weight: 3,
  async run(context) {
    const { device, left, isQuick, progress } = context;
    const { profiles, notes } = await profilesOf(context);
    const leftOut: string[] = [];
    const faults: string[] = [];
    const rows: Row[] = [];
    const tables: Table[] = [];
    let slowest = Number.POSITIVE_INFINITY; // operations a millisecond, over all of a case
    for (const { size: name, precision } of CASES) {
      const profile = profiles.get(precision);
      if (profile === undefined || (isQuick && name !== 'tiny')) continue;
      const { config, size } = workOf(name, context);
      const label = `${name}, ${precision}`;
      progress(label);
      const flops = stepFlops(config, size);
      const estimate = Number.isFinite(slowest) ? flops / slowest : 0;
      if (left() <= estimate) {
        const seconds = Math.ceil(estimate / 1000);
        leftOut.push(`step of ${label}: ${left() <= 0 ? 'no time left' : `it would take about ${seconds} s`}`);
        continue;
      }
      const start = performance.now();
      try {
        // Half of the remaining time, since each later case takes longer.
        const replays = (milliseconds: number) => Math.max(1, Math.min(REPLAYS, Math.floor(left() / 2 / milliseconds)));
        const time = await timeStep(device, { config, size, profile, replays: isQuick ? 1 : replays });
        const { step } = time;
        rows.push({
          size: name,
          precision,
          windows: `${size.B} × ${size.L} + ${size.T}`,
          ...milliseconds(step),
          'first step, ms': Math.round(time.first),
          'GFLOP/s': Number((flops / step.median / 1e6).toFixed(1)),
          dispatches: time.dispatches,
          'µs to encode one': Number(time.encodeMicroseconds.toFixed(2)),
          'device MiB': Math.round(time.bytes.total / 2 ** 20),
        });
        const shares = (time.ops ?? []).map(({ op, kernel, dispatches, milliseconds, share, gflops }) => {
          return { op, kernel, dispatches, ms: fixed(milliseconds), share: fixed(share), 'GFLOP/s': fixed(gflops) };
        });
        if (shares.length > 0) tables.push({ title: `Within a step: ${label}`, rows: shares });
      } catch (error) {
        if (!isOwnFault(error)) throw error;
        if (error instanceof DeviceError && error.fault === 'memory')
          leftOut.push(`step of ${label}: ${error.message}`);
        else faults.push(`${label}: ${error.message}`);
      }
      slowest = Math.min(slowest, flops / (performance.now() - start));
    }
    if (!device.timestamps) notes.push('times by op: this device has no timestamps');
    const words = rows.map((row) => `${row.size} ${row.precision} ${row['median, ms']} ms`);
    const summary = words.join(', ') || 'none timed';
    return { summary, faults, leftOut, notes, tables: [{ title: 'Training steps', rows }, ...tables] };
  },
};

/** Products, attention, LayerNorm and AdamW alone, at the shapes of each size. */
export const opTimes: Part = {
  name: 'op times',
  what: 'Products, attention, LayerNorm and AdamW at the shapes of each size, each compared with its reference first.',
  weight: 3,
  async run(context) {
    const { device, left, isQuick, progress } = context;
    const { profiles, notes } = await profilesOf(context);
    const leftOut: string[] = [];
    const faults: string[] = [];
    const rows: Row[] = [];
    for (const { size: name, precision } of CASES) {
      const profile = profiles.get(precision);
      if (profile === undefined || (isQuick && name !== 'tiny')) continue;
      const work = workOf(name, context);
      const label = `${name}, ${precision}`;
      // Half precision changes products alone.
      const groups = precision === 'mixed' || isQuick ? (['matmul'] as const) : OP_GROUPS;
      if (left() <= 0) {
        leftOut.push(`ops of ${label}: no time left`);
        continue;
      }
      try {
        // A tenth of the remaining time for each, at most.
        const replays = (milliseconds: number) =>
          Math.max(1, Math.min(REPLAYS, Math.floor(left() / 10 / milliseconds)));
        for await (const time of timeOps(device, { ...work, groups, profile, replays: isQuick ? 1 : replays })) {
          progress(`${label}: ${time.name}`);
          const { median } = time.milliseconds;
          rows.push({
            size: name,
            precision,
            op: time.op,
            shape: time.name,
            ...milliseconds(time.milliseconds),
            'GFLOP/s': fixed(time.flops / median / 1e6),
            'GB/s': fixed(time.bytes / median / 1e6),
            clock: time.clock,
            kernels: time.kernels.join(', '),
          });
          if (left() > 0) continue;
          leftOut.push(`ops of ${label} after ${time.op} ${time.name}: no time left`);
          break;
        }
      } catch (error) {
        if (!isOwnFault(error)) throw error;
        faults.push(`${label}: ${error.message}`);
      }
    }
    return {
      summary: `${some(rows.length, 'op')} timed`,
      faults,
      leftOut,
      notes,
      tables: [{ title: 'Ops alone', rows }],
    };
  },
};

function milliseconds({ median, least, most }: Spread): Row {
  return { 'median, ms': fixed(median), 'least, ms': fixed(least), 'most, ms': fixed(most) };
}

const fixed = (x: number) => (Number.isFinite(x) ? Number(x.toPrecision(4)) : `${x}`);
