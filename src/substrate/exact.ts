/**
 * Exact arithmetic to check the channels: integers of any size, and intervals of them. It uses no `Math` function.
 *
 * A real number is held as an interval [low, high] of integers in units of 2⁻¹⁹², certain to contain it. Rounding both ends to float32
 * and finding the same number proves that the real number rounds to it too; if they differ, `nearestFloat32` throws.
 */

/** A real number between low·2⁻¹⁹² and high·2⁻¹⁹². */
export interface Enclosure {
  readonly low: bigint;
  readonly high: bigint;
}

const FRACTION_BITS = 192n;
const ONE = 1n << FRACTION_BITS;

/** A float32 (any finite one is a whole multiple of 2⁻¹⁴⁹). */
export function exactly(value: number): Enclosure {
  const scaled = BigInt(value * 2 ** 149) << (FRACTION_BITS - 149n);
  return { low: scaled, high: scaled };
}

/** n/d for whole n ≥ 0 and d > 0. */
export function ratio(n: bigint, d: bigint): Enclosure {
  const scaled = n * ONE;
  const low = scaled / d;
  return { low, high: low * d === scaled ? low : low + 1n };
}

/** a + b·√½ for whole a and b. */
export function rootNumber(a: bigint, b: bigint): Enclosure {
  const low = squareRoot(ONE * (ONE / 2n)); // ⌊√½·2¹⁹²⌋
  const ends = [b * low, b * (b === 0n ? low : low + 1n)] as const;
  const [least, most] = b < 0n ? [ends[1], ends[0]] : ends;
  return { low: a * ONE + least, high: a * ONE + most };
}

/** ⌊√n⌋ by Newton's iteration from above. */
function squareRoot(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (root + n / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/**
 * π by Machin's formula, 16·atan(1/5) - 4·atan(1/239). Each series is cut when its terms vanish, and truncates less
 * than 1 per term.
 */
const PI: Enclosure = (() => {
  const arcTangent = (x: bigint) => {
    let [sum, terms] = [0n, 0n];
    for (let power = ONE / x; power > 0n; power /= x * x, terms++) {
      const term = power / (2n * terms + 1n);
      sum += terms % 2n === 0n ? term : -term;
    }
    return { sum, error: 3n * terms + 3n }; // the power, its division, and the terms after the last
  };
  const [fifth, small] = [arcTangent(5n), arcTangent(239n)];
  const value = 16n * fifth.sum - 4n * small.sum;
  const error = 16n * fifth.error + 4n * small.error;
  return { low: value - error, high: value + error };
})();

/** π·n/d for whole n ≥ 0 and d > 0. */
export function piTimes(n: bigint, d: bigint): Enclosure {
  return { low: (PI.low * n) / d, high: (PI.high * n + d - 1n) / d };
}

/**
 * sin(x) by its Taylor series for a fixed-point x in 0..π/2. A term has less than 4 units of error: the previous one is
 * multiplied by x²/(k(k+1)) < 1/2, and two divisions truncate. Fewer than 100 terms have less than 2⁹; the bound is
 * 2¹⁰.
 */
function sine(x: bigint): Enclosure {
  let [sum, term] = [0n, x];
  for (let k = 2n; term !== 0n; k += 2n) {
    sum += term;
    term = -(((term * x) / ONE) * x) / (ONE * k * (k + 1n));
  }
  return { low: sum - 1024n, high: sum + 1024n };
}

/** cos(2πi/256)·m/512 for whole i and m ≥ 0. Exact at quarter turns, where the cosine is a whole number. */
export function scaledCosineEnclosure(i: number, m: number): Enclosure {
  const turn = ((i % 256) + 256) % 256;
  const fromTop = turn <= 128 ? turn : 256 - turn; // cos is even: 0..128, half a turn
  const size = fromTop <= 64 ? WAVE[64 - fromTop]! : WAVE[fromTop - 64]!;
  const [low, high] = fromTop <= 64 ? [size.low, size.high] : [-size.high, -size.low];
  // A division of BigInts rounds towards zero; one unit in each direction covers it, and whole products stay exact.
  const factor = BigInt(m);
  const exact = low === high && (low * factor) % 512n === 0n;
  return exact
    ? { low: (low * factor) / 512n, high: (high * factor) / 512n }
    : { low: (low * factor) / 512n - 1n, high: (high * factor) / 512n + 1n };
}

/** sin(πj/128), j = 0..64. */
const WAVE: readonly Enclosure[] = Array.from({ length: 65 }, (_, j) => {
  if (j === 0) return { low: 0n, high: 0n };
  if (j === 64) return { low: ONE, high: ONE };
  const angle = piTimes(BigInt(j), 128n);
  return { low: sine(angle.low).low, high: sine(angle.high).high }; // the sine increases on 0..π/2
});

/**
 * The float32 nearest to a real number, ties to even.
 *
 * @throws Error when the enclosure is too wide to decide, or the number is below the smallest normal float32
 */
export function nearestFloat32({ low, high }: Enclosure): number {
  const [one, other] = [roundToFloat32(low), roundToFloat32(high)];
  if (one !== other) throw new Error(`undecided: the number is between ${one} and ${other}`);
  return one;
}

/** The integer nearest to x·2^bits, for numbers that are not halfway between two. */
export function nearestInteger({ low, high }: Enclosure, bits: bigint): bigint {
  const round = (end: bigint) => ((end << bits) + ONE / 2n) >> FRACTION_BITS;
  if (round(low) !== round(high)) throw new Error('undecided: halfway between two integers');
  return round(low);
}

function roundToFloat32(scaled: bigint): number {
  if (scaled === 0n) return 0;
  const size = scaled < 0n ? -scaled : scaled;
  const drop = BigInt(size.toString(2).length - 24); // bits below a 24-bit mantissa
  let mantissa = drop > 0n ? size >> drop : size << -drop;
  if (drop > 0n) {
    const rest = size - (mantissa << drop);
    const half = 1n << (drop - 1n);
    if (rest > half || (rest === half && mantissa % 2n === 1n)) mantissa += 1n;
  }
  const exponent = Number(drop - FRACTION_BITS);
  if (exponent < -149) throw new Error('below the smallest normal float32');
  return Number(scaled < 0n ? -mantissa : mantissa) * 2 ** exponent; // exact: 25 bits at most, times a power of two
}
