import type { Device } from '../src/device/device.js';
import { bitsOf, Evaluator } from '../src/model/evaluator.js';
import type { Checkpoint } from '../src/train/checkpoint.js';
import { assemble } from '../src/train/windows/mix.js';
import type { WindowSource } from '../src/train/windows/window.js';

/** Windows that are scored at once. */
const B = 8;

/**
 * Bits per byte of a decoder over the fixed held-out windows of a text, as `train` reports them.
 *
 * @param count how many of the windows, from the first; a multiple of 8
 */
export async function heldOutBits(
  device: Device,
  { config, parameters, prefix, stream }: Pick<Checkpoint, 'config' | 'parameters' | 'prefix' | 'stream'>,
  source: WindowSource,
  count = source.validationCount,
): Promise<number> {
  const evaluator = await Evaluator.create(device, config, { B, L: prefix, T: stream }, { parameters });
  try {
    let nats = 0;
    let bytes = 0;
    for (let first = 0; first < count; first += B) {
      const batch = assemble(Array.from({ length: B }, (_, i) => source.validation(first + i)));
      const each = await evaluator.nats(batch);
      for (const [i, weight] of batch.weights.entries()) {
        nats += weight * each[i]!;
        bytes += weight;
      }
    }
    return bitsOf(nats / bytes);
  } finally {
    evaluator.free();
  }
}
