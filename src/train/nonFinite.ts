import type { Value } from '../engine/op.js';
import type { Plan } from '../engine/plan.js';
import { runEntries } from '../inspect/entryRun.js';
import { type Batch, toFeeds } from '../model/forward.js';
import type { RecordedStep } from './recordStep.js';

/** The first op of a step whose output is not finite. */
export interface NonFinite {
  readonly op: string;
  readonly scope: string;
  /** `crossEntropy loss[0] is NaN`, with the location */
  readonly words: string;
}

/**
 * Replay a step, entry by entry, up to the first whose output is not finite. Nothing is changed.
 *
 * @param scalars of AdamW, which is not run
 * @returns undefined when everything is finite
 */
export async function firstNonFinite(
  { plan, pass, optimiser }: Pick<RecordedStep, 'pass' | 'optimiser'> & { readonly plan: Plan },
  batches: readonly Batch[],
  scalars: Float32Array,
): Promise<NonFinite | undefined> {
  plan.write(optimiser.scalars, scalars);
  for (const [i, batch] of batches.entries()) {
    for (const [tensor, data] of toFeeds(pass, batch)) plan.write(tensor, data);
    const last = i === batches.length - 1;
    for await (const { entry, inputs, outputs } of runEntries(plan, { update: last, accumulate: i > 0 })) {
      const { op, scope } = entry;
      const where = scope ? `${scope} ` : '';
      const wrongInput = firstNotFinite(
        inputs,
        entry.inputs.map(({ label }) => label),
      );
      const wrong = firstNotFinite(outputs, op.outputs);
      if (wrongInput) {
        const words = `${where}${op.name} reads ${wrongInput.words}`;
        // Everything that earlier entries wrote is finite, so this is an input: a parameter, or fed data.
        const isParameter = entry.inputs[wrongInput.index]!.storage.role === 'parameter';
        if (isParameter) return { op: 'adamW', scope: 'optimiser', words: `${words}, since adamW changed it last` };
        return { op: op.name, scope, words };
      }
      if (wrong) return { op: op.name, scope, words: `${where}${op.name}: ${wrong.words}` };
      if (op.name === 'gradientNorm') break; // only AdamW remains, and it changes parameters
    }
  }
  return undefined;
}

/** firstNotFinite([{ data: [1, NaN] }], ['loss']) // { index: 0, words: 'loss[1] is NaN' } */
function firstNotFinite(values: readonly Value[], names: readonly string[]) {
  for (const [index, { data }] of values.entries()) {
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) return { index, words: `${names[index]}[${at}] is ${data[at]}` };
  }
  return undefined;
}
