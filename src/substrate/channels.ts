/**
 * The 27 channels of a byte: their names, their columns, and the integers that define them.
 *
 * Bits are taken most significant first, so bit 0 is the top bit. All of it is integer arithmetic on a byte and at
 * most two bytes before it; `table.ts` converts the integers to float32 and `embed.ts` processes a byte string.
 *
 *      0–7   dxor0..7            bit[i] XOR bit[i-1], bit[-1] = 0: the Gray code of the byte            value
 *      8–15  d2xor0..7           dxor XOR dxor of the byte before                                       context
 *     16     boundary            mean of dxor + d2xor/2 over the nine bits around the byte's start      context
 *     17–21  fft_re0..4          real parts of the 8-point DFT of the bits                              value
 *     22–24  fft_im1..3          its imaginary parts that are not identically zero                      value
 *     25–26  phase_cos|phase_sin the byte as a point on the circle, cos and sin of 2πv/256              value
 *
 * With raw bits (`includeBits`) eight columns `bit0..7` come first and all others shift by 8: 35 columns.
 */

/**
 * The id of a masked position. Like EOS it is not a byte: its row is all zero, and the byte after it starts a new run.
 */
export const MASK = 256;
/** The id of the end of a stream. */
export const EOS = 257;
/** Bytes, MASK, EOS. */
export const VOCABULARY = 258;

/** Columns of a byte. */
export const CHANNELS = 27;
/** Columns of a byte with its raw bits. */
export const CHANNELS_WITH_BITS = 35;

/** Columns that depend on the byte alone, in the order of the value table: dxor 0–7, Fourier 8–15, phase 16–17. */
export const VALUE_CHANNELS = 18;

const eight = (name: string) => Array.from({ length: 8 }, (_, i) => `${name}${i}`);
const FOURIER_NAMES = ['fft_re0', 'fft_re1', 'fft_re2', 'fft_re3', 'fft_re4', 'fft_im1', 'fft_im2', 'fft_im3'];
const NAMES = [...eight('dxor'), ...eight('d2xor'), 'boundary', ...FOURIER_NAMES, 'phase_cos', 'phase_sin'];

/**
 * Names of the columns, in order.
 *
 *     channelNames()[16]      // 'boundary'
 *     channelNames(true)[0]   // 'bit0'
 */
export function channelNames(includeBits = false): string[] {
  return includeBits ? [...eight('bit'), ...NAMES] : [...NAMES];
}

/** Number of columns of a row: 27, or 35 with raw bits. */
export function channelCount(includeBits = false): number {
  return includeBits ? CHANNELS_WITH_BITS : CHANNELS;
}

/** Bit `i` of a byte, the most significant first: `bitOf(0b1000_0000, 0) // 1`. */
export function bitOf(value: number, i: number): number {
  return (value >> (7 - i)) & 1;
}

/**
 * The Gray code of a byte. Its bits, most significant first, are `dxor0..7`: `gray(72) // 0b0110_1100` for 'H' = 0b0100_1000.
 * Invertible: the running XOR of its bits is the byte. Neighbouring values differ in one bit.
 */
export function gray(value: number): number {
  return value ^ (value >> 1);
}

/** cos(2πj/8) for j = 0..7 as `[a, b]` with value a + b·√½. */
const EIGHTHS: readonly (readonly [number, number])[] = [
  [1, 0],
  [0, 1],
  [0, 0],
  [0, -1],
  [-1, 0],
  [0, -1],
  [0, 0],
  [0, 1],
];

/**
 * The eight Fourier columns of a byte as integer pairs `[a, b]`, each meaning a + b·√½ exactly: Re X[0..4], then Im X[1..3], where
 * X[k] = Σₙ bit[n]·e^(-2πi·kn/8). a is in -4..8 and b in -2..2. Invertible: the inverse DFT gives the bits.
 *
 *     fourierPairs(0b0100_0000)[1]   // [0, 1]: bit 1 alone, Re X[1] = cos(2π/8) = √½
 */
export function fourierPairs(value: number): [number, number][] {
  const part = (k: number, quarter: number): [number, number] => {
    let a = 0;
    let b = 0;
    for (let n = 0; n < 8; n++) {
      const [one, root] = EIGHTHS[(k * n + quarter) & 7]!;
      a += bitOf(value, n) * one;
      b += bitOf(value, n) * root;
    }
    return [a, b];
  };
  // -sin(2πj/8) = cos(2π(j + 2)/8), so an imaginary part is a real part two eighths further round.
  return [part(0, 0), part(1, 0), part(2, 0), part(3, 0), part(4, 0), part(1, 2), part(2, 2), part(3, 2)];
}

/** Number of set bits of a byte. */
function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}

/**
 * Set bits among the first five positions of a byte, 0..4: those in the byte's own boundary window, which extends from
 * the last four positions of the previous byte to position 4. The boundary is then n/18 over nine positions, or n/10
 * over the five of a first byte, with n = 2·Σdxor + Σd2xor and each sum split into headOnes of this byte and tailOnes
 * of the previous one.
 */
export function headOnes(value: number): number {
  return ones(value >> 3);
}

/**
 * Set bits among the last four positions of a byte, 4..7: those in the boundary window of the next byte. See headOnes.
 */
export function tailOnes(value: number): number {
  return ones(value & 15);
}

/**
 * The momentum of a step as an integer m, the factor being r = 1/2 + |v - previous|/512 = m/512: 256 (no change) to
 * 511.
 */
export function momentum(value: number, previous: number): number {
  return 256 + Math.abs(value - previous);
}
