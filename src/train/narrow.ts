import { InputError } from '../common/errors.js';

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/**
 * Float32 numbers as float16 bits, rounded to the nearest, ties to even. `widen` is its inverse on the numbers of float16.
 *
 *     narrow(Float32Array.of(1.5)) // [0x3e00]
 *
 * @throws InputError when a number is beyond the range of float16, 65504
 */
export function narrow(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, halfBits);
}

function halfBits(value: number): number {
  f32[0] = value;
  const sign = (u32[0]! >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  // Halves of one binade are `unit` apart; below 2^-14 they are subnormal and keep the distance of that binade.
  const exponent = Math.max(-14, magnitude === 0 ? -14 : ((u32[0]! >>> 23) & 0xff) - 127);
  const unit = 2 ** (exponent - 10);
  const count = roundHalfEven(magnitude / unit); // exact: a power of two divides
  const bits = (exponent + 14) * 1024 + count; // a count of 2048 correctly carries into the exponent
  if (!(bits < 0x7c00)) throw new InputError(`narrow: ${value} does not fit float16, whose largest number is 65504`);
  return sign | bits;
}

function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
