import { InputError } from '../common/errors.js';
import type { Plan } from '../engine/plan.js';
import type { PreparedDispatch } from '../engine/prepare.js';
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
  readonly prepared: PreparedDispatch;
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
  const prepared = plan.dispatches.filter(({ entry }) => update || entry.phase !== 'update');
  if (prepared.length > MAX_PASSES) {
    throw new InputError(`profile: a plan of ${prepared.length} dispatches; at most ${MAX_PASSES} can be timed`);
  }
  const timestamps = Timestamps.of(plan.device, prepared.length);
  if (timestamps === undefined) return undefined;
  const runs: number[][] = [];
  try {
    for (let i = 0; i < replays; i++) {
      const encoder = plan.device.gpu.createCommandEncoder();
      plan.begin(encoder, { update });
      encodeTimed(plan, encoder, prepared, timestamps);
      plan.device.gpu.queue.submit([encoder.finish()]);
      runs.push(await timestamps.read(prepared.length));
    }
  } finally {
    timestamps.destroy();
  }
  return prepared.map((each, i) => {
    const sorted = runs.map((run) => run[i]!).sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1]!;
    return { prepared: each, nanoseconds: { median, least: sorted[0]!, most: sorted.at(-1)! } };
  });
}

/** Put dispatches into an encoder, each in a pass of its own, timed if there are timestamps. */
export function encodeTimed(
  plan: Plan,
  encoder: GPUCommandEncoder,
  prepared: readonly PreparedDispatch[],
  timestamps: Timestamps | undefined,
): void {
  prepared.forEach((each, i) => {
    const pass = encoder.beginComputePass(timestamps && { timestampWrites: timestamps.pass(i) });
    plan.encode(pass, each);
    pass.end();
  });
  timestamps?.resolve(encoder, prepared.length);
}
