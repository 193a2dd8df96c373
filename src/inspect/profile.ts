import { InputError } from '../common/errors.js';
import type { Plan } from '../engine/plan.js';
import type { PreparedDispatch } from '../engine/prepare.js';
import { MAX_PASSES, Timestamps } from './timestamps.js';

/** Several measurements: the median and the range. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** `spreadOf([3, 1, 2]) // { median: 2, least: 1, most: 3 }` */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, least: sorted[0]!, most: sorted.at(-1)! };
}

/** GPU time of one dispatch, over all replays. */
export interface DispatchTime {
  readonly prepared: PreparedDispatch;
  readonly nanoseconds: Spread;
}

/**
 * GPU time of each dispatch of a plan, each in a pass of its own. Their sum exceeds the time of a replay, which has one
 * pass for all.
 *
 * @param replays number of replays for the medians
 * @returns undefined if the device has no timestamps
 * @throws InputError for a plan of more dispatches than a query set can time
 */
export async function profile(
  plan: Plan,
  { replays = 5 }: { readonly replays?: number } = {},
): Promise<DispatchTime[] | undefined> {
  const prepared = plan.dispatches;
  if (prepared.length > MAX_PASSES) {
    throw new InputError(`profile: a plan of ${prepared.length} dispatches; at most ${MAX_PASSES} can be timed`);
  }
  const timestamps = Timestamps.of(plan.device, prepared.length);
  if (timestamps === undefined) return undefined;
  const runs: number[][] = [];
  try {
    for (let i = 0; i < replays; i++) {
      const encoder = plan.device.gpu.createCommandEncoder();
      plan.begin(encoder);
      encodeTimed(plan, encoder, prepared, timestamps);
      plan.device.gpu.queue.submit([encoder.finish()]);
      runs.push(await timestamps.read(prepared.length));
    }
  } finally {
    timestamps.destroy();
  }
  return prepared.map((each, i) => ({ prepared: each, nanoseconds: spreadOf(runs.map((run) => run[i]!)) }));
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
