import { outputKind } from '../engine/op.js';
import { referenceOf } from '../engine/reference.js';
import { largestDifference, largestOf } from './closeness.js';
import type { EntryRun } from './entryRun.js';

/**
 * The tolerance in float32 roundings of the largest number. The sums of a decoder stay within a tenth of it; a wrong
 * index, a lost term or a missing barrier does not.
 */
const ROUNDINGS = 256;

/**
 * The same for a kernel that rounds its factors to f16: 2^-8 of the largest number. Factors of 11 bits give about 2^-11 of
 * a long sum's usual size, which is below its largest.
 */
const ROUNDINGS_F16 = 2 ** 16;

/** The largest difference between an output and its reference. */
export interface Comparison {
  /** the output's name in the op */
  readonly output: string;
  /** largest absolute difference; infinite if only one of the two is a number */
  readonly error: number;
  /** row-major index of the largest difference */
  readonly index: number;
  readonly kernel: number;
  readonly reference: number;
  /** the difference that rounding may cause */
  readonly allowed: number;
}

/** Compare the outputs of an entry's kernels with the float64 reference, computed from the same inputs. */
export function compareWithReference({ entry, prepared, inputs, before, outputs }: EntryRun): Comparison[] {
  const results = referenceOf(entry, inputs, before);
  // The tolerance of a result that cancels is relative to its terms.
  const floats = inputs.filter((_, i) => entry.inputs[i]!.dtype === 'f32');
  const floor = Math.max(1e-6, 1e-4 * Math.max(0, ...floats.map(({ data }) => largestOf(data))));
  const isHalf = prepared.some(({ dispatch }) => dispatch.extensions?.includes('f16'));
  return outputs.map(({ data }, i) => {
    const [output, kind] = [entry.op.outputs[i]!, outputKind(entry.op, i)];
    const result = results[i]!;
    const expected = kind === 'accumulates' ? before[i]!.data.map((value, at) => value + result[at]!) : result;
    const difference = largestDifference(data, expected, isHalf ? ROUNDINGS_F16 : ROUNDINGS, floor);
    const index = Math.max(0, difference.index);
    return { ...difference, output, index, kernel: data[index] ?? 0, reference: expected[index] ?? 0 };
  });
}
