import type { Device } from '../device/device.js';
import type { Precision } from '../engine/kernel.js';
import { type DecoderConfig, SIZES } from '../model/config.js';
import { bitsOf } from '../model/evaluator.js';
import { initialParameters } from '../model/parameters.js';
import { learningRate } from '../train/schedule.js';
import { Trainer } from '../train/trainer.js';
import { type Mix, mix } from '../train/windows/mix.js';
import { openText } from '../train/windows/text.js';
import type { WindowSize } from '../train/windows/window.js';
import { type Curve, messageOf, type Part, precisionsOf, type Row, some } from './part.js';

const SEED = 1;
const STEPS = 200;
const CONFIG: DecoderConfig = { door: 'zero', ...SIZES.tiny };

/**
 * Windows and batches, the largest first: the first one whose steps all fit the time is used. A step of the last one
 * says which are worth a try, and a step of the one tried whether it fits.
 */
const SCALES = [
  { batch: 8, prefix: 128, stream: 128 },
  { batch: 4, prefix: 64, stream: 64 },
  { batch: 1, prefix: 32, stream: 32 },
] as const;
type Scale = (typeof SCALES)[number];

/**
 * Tolerances for the difference of the two curves in bits per byte: over the first steps, where only rounding separates
 * them, and on average over the last tenth, after training has amplified the differences.
 */
export const CURVE_TOLERANCE = { first: 10, atFirst: 2e-3, atLast: 0.15 } as const;

/** Two hundred steps, compared with the CPU device, with the same batches and the same initial weights. */
export const training: Part = {
  name: 'training',
  what: 'Two hundred training steps of a tiny decoder on Moby Dick, compared with the CPU device: same initial weights, same batches.',
  weight: 3,
  async run({ device, openCpu, left, isQuick, progress }) {
    const config = isQuick ? { ...CONFIG, dim: 56, layers: 1, K: 2 } : CONFIG;
    const cpu = await openCpu();
    const open: Run[] = [];
    const leftOut: string[] = [];
    const notes: string[] = [];
    try {
      const begin = async (label: string, on: Device, scale: Scale, precision: Precision) => {
        const run = await Run.begin(label, on, config, scale, precision);
        open.push(run);
        return run;
      };
      // Two steps of a scale on each device, the second of which compiles nothing.
      const tried = async (scale: Scale) => {
        const runs = [await begin('CPU device', cpu, scale, 'full'), await begin('this device', device, scale, 'full')];
        try {
          if (precisionsOf(device).includes('mixed'))
            runs.push(await begin('this device, mixed', device, scale, 'mixed'));
        } catch (error) {
          notes.push(messageOf(error)); // the gradients have it as a fault
        }
        for (const run of runs) await run.steps(2, STEPS);
        return { scale, runs, perStep: runs.reduce((sum, run) => sum + run.milliseconds, 0) };
      };
      const wanted = isQuick ? 20 : STEPS;
      const smallest = SCALES.at(-1)!;
      let chosen = await tried(smallest);
      for (const scale of isQuick ? [] : SCALES.slice(0, -1)) {
        const estimate = (chosen.perStep * bytesOf(scale)) / bytesOf(smallest);
        if (estimate * wanted > left()) continue;
        const larger = await tried(scale);
        if (larger.perStep * wanted > left()) continue;
        chosen = larger;
        break;
      }
      const { runs, scale } = chosen;
      notes.push(`${some(scale.batch, 'window')} of ${scale.prefix} + ${scale.stream} bytes a step`);
      let done = runs[0]!.bits.length;
      while (done < wanted && left() > 0) {
        for (const run of runs) await run.steps(1, STEPS);
        done = runs[0]!.bits.length;
        progress(`step ${done}/${wanted}`);
      }
      if (done < wanted) leftOut.push(`steps ${done + 1} to ${wanted}`);
      return { ...compared(runs), leftOut, notes };
    } finally {
      for (const run of open) run.free();
      cpu.close();
    }
  },
};

const bytesOf = ({ batch, prefix, stream }: Scale) => batch * (prefix + stream);

function compared([cpu, ...others]: readonly Run[]) {
  const { first, atFirst, atLast } = CURVE_TOLERANCE;
  const steps = cpu!.bits.length;
  const faults: string[] = [];
  const rows: Row[] = [cpu!, ...others].map((run) => {
    const apart = run.bits.map((bits, i) => Math.abs(bits - cpu!.bits[i]!));
    const early = Math.max(...apart.slice(0, first)); // NaN where one of them is
    const tail = Math.ceil(steps / 10);
    const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    const late = Math.abs(mean(run.bits.slice(-tail)) - mean(cpu!.bits.slice(-tail)));
    // f16 inputs are a different computation: their curve must end close, but need not be the same at first.
    if (!(early <= atFirst) && run.precision === 'full') {
      faults.push(`${run.label}: ${early.toExponential(1)} bits/byte apart within ${first} steps; allowed ${atFirst}`);
    }
    if (!(late <= atLast)) {
      faults.push(`${run.label}: ${late.toFixed(3)} bits/byte apart over the last ${tail} steps; allowed ${atLast}`);
    }
    return {
      run: run.label,
      steps,
      'bits/byte at first': fixed(run.bits[0]!),
      'at the end': fixed(run.bits.at(-1)!),
      [`most apart in ${first} steps`]: Number(early.toPrecision(2)),
      'apart at the end': fixed(late),
      'ms a step': Number(run.milliseconds.toFixed(2)),
    };
  });
  const curves: Curve[] = [cpu!, ...others].map(({ label, bits }) => ({ label, values: bits }));
  const words = others.map(({ label, bits }) => `${label} ${fixed(bits[0]!)} to ${fixed(bits.at(-1)!)}`);
  const summary = `${steps} steps; bits/byte ${words.join(', ')}; CPU device to ${fixed(cpu!.bits.at(-1)!)}`;
  return { summary, faults, tables: [{ title: 'Training', rows }], curves };
}

const fixed = (x: number) => (Number.isFinite(x) ? Number(x.toFixed(3)) : `${x}`);

/** A training run that can be moved on by some steps, so that devices can take turns. */
class Run {
  readonly bits: number[] = [];
  /** of the last step */
  milliseconds = 0;

  private constructor(
    readonly label: string,
    readonly precision: Precision,
    private readonly trainer: Trainer,
    private readonly windows: Mix,
    private readonly batch: number,
  ) {}

  static async begin(
    label: string,
    device: Device,
    config: DecoderConfig,
    { batch, prefix, stream }: Scale,
    precision: Precision,
  ): Promise<Run> {
    const size: WindowSize = { prefix, stream };
    const parameters = initialParameters(config, SEED);
    const trainer = await Trainer.create(device, { config, batch, sizes: [size], parameters, precision });
    return new Run(label, precision, trainer, mix([{ source: openText([], size), share: 1 }]), batch);
  }

  async steps(count: number, of: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const step = this.bits.length;
      const batch = this.windows.batch(SEED, step, this.batch);
      const start = performance.now();
      const { nats } = await this.trainer.update([batch], learningRate({ lr: 2e-3, warmup: 20, steps: of }, step + 1));
      this.milliseconds = performance.now() - start;
      this.bits.push(bitsOf(nats));
    }
  }

  free(): void {
    this.trainer.free();
  }
}
