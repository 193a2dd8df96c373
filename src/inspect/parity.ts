import { outputOf } from '../engine/op.js';
import { referenceOf } from '../engine/reference.js';
import type { EntryRun } from './entryRun.js';

/** Half a unit in the last place of a float32 in [1, 2): the error of one rounding, relatively. */
const ROUNDING = 2 ** -24;

/**
 * How many such roundings of the largest number a kernel may be off. Sums of the sizes a decoder has come within a tenth of
 * it; a wrong index, a lost term or a missing barrier does not.
 */
const ROUNDINGS = 256;

/**
 * As much of the largest number a kernel may be off that rounds to f16 what it multiplies: 11 bits of each factor, about 2^-11 of
 * a long sum's usual size, which is below its largest.
 */
const HALF_PRECISION = 2 ** -8;

/** Where an output and its reference differ most. */
export interface Comparison {
  /** the output's name in the op */
  readonly output: string;
  /** largest absolute difference; infinite where only one of the two is a number */
  readonly error: number;
  /** row-major index of the largest difference */
  readonly index: number;
  readonly kernel: number;
  readonly reference: number;
  /** the difference that rounding may make */
  readonly allowed: number;
}

/** Compare what an entry's kernels wrote with the float64 reference, computed from the very numbers the kernels read. */
export function compareWithReference({ entry, steps, inputs, before, outputs }: EntryRun): Comparison[] {
  const results = referenceOf(entry, inputs, before);
  // A result that cancels is judged by what it was made from.
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
    // A NaN compares false with everything: it is the largest difference there is.
    if (!(difference <= error)) {
      index = i;
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  return { error, index, kernel: kernel[index] ?? 0, reference: reference[index] ?? 0 };
}

/** The largest magnitude; not finite numbers count for nothing. */
function largestOf(data: Float64Array): number {
  let largest = 0;
  for (const value of data) if (Math.abs(value) > largest && Number.isFinite(value)) largest = Math.abs(value);
  return largest;
}
