/**
 * The value table: 256 bytes × 18 columns that depend on the byte alone, kept as 4,608 one-byte codes and decoded exactly.
 *
 *     columns  0–7   dxor       the code is the bit
 *     columns  8–15  Fourier    bits 0–3: a + 4, bits 4–6: b + 2, meaning a + b·√½; bit 7: the zero is -0
 *     columns 16–17  phase      an angle index i, meaning cos(2πi/256): v for the cosine, v - 64 for the sine
 *
 * No code here calls the platform's sine: the quarter wave is 65 integers, and every float32 computed from them is one
 * exact product and one rounding. `test/substrate/proof.test.ts` proves with integers only that each result is the
 * float32 nearest to the exact value.
 */
import { bitOf, fourierPairs, gray, VALUE_CHANNELS } from './channels.js';

/**
 * Fourier column of Im X[2]. It is -(bit1 - bit3 + bit5 - bit7), so its zero has a minus sign, here as in the published
 * table.
 */
const IM2 = 6;

/** The 256 × 18 codes, row by row: `codes[v * 18 + column]`. 4,608 bytes. */
export function packedTable(): Uint8Array {
  const codes = new Uint8Array(256 * VALUE_CHANNELS);
  for (let v = 0; v < 256; v++) {
    const row = v * VALUE_CHANNELS;
    for (let i = 0; i < 8; i++) codes[row + i] = bitOf(gray(v), i);
    fourierPairs(v).forEach(([a, b], i) => {
      const negativeZero = i === IM2 && a === 0 && b === 0;
      codes[row + 8 + i] = (negativeZero ? 128 : 0) | ((b + 2) << 4) | (a + 4);
    });
    codes[row + 16] = v;
    codes[row + 17] = v - 64; // sin x = cos(x - a quarter turn); a Uint8Array keeps it modulo 256
  }
  return codes;
}

/**
 * The table as float32, decoded from `packedTable()`; 256 × 18. The rows are HSL's value columns: dxor, Fourier, phase.
 * The array is the caller's own copy.
 *
 * @param codes rows of another packed table to decode
 */
export function valueTable(codes: Uint8Array = packedTable()): Float32Array {
  const table = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const column = i % VALUE_CHANNELS;
    const code = codes[i]!;
    table[i] = column < 8 ? code : column < 16 ? fourierValue(code) : COSINE[code]! / 2 ** WAVE_BITS;
  }
  return table;
}

/**
 * a + b·√½ in float64, off by less than 2⁻⁵²; storing it rounds once more, to the float32 nearest to the exact value.
 */
function fourierValue(code: number): number {
  if (code & 128) return -0;
  return (code & 15) - 4 + ((code >> 4) - 2) * Math.SQRT1_2;
}

/**
 * Fraction bits of the wave: with entries of at most 2⁴⁴, the product with a momentum of up to 2⁹ is exact in float64.
 */
export const WAVE_BITS = 44;

/** The integer nearest to 2⁴⁴·sin(πj/128), j = 0..64: a quarter of the circle. */
const QUARTER_WAVE: readonly number[] = [
  0, 431733857934, 863207655535, 1294161489122, 1724335768219, 2153471371927, 2581309805004, 3007593353576,
  3432065240373, 3854469779402, 4274552529964, 4692060449918, 5106742048104, 5518347535834, 5926628977352,
  6331340439185, 6732238138282, 7129080588859, 7521628747863, 7909646158961, 8292899094974, 8671156698663,
  9044191121792, 9411777662374, 9773694900020, 10129724829321, 10479652991160, 10823268601896, 11160364680335,
  11490738172403, 11814190073462, 12130525548182, 12439554047902, 12741089425408, 13034950047064, 13320958902220,
  13598943709836, 13868737022258, 14130176326084, 14383104140052, 14627368109905, 14862821100161, 15089321282743,
  15306732222411, 15514922958943, 15713768086025, 15903147826788, 16082948105957, 16253060618567, 16413382895201,
  16563818363715, 16704276407409, 16834672419607, 16954927854629, 17064970275096, 17164733395571, 17254157122478,
  17333187590310, 17401777194067, 17459884617936, 17507474860179, 17544519254212, 17570995485879, 17586887606887,
  17592186044416,
];

/** 2⁴⁴·cos(2πi/256), i = 0..255, as integers: the quarter wave unfolded. */
const COSINE: Float64Array = Float64Array.from({ length: 256 }, (_, i) => {
  const fromTop = i <= 128 ? i : 256 - i; // cos is even
  return fromTop <= 64 ? QUARTER_WAVE[64 - fromTop]! : -QUARTER_WAVE[fromTop - 64]!;
});

/** One in the last place of a wave entry times m: 2⁻⁴⁴ / 512. */
const SCALED_UNIT = 2 ** -(WAVE_BITS + 9);

/**
 * cos(2πi/256)·m/512 in float64, before its one rounding to float32: exact except for the wave's own last place, which
 * never affects the rounding (proved for all 256 × 257 pairs). m = 512 gives the plain cosine; m = `momentum(v,
 * previous)` the scaled one.
 */
export function scaledCosine(index: number, m: number): number {
  return COSINE[index & 255]! * m * SCALED_UNIT;
}

/**
 * The quarter wave for a shader, 65 × 2: `[high, low]` with 2⁴⁴·sin(πj/128) = high·2²² + low, so that high·m and low·m fit in 32 bits for
 * m up to 512. `scaledSineBits` is the arithmetic for them.
 */
export function waveTable(): Uint32Array {
  const table = new Uint32Array(2 * QUARTER_WAVE.length);
  QUARTER_WAVE.forEach((q, j) => {
    table[2 * j] = Math.floor(q / 2 ** 22);
    table[2 * j + 1] = q % 2 ** 22;
  });
  return table;
}

/**
 * Bits of the float32 nearest to sin(πj/128)·m/512, with 32-bit integer arithmetic only, as in the shader, since WGSL
 * does not define the rounding of a float product. `high` and `low` are a row of `waveTable()`, m is 256..512.
 */
export function scaledSineBits(high: number, low: number, m: number): number {
  // The product over 2²², at most 2³¹. The truncated bits never matter, since half a place is at bit 0 or above.
  const product = (Math.imul(high, m) >>> 0) + (Math.imul(low, m) >>> 22);
  if (product === 0) return 0;
  const top = 31 - Math.clz32(product); // the leading bit, worth 2^(top - 31): m/512 takes 9 more off the wave's 22
  const drop = top - 23;
  const mantissa = (product + (1 << (drop - 1))) >>> drop; // 24 bits, rounded half up; an exact half cannot occur
  // The leading 1 of the mantissa adds one to the exponent field below it, and a mantissa rounded up to 2²⁴ adds one
  // more.
  return ((top - 31 + 126) << 23) + mantissa;
}

/** First entry of the five-bit window in `contextTable()`, the one for the first byte of a run. */
export const FIRST_BYTE = 28;

/**
 * Boundary values by numerator n = 2·Σdxor + Σd2xor: entries 0..27 are n/18 for the window of nine bits, entries 28..43 are n/10, n = 0..15,
 * for the window of five at the start of a run. 44 float32.
 */
export function contextTable(): Float32Array {
  return Float32Array.from({ length: FIRST_BYTE + 16 }, (_, i) => (i < FIRST_BYTE ? i / 18 : (i - FIRST_BYTE) / 10));
}
