/**
 * The contract of every op: its kernels agree with its float64 reference. The tests check it, and so does `byte-to-loss
 * doctor` on a user's card.
 */

import type { Device } from '../device/device.js';
import type { AdapterProfile } from '../engine/kernel.js';
import { Plan } from '../engine/plan.js';
import { ReferenceRun } from '../engine/reference.js';
import type { OpSample } from '../engine/registry.js';
import { differenceOf, largestDifference } from './closeness.js';
import { recordSample, SAMPLE_SEED } from './sample.js';

/** Options for running a sample. */
export interface ParityOptions {
  /** replaces the device in the choice of kernels; default the device itself */
  readonly profile?: AdapterProfile;
  /** true passes transposed views to the op */
  readonly views?: boolean;
  /** random seed of the inputs */
  readonly seed?: number;
}

/** The result of a sample: outputs, saved tensors and gradients, compared with the reference. */
export interface SampleParity {
  /** a line for each tensor that is not close enough: `gelu.forward y, n = 33: at 3 of 66: got 1, reference 2; …` */
  readonly faults: readonly string[];
  /** the largest error as a share of the bound; 0 or infinite if bits must be equal */
  readonly worst: number;
  /** number of compared tensors */
  readonly compared: number;
  /** the kernels that ran */
  readonly shaders: ReadonlySet<string>;
}

/** Run a sample on a device, and compare every tensor that its kernels wrote with the float64 reference. */
export async function sampleParity(
  device: Device,
  sample: OpSample,
  n: number,
  { profile = device, views = false, seed = SAMPLE_SEED }: ParityOptions = {},
): Promise<SampleParity> {
  const { program, feeds } = recordSample(sample, n, views, seed);
  const reference = new ReferenceRun(program, feeds).run();
  const plan = await Plan.compile(program, device, { keep: 'all', profile });
  try {
    for (const [tensor, data] of feeds) plan.write(tensor, data);
    await plan.replay();
    const roundings = sample.roundings ?? 64;
    const faults: string[] = [];
    let worst = 0;
    let compared = 0;
    for (const entry of program.entries) {
      for (const output of entry.outputs.filter((tensor) => tensor.isContiguous)) {
        const numbers = output.dtype === 'u32' ? await plan.readIds(output) : await plan.read(output);
        const expected = reference.value(output).data;
        const { error, allowed } = largestDifference(numbers, expected, roundings, sample.floor);
        const fault = differenceOf(numbers, expected, roundings, sample.floor);
        if (fault !== undefined) faults.push(`${output.label}, n = ${n}: ${fault}`);
        worst = Math.max(worst, error === 0 ? 0 : error / allowed);
        compared++;
      }
    }
    return { faults, worst, compared, shaders: new Set(plan.dispatches.map(({ dispatch }) => dispatch.shader)) };
  } finally {
    plan.free();
  }
}
