import { outputOf, type Value } from './op.js';
import { stridedIndex } from './ops/view.js';
import type { Plan, ReplayOptions } from './plan.js';
import type { Step } from './planSteps.js';
import { encodeTimed } from './profile.js';
import type { Entry } from './program.js';
import { NOTHING_BEFORE } from './reference.js';
import type { Storage, Tensor } from './tensor.js';
import { Timestamps } from './timestamps.js';

/** Whether a replay runs an entry. */
export function runsIn({ update = true, only }: ReplayOptions, entry: Entry): boolean {
  return (update || entry.phase !== 'update') && (only?.has(entry) ?? true);
}

/** One entry of a plan that has just run: what its kernels read, what they wrote, and how long each took. */
export interface EntryRun {
  readonly entry: Entry;
  readonly steps: readonly Step[];
  /** the device's own numbers, as they were when the entry ran */
  readonly inputs: readonly Value[];
  /** outputs that are added into or updated in place, before the entry ran; empty values for those written whole */
  readonly before: readonly Value[];
  readonly outputs: readonly Value[];
  /** GPU time of each step; undefined where the device has no timestamps */
  readonly nanoseconds: readonly number[] | undefined;
}

/**
 * Run a plan and stop after each entry. Whatever looks inside a run does it this way: the trace, PARITY, DEBUG. Since inputs
 * are read before an entry runs and outputs right after, it works on a plan whose entries share buffers too.
 *
 * Views are passed over: they have nothing to run.
 */
export async function* runEntries(plan: Plan, options: ReplayOptions = {}): AsyncGenerator<EntryRun> {
  const { gpu } = plan.device;
  const encoder = gpu.createCommandEncoder();
  plan.begin(encoder, options);
  gpu.queue.submit([encoder.finish()]);
  const stepsOf = new Map<Entry, Step[]>();
  for (const step of plan.steps) stepsOf.set(step.entry, [...(stepsOf.get(step.entry) ?? []), step]);
  const most = Math.max(0, ...[...stepsOf.values()].map((steps) => steps.length));
  const timestamps = Timestamps.of(plan.device, most);
  try {
    for (const [entry, steps] of stepsOf) {
      if (!runsIn(options, entry)) continue;
      yield await runEntry(plan, entry, steps, timestamps);
    }
  } finally {
    timestamps?.destroy();
  }
}

async function runEntry(
  plan: Plan,
  entry: Entry,
  steps: readonly Step[],
  timestamps: Timestamps | undefined,
): Promise<EntryRun> {
  const kept = entry.outputs.filter((_, i) => outputOf(entry.op.outputs[i]!)[1] !== 'writes');
  const earlier = await valuesNow(plan, [...entry.inputs, ...kept]);
  const encoder = plan.device.gpu.createCommandEncoder();
  encodeTimed(plan, encoder, steps, timestamps);
  plan.device.gpu.queue.submit([encoder.finish()]);
  const nanoseconds = await timestamps?.read(steps.length);
  const later = await valuesNow(plan, entry.outputs);
  return {
    entry,
    steps,
    inputs: entry.inputs.map((tensor) => earlier.get(tensor)!),
    before: entry.outputs.map((tensor) => (kept.includes(tensor) ? earlier.get(tensor)! : NOTHING_BEFORE)),
    outputs: entry.outputs.map((tensor) => later.get(tensor)!),
    nanoseconds,
  };
}

/** Tensors' numbers at this moment, row-major, views included. */
export async function valuesNow(plan: Plan, tensors: readonly Tensor[]): Promise<Map<Tensor, Value>> {
  const storages = [...new Set(tensors.map((tensor) => tensor.storage))];
  const numbers = await plan.readNow(storages);
  const memory = new Map<Storage, Float64Array>(
    storages.map((storage, i) => [storage, Float64Array.from(numbers[i]!)]),
  );
  return new Map(tensors.map((tensor) => [tensor, viewOf(tensor, memory.get(tensor.storage)!)]));
}

function viewOf({ shape, strides, size, isContiguous }: Tensor, memory: Float64Array): Value {
  if (isContiguous) return { shape, data: memory };
  return { shape, data: Float64Array.from({ length: size }, (_, i) => memory[stridedIndex(i, shape, strides)]!) };
}
