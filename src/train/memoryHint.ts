import { DeviceError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import type { Precision } from '../engine/kernel.js';
import { Plan } from '../engine/plan.js';
import { profileFor } from '../engine/precision.js';
import { sizeInWords } from '../engine/prediction.js';
import type { Program } from '../engine/program.js';
import { recordStep, type StepOptions } from './recordStep.js';
import type { WindowSize } from './windows/window.js';

/** The part of a trainer's options on which its memory depends. */
interface MemoryOptions extends StepOptions {
  readonly precision?: Precision;
  readonly batch: number;
  readonly accumulate?: number;
  readonly sizes: readonly WindowSize[];
}

/** Add to an error about memory the flags that would fit, found by prediction. */
export function withMemoryHint(error: DeviceError, device: Device, options: MemoryOptions): DeviceError {
  const add = (words: string) => new DeviceError(`${error.message}. ${words}`, 'memory', error.label);
  const { batch, accumulate = 1, config } = options;
  let smaller = '';
  for (let B = batch >> 1; B >= 1; B >>= 1) {
    smaller = `--batch ${B} --accumulate ${Math.ceil(batch / B) * accumulate}`;
    const bytes = bytesIfFitting(device, { ...options, batch: B });
    if (bytes !== undefined) return add(`${smaller} would take ${sizeInWords(bytes)}`);
  }
  for (let layers = config.layers >> 1; layers >= 1; layers >>= 1) {
    const bytes = bytesIfFitting(device, { ...options, batch: 1, config: { ...config, layers } });
    const flags = [smaller, `--layers ${layers}`].join(' ').trim();
    if (bytes !== undefined) return add(`Even --batch 1 would not fit; ${flags} would take ${sizeInWords(bytes)}`);
  }
  return add('Even --batch 1 --layers 1 would not fit; take a smaller --dim, or shorter windows: --prefix, --stream');
}

/** Bytes that all sizes of window need together; undefined if they do not fit. */
function bytesIfFitting(device: Device, options: MemoryOptions): number | undefined {
  const profile = profileFor(device, options.precision ?? 'full');
  let shared: { program: Program } | undefined;
  let bytes = 0;
  for (const size of options.sizes) {
    const { program, pass, optimiser } = recordStep(options, size, options.batch);
    const keep = [pass.loss, optimiser.clip];
    const predicted = Plan.predict(program, device, { keep, profile, ...(shared && { shared }) });
    bytes += predicted.bytes.fresh;
    if (predicted.memoryError !== undefined || bytes > device.freeMemory()) return undefined;
    shared ??= { program };
  }
  return bytes;
}
