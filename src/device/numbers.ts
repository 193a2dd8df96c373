/**
 * A number of WebGPU's interface, as its `[EnforceRange]` converts it: a fraction is cut off.
 *
 * @param what its name, for the error
 * @param most the largest of its type; default that of a size
 * @throws TypeError when it is negative, too large, or not a number
 */
export function enforceRange(what: string, value: number, most: number = Number.MAX_SAFE_INTEGER): number {
  const whole = Math.trunc(value);
  if (whole >= 0 && whole <= most) return whole + 0; // `+ 0` turns -0 into 0
  throw new TypeError(`${what}: ${value} is not a whole number from 0 to ${most}`);
}

/** The largest number of WebGPU's 32-bit sizes, indices and flags. */
export const MAX_U32 = 2 ** 32 - 1;
