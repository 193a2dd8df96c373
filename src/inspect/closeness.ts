/** Half a unit in the last place of a float32 in [1, 2): the error of one rounding, relatively. */
export const ROUNDING = 2 ** -24;

/** The largest difference between numbers and their reference. */
export interface Difference {
  /** index of the largest difference; -1 if there is none */
  readonly index: number;
  /** infinite if only one of the two is a number; 1 for different bits, if equal bits are required */
  readonly error: number;
  readonly allowed: number;
}

/**
 * The largest difference, and its bound: `roundings` float32 roundings of the largest finite reference. `roundings` 0
 * requires equal float32 bits; `floor` is a lower limit for the largest reference. Lengths are equal.
 */
export function largestDifference(
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  roundings: number,
  floor = 1e-6,
): Difference {
  let index = -1;
  let error = 0;
  for (let i = 0; i < reference.length; i++) {
    const [got, want] = [actual[i]!, reference[i]!];
    let difference = Object.is(got, want) ? 0 : Math.abs(got - want);
    if (roundings === 0) difference = Object.is(got, Math.fround(want)) ? 0 : 1;
    // A NaN is never close; it compares false with everything.
    if (!(difference <= error)) {
      index = i;
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  const largest = Math.max(floor, largestOf(reference));
  return { index, error, allowed: roundings * ROUNDING * largest };
}

/** Message about numbers that are not close enough to their reference; undefined if they are. */
export function differenceOf(
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  roundings: number,
  floor = 1e-6,
): string | undefined {
  const { index, error, allowed } = largestDifference(actual, reference, roundings, floor);
  if (index < 0 || error <= allowed) return undefined;
  return (
    `at ${index} of ${reference.length}: got ${actual[index]}, reference ${reference[index]}; ` +
    `error ${error.toExponential(2)}, allowed ${allowed.toExponential(2)}`
  );
}

/** The largest magnitude of finite numbers; 0 if there are none. */
export function largestOf(data: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(data[i]!);
    if (magnitude > largest && magnitude < Number.POSITIVE_INFINITY) largest = magnitude;
  }
  return largest;
}
