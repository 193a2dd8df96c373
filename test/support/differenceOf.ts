/** Half a unit in the last place of a float32 in [1, 2): the error of one rounding, relatively. */
export const ROUNDING = 2 ** -24;

/** What `expectClose` would say of numbers that are not close enough; undefined where they are. Lengths are equal. */
export function differenceOf(
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  roundings: number,
  floor = 1e-6,
): string | undefined {
  let largest = floor;
  for (let i = 0; i < reference.length; i++) largest = Math.max(largest, Math.abs(reference[i]!));
  const allowed = roundings * ROUNDING * largest;
  let worst = -1;
  let error = 0;
  for (let i = 0; i < reference.length; i++) {
    const difference =
      roundings === 0
        ? Number(!Object.is(actual[i], Math.fround(reference[i]!)))
        : Math.abs(actual[i]! - reference[i]!);
    // A NaN is never close; it compares false with everything.
    if (!(difference <= error)) {
      worst = i;
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  if (worst >= 0 && error > allowed) {
    return (
      `at ${worst} of ${reference.length}: got ${actual[worst]}, reference ${reference[worst]}; ` +
      `error ${error.toExponential(2)}, allowed ${allowed.toExponential(2)}`
    );
  }
  return undefined;
}
