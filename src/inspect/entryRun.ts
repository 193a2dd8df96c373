import { outputKind, type Value } from '../engine/op.js';
import { type Plan, type ReplayOptions, runsIn } from '../engine/plan.js';
import type { PreparedDispatch } from '../engine/prepare.js';
import type { Entry } from '../engine/program.js';
import { NOTHING_BEFORE } from '../engine/reference.js';
import { valuesNow } from '../engine/values.js';
import { encodeTimed } from './profile.js';
import { Timestamps } from './timestamps.js';

/** One entry of a plan after its run: the inputs, outputs and times of its kernels. */
export interface EntryRun {
  readonly entry: Entry;
  readonly prepared: readonly PreparedDispatch[];
  /** the device's numbers at the time of the entry's run */
  readonly inputs: readonly Value[];
  /** accumulated or in-place outputs before the entry ran; empty values for overwritten ones */
  readonly before: readonly Value[];
  readonly outputs: readonly Value[];
  /** GPU time of each dispatch; undefined if the device has no timestamps */
  readonly nanoseconds: readonly number[] | undefined;
}

/**
 * Run a plan and stop after each entry. The trace, PARITY and DEBUG all use this function. Since inputs
 * are read before an entry runs and outputs right after, it works on a plan whose entries share buffers too.
 *
 * Views are skipped: they run nothing.
 *
 * @param stopAt entries to stop after; default all. The others run without a stop
 */
export async function* runEntries(
  plan: Plan,
  options: ReplayOptions = {},
  stopAt: (entry: Entry) => boolean = () => true,
): AsyncGenerator<EntryRun> {
  const { gpu } = plan.device;
  const encoder = gpu.createCommandEncoder();
  plan.begin(encoder, options);
  gpu.queue.submit([encoder.finish()]);
  const preparedOf = new Map<Entry, PreparedDispatch[]>();
  for (const each of plan.dispatches) {
    if (runsIn(options, each.entry)) preparedOf.set(each.entry, [...(preparedOf.get(each.entry) ?? []), each]);
  }
  const most = Math.max(0, ...[...preparedOf.values()].map((prepared) => prepared.length));
  const timestamps = Timestamps.of(plan.device, most);
  let passed: PreparedDispatch[] = [];
  const runPassed = () => {
    if (passed.length === 0) return;
    const encoder = gpu.createCommandEncoder();
    encodeTimed(plan, encoder, passed, undefined);
    gpu.queue.submit([encoder.finish()]);
    passed = [];
  };
  try {
    for (const [entry, prepared] of preparedOf) {
      if (stopAt(entry)) {
        runPassed();
        yield await runEntry(plan, entry, prepared, timestamps);
      } else {
        passed.push(...prepared);
      }
    }
    runPassed();
  } finally {
    timestamps?.destroy();
  }
}

async function runEntry(
  plan: Plan,
  entry: Entry,
  prepared: readonly PreparedDispatch[],
  timestamps: Timestamps | undefined,
): Promise<EntryRun> {
  const kept = entry.outputs.filter((_, i) => outputKind(entry.op, i) !== 'writes');
  const earlier = await valuesNow(plan, [...entry.inputs, ...kept]);
  const encoder = plan.device.gpu.createCommandEncoder();
  encodeTimed(plan, encoder, prepared, timestamps);
  plan.device.gpu.queue.submit([encoder.finish()]);
  const nanoseconds = await timestamps?.read(prepared.length);
  const later = await valuesNow(plan, entry.outputs);
  return {
    entry,
    prepared,
    inputs: entry.inputs.map((tensor) => earlier.get(tensor)!),
    before: entry.outputs.map((tensor) => (kept.includes(tensor) ? earlier.get(tensor)! : NOTHING_BEFORE)),
    outputs: entry.outputs.map((tensor) => later.get(tensor)!),
    nanoseconds,
  };
}
