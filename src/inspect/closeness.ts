/** Half a unit in the last place of a float32 in [1, 2): the error of one rounding, relatively. */
export const ROUNDING = 2 ** -24;

/** The largest difference between numbers and their reference. */
export interface Difference {
  /** index of the largest difference; -1 if there is none */
  readonly index: number;
  /** infinite if one of the two is not a number; 1 for different bits, if equal bits are required */
  readonly error: number;
  readonly allowed: number;
}

/**
 * The largest difference, and its bound: `roundings` float32 roundings of the largest reference. `roundings` 0 requires
 * equal float32 bits; `floor` is a lower limit for the largest reference. Lengths are equal.
 */
export function largestDifference(
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  roundings: number,
  floor = 1e-6,
): Difference {
  let largest = floor;
  for (let i = 0; i < reference.length; i++) largest = Math.max(largest, Math.abs(reference[i]!));
  let index = -1;
  let error = 0;
  for (let i = 0; i < reference.length; i++) {
    const difference =
      roundings === 0
        ? Number(!Object.is(actual[i], Math.fround(reference[i]!)))
        : Math.abs(actual[i]! - reference[i]!);
    // A NaN is never close; it compares false with everything.
    if (!(difference <= error)) {
      index = i;
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
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
