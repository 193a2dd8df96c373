import { InputError } from '../common/errors.js';
import type { Plan } from '../engine/plan.js';
import type { Step } from '../engine/planSteps.js';
import { MAX_PASSES, Timestamps } from './timestamps.js';

/** Options of a profile. */
export interface ProfileOptions {
  /** number of replays for the medians. Default 5 */
  readonly replays?: number;
  /** also the `update` entries. Default true */
  readonly update?: boolean;
}

/** GPU time of one dispatch, over all replays. */
export interface DispatchTime {
  readonly step: Step;
  readonly nanoseconds: { readonly median: number; readonly least: number; readonly most: number };
}

/**
 * GPU time of each dispatch of a plan, each in a pass of its own. Their sum exceeds the time of a replay, which has one
 * pass for all.
 *
 * @returns undefined if the device has no timestamps
 * @throws InputError for a plan of more dispatches than a query set can time
 */
export async function profile(plan: Plan, options: ProfileOptions = {}): Promise<DispatchTime[] | undefined> {
  const { replays = 5, update = true } = options;
  const steps = plan.steps.filter(({ entry }) => update || entry.phase !== 'update');
  if (steps.length > MAX_PASSES) {
    throw new InputError(`profile: a plan of ${steps.length} dispatches; at most ${MAX_PASSES} can be timed`);
  }
  const timestamps = Timestamps.of(plan.device, steps.length);
  if (timestamps === undefined) return undefined;
  const runs: number[][] = [];
  try {
    for (let i = 0; i < replays; i++) {
      const encoder = plan.device.gpu.createCommandEncoder();
      plan.begin(encoder, { update });
      encodeTimed(plan, encoder, steps, timestamps);
      plan.device.gpu.queue.submit([encoder.finish()]);
      runs.push(await timestamps.read(steps.length));
    }
  } finally {
    timestamps.destroy();
  }
  return steps.map((step, i) => {
    const sorted = runs.map((run) => run[i]!).sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1]!;
    return { step, nanoseconds: { median, least: sorted[0]!, most: sorted.at(-1)! } };
  });
}

/** Put dispatches into an encoder, each in a pass of its own, timed if there are timestamps. */
export function encodeTimed(
  plan: Plan,
  encoder: GPUCommandEncoder,
  steps: readonly Step[],
  timestamps: Timestamps | undefined,
): void {
  steps.forEach((step, i) => {
    const pass = encoder.beginComputePass(timestamps && { timestampWrites: timestamps.pass(i) });
    plan.encode(pass, [step]);
    pass.end();
  });
  timestamps?.resolve(encoder, steps.length);
}
