import type { Device } from '../device/device.js';
import type { Precision } from '../engine/kernel.js';
import { type DecoderConfig, SIZES } from '../model/config.js';
import { initialParameters } from '../model/parameters.js';
import { Trainer } from '../train/trainer.js';
import { mix } from '../train/windows/mix.js';
import { openText } from '../train/windows/text.js';
import type { WindowSize } from '../train/windows/window.js';
import { messageOf, type Part, precisionsOf, type Row, some } from './part.js';

const SEED = 3;
const BATCH = 2;

/**
 * Tolerance for the difference of a parameter's gradient from the CPU device's, as a share of its length. Float32 sums
 * in another order are about 1e-6 apart; f16 keeps 11 bits of what a product multiplies, and a gradient passes some ten
 * of them.
 */
export const GRADIENT_TOLERANCE: Readonly<Record<Precision, number>> = { full: 1e-4, mixed: 5e-2 };

/** One step's loss and the gradient of every parameter, on this device and on the CPU device. */
export const gradients: Part = {
  name: 'gradients',
  what: "One training step of a tiny decoder: the loss and every parameter's gradient, compared with the CPU device's.",
  weight: 1,
  async run({ device, openCpu, isQuick, progress }) {
    const config: DecoderConfig = { door: 'projected', ...SIZES.tiny, ...(isQuick && { dim: 56, layers: 1 }) };
    const size = isQuick ? { prefix: 12, stream: 10 } : { prefix: 64, stream: 64 };
    progress('the CPU device');
    const cpu = await openCpu();
    const want = await stepOf(cpu, config, size, 'full').finally(() => cpu.close());
    const rows: Row[] = [];
    const faults: string[] = [];
    const said: string[] = [];
    for (const precision of precisionsOf(device)) {
      progress(precision);
      let got: Step;
      try {
        got = await stepOf(device, config, size, precision);
      } catch (error) {
        if (precision === 'full') throw error;
        faults.push(messageOf(error));
        continue;
      }
      let worst = relative([got.loss], [want.loss]);
      rows.push({ precision, parameter: '(loss)', numbers: 1, 'relative difference': round(worst) });
      for (const [name, numbers] of got.gradients) {
        const difference = relative(numbers, want.gradients.get(name)!);
        worst = Math.max(worst, difference);
        rows.push({ precision, parameter: name, numbers: numbers.length, 'relative difference': round(difference) });
        if (difference <= GRADIENT_TOLERANCE[precision]) continue;
        faults.push(`${precision}: the gradient of ${name} is ${difference.toExponential(1)} of its length away`);
      }
      said.push(`${precision} ${worst === 0 ? 'equal to the bit' : `within ${worst.toExponential(1)}`}`);
    }
    const summary = `${some(want.gradients.size, 'gradient')}; ${said.join(', ')}`;
    return { summary, faults, leftOut: [], tables: [{ title: 'Gradients compared with the CPU device', rows }] };
  },
};

interface Step {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

async function stepOf(device: Device, config: DecoderConfig, size: WindowSize, precision: Precision): Promise<Step> {
  const parameters = initialParameters(config, SEED);
  const trainer = await Trainer.create(device, { config, batch: BATCH, sizes: [size], parameters, precision });
  try {
    const windows = mix([{ source: openText([], size), share: 1 }]);
    const { nats } = await trainer.update([windows.batch(SEED, 0, BATCH)], 1e-3);
    const { plan } = trainer;
    const { program } = plan;
    const numbers = await plan.readback(program.parameters.map(({ tensor }) => program.gradientOf(tensor)!.storage));
    const named = program.parameters.map(({ name }, i) => [name, numbers[i] as Float32Array] as const);
    return { loss: nats, gradients: new Map(named) };
  } finally {
    trainer.free();
  }
}

/** The length of the difference as a share of the length wanted; infinite where either is not finite. */
export function relative(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let difference = 0;
  let length = 0;
  for (let i = 0; i < want.length; i++) {
    difference += (got[i]! - want[i]!) ** 2;
    length += want[i]! ** 2;
  }
  if (difference === 0) return 0;
  const share = Math.sqrt(difference / length);
  return Number.isFinite(share) ? share : Number.POSITIVE_INFINITY;
}

const round = (x: number) => (Number.isFinite(x) ? Number(x.toPrecision(2)) : 'infinite');
