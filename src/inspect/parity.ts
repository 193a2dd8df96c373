import { outputOf } from '../engine/op.js';
import { referenceOf } from '../engine/reference.js';
import type { EntryRun } from './entryRun.js';

/** Half a unit in the last place of a float32 in [1, 2): the error of one rounding, relatively. */
const ROUNDING = 2 ** -24;

/**
 * The tolerance in such roundings of the largest number. The sums of a decoder stay within a tenth of it; a wrong
 * index, a lost term or a missing barrier does not.
 */
const ROUNDINGS = 256;

/**
 * The tolerance, as a share of the largest number, of a kernel that rounds its factors to f16: 11 bits of each factor,
 * about 2^-11 of a long sum's usual size, which is below its largest.
 */
const HALF_PRECISION = 2 ** -8;

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
export function compareWithReference({ entry, steps, inputs, before, outputs }: EntryRun): Comparison[] {
  const results = referenceOf(entry, inputs, before);
  // The tolerance of a result that cancels is relative to its terms.
  const floats = inputs.filter((_, i) => entry.inputs[i]!.dtype === 'f32');
  const floor = Math.max(1e-6, 1e-4 * Math.max(0, ...floats.map(({ data }) => largestOf(data))));
  const rounds = steps.some(({ dispatch }) => dispatch.extensions?.includes('f16'))
    ? HALF_PRECISION
    : ROUNDINGS * ROUNDING;
  return outputs.map(({ data }, i) => {
    const [output, kind] = outputOf(entry.op.outputs[i]!);
    const result = results[i]!;
    const expected = kind === 'accumulates' ? before[i]!.data.map((value, at) => value + result[at]!) : result;
    const allowed = rounds * Math.max(floor, largestOf(expected));
    return { output, allowed, ...largestDifference(data, expected) };
  });
}

function largestDifference(kernel: Float64Array, reference: Float64Array) {
  let index = 0;
  let error = 0;
  for (let i = 0; i < kernel.length; i++) {
    const difference = Object.is(kernel[i], reference[i]) ? 0 : Math.abs(kernel[i]! - reference[i]!);
    // A NaN compares false with everything: it is the largest difference.
    if (!(difference <= error)) {
      index = i;
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  return { error, index, kernel: kernel[index] ?? 0, reference: reference[index] ?? 0 };
}

/** The largest magnitude of finite numbers. */
function largestOf(data: Float64Array): number {
  let largest = 0;
  for (const value of data) if (Math.abs(value) > largest && Number.isFinite(value)) largest = Math.abs(value);
  return largest;
}
