import type { Device } from '../device/device.js';
import type { Value } from '../engine/op.js';
import { Plan } from '../engine/plan.js';
import { Program } from '../engine/program.js';
import { valuesNow } from '../engine/values.js';
import type { DecoderConfig } from './config.js';
import { type Batch, recordForward, toFeeds } from './forward.js';

/**
 * The gradient of the loss with respect to each channel of each byte. Training does not need it if no parameter precedes the
 * channels, so a program of its own computes it.
 *
 * @param batch one window @returns [1, rows, channels] of the prefix, if there is one, then of the stream; none for a
 * door without channels
 */
export async function attributionOf(
  device: Device,
  config: DecoderConfig,
  parameters: ReadonlyMap<string, Float32Array>,
  batch: Batch,
): Promise<Value[]> {
  const program = new Program({ attribute: ['hslFeatures.forward'] });
  const size = { B: 1, L: batch.prefix.length, T: batch.targets.length };
  const pass = recordForward(program, config, size);
  const features = program.entries.filter(({ op }) => op.name === 'hslFeatures.forward');
  if (features.length === 0) return [];
  program.backward(pass.loss);
  const gradients = features.map(({ outputs: [y] }) => program.gradientOf(y!)!);
  const plan = await Plan.compile(program, device, { keep: gradients, parameters });
  try {
    for (const [tensor, data] of toFeeds(pass, batch)) plan.write(tensor, data);
    await plan.replay();
    const values = await valuesNow(plan, gradients);
    return gradients.map((gradient) => values.get(gradient)!);
  } finally {
    plan.free();
  }
}
