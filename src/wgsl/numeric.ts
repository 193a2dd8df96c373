/**
 * Scalars: every operator, conversion and componentwise builtin of WGSL on plain JavaScript numbers and booleans.
 *
 * An f32 is a number that `Math.fround` does not change, an i32 is a signed integer, a u32 an integer in 0..2^32-1.
 * Every f32 operation rounds once, to nearest even, and keeps subnormals. JavaScript computes in float64, and rounding
 * its `+ - * /` and `sqrt` to float32 gives the same bits as float32 arithmetic would.
 *
 * WGSL leaves some results undefined. This file defines them, and the compiler gives the same bits.
 *
 * @see https://www.w3.org/TR/WGSL/#numeric-builtin-functions
 */
import { jsMath, RECIPES, roundHalfEven } from './math.js';
import type { BinaryOperator, ScalarName, UnaryOperator } from './tree.js';

/** An f32, i32 or u32 as a number; a bool as a boolean. */
export type Scalar = number | boolean;

// biome-ignore lint/suspicious/noExplicitAny: operations take numbers or booleans by type, and are looked up by name
type Operation = (...values: any[]) => Scalar;
/** One operation for each scalar type that it works on. */
type ByType = Partial<Record<ScalarName, Operation>>;

const { fround } = Math;

// ---- operators ----

const UNARY: Record<UnaryOperator, ByType> = {
  '-': { i32: (a: number) => -a | 0, f32: (a: number) => -a },
  '!': { bool: (a: boolean) => !a },
  '~': { i32: (a: number) => ~a, u32: (a: number) => ~a >>> 0 },
};

const sameForAll = (f: Operation): ByType => ({ bool: f, i32: f, u32: f, f32: f });
const numbers = (f: Operation): ByType => ({ i32: f, u32: f, f32: f });

const BINARY: Record<BinaryOperator, ByType> = {
  '+': {
    i32: (a: number, b: number) => (a + b) | 0,
    u32: (a: number, b: number) => (a + b) >>> 0,
    f32: (a: number, b: number) => fround(a + b),
  },
  '-': {
    i32: (a: number, b: number) => (a - b) | 0,
    u32: (a: number, b: number) => (a - b) >>> 0,
    f32: (a: number, b: number) => fround(a - b),
  },
  '*': {
    i32: (a: number, b: number) => Math.imul(a, b),
    u32: (a: number, b: number) => Math.imul(a, b) >>> 0,
    f32: (a: number, b: number) => fround(a * b),
  },
  // x / 0 is x; `| 0` turns the quotient of the smallest i32 by -1 into the smallest i32.
  '/': {
    i32: (a: number, b: number) => (b === 0 ? a : (a / b) | 0),
    u32: (a: number, b: number) => (b === 0 ? a : Math.trunc(a / b)),
    f32: (a: number, b: number) => fround(a / b),
  },
  // x % 0 is 0. The f32 remainder is defined by three rounded operations, as in WGSL.
  '%': {
    i32: (a: number, b: number) => (b === 0 ? 0 : (a % b) | 0),
    u32: (a: number, b: number) => (b === 0 ? 0 : a % b),
    f32: (a: number, b: number) => fround(a - fround(b * Math.trunc(fround(a / b)))),
  },
  '&': {
    bool: (a: boolean, b: boolean) => a && b,
    i32: (a: number, b: number) => a & b,
    u32: (a: number, b: number) => (a & b) >>> 0,
  },
  '|': {
    bool: (a: boolean, b: boolean) => a || b,
    i32: (a: number, b: number) => a | b,
    u32: (a: number, b: number) => (a | b) >>> 0,
  },
  '^': {
    bool: (a: boolean, b: boolean) => a !== b,
    i32: (a: number, b: number) => a ^ b,
    u32: (a: number, b: number) => (a ^ b) >>> 0,
  },
  // JavaScript takes the amount modulo 32 itself.
  '<<': { i32: (a: number, b: number) => a << b, u32: (a: number, b: number) => (a << b) >>> 0 },
  '>>': { i32: (a: number, b: number) => a >> b, u32: (a: number, b: number) => a >>> b },
  '==': sameForAll((a: Scalar, b: Scalar) => a === b),
  '!=': sameForAll((a: Scalar, b: Scalar) => a !== b),
  '<': numbers((a: number, b: number) => a < b),
  '<=': numbers((a: number, b: number) => a <= b),
  '>': numbers((a: number, b: number) => a > b),
  '>=': numbers((a: number, b: number) => a >= b),
};

/** `unary('-', 'i32')(5) // -5`. @throws RangeError when WGSL has no such operator */
export function unary(operator: UnaryOperator, type: ScalarName): Operation {
  return operationFor(UNARY[operator], type, operator);
}

/** `binary('+', 'u32')(4294967295, 1) // 0`; for a shift, the left side's type. @throws RangeError as `unary` */
export function binary(operator: BinaryOperator, type: ScalarName): Operation {
  return operationFor(BINARY[operator], type, operator);
}

function operationFor(table: ByType, type: ScalarName, name: string): Operation {
  const operation = table[type];
  if (!operation) throw new RangeError(`${name} is not defined on ${type}`);
  return operation;
}

// ---- conversions ----

const identity = (a: Scalar) => a;
const clampTo = (low: number, high: number) => (a: number) =>
  Number.isNaN(a) ? 0 : Math.trunc(Math.min(Math.max(a, low), high)) + 0; // `+ 0` turns -0 into 0

/** The largest f32 that each type can represent: conversions of larger ones give it. */
export const LARGEST = { i32: 2147483520, u32: 4294967040 } as const;

const CONVERT: Record<ScalarName, Record<ScalarName, Operation>> = {
  bool: { bool: identity, i32: Number, u32: Number, f32: Number },
  i32: { bool: (a: number) => a !== 0, i32: identity, u32: (a: number) => a >>> 0, f32: fround },
  u32: { bool: (a: number) => a !== 0, i32: (a: number) => a | 0, u32: identity, f32: fround },
  f32: {
    bool: (a: number) => a !== 0,
    // the largest numbers that f32 has, too
    i32: clampTo(-2147483648, LARGEST.i32),
    u32: clampTo(0, LARGEST.u32),
    f32: identity,
  },
};

/**
 * `conversion('f32', 'u32')(-1.5) // 0`: the function `u32(x)`. i32 and u32 keep the bits; f32 is truncated and
 * saturates.
 */
export function conversion(from: ScalarName, to: ScalarName): Operation {
  return CONVERT[from][to];
}

const cell = new DataView(new ArrayBuffer(4));

/** The 32 bits of a value; 0 or 1 for a bool. `bitsOf(1, 'f32') // 0x3f800000` */
export function bitsOf(a: Scalar, type: ScalarName): number {
  if (type !== 'f32') return Number(a) >>> 0;
  cell.setFloat32(0, a as number);
  return cell.getUint32(0);
}

/** The value of 32 bits. `fromBits(0x3f800000, 'f32') // 1` */
export function fromBits(bits: number, type: ScalarName): Scalar {
  if (type === 'bool') return bits !== 0;
  if (type === 'u32') return bits >>> 0;
  if (type === 'i32') return bits | 0;
  cell.setUint32(0, bits);
  return cell.getFloat32(0);
}

/** `bitcast<to>`. Numbers only. */
export function bitcast(from: ScalarName, to: ScalarName): Operation {
  return from === to ? identity : (a: Scalar) => fromBits(bitsOf(a, from), to);
}

// ---- f16, for quantizeToF16 and pack2x16float ----

/** The f16 nearest to an f32, ties to even, as a number; ±Infinity past 65519. `toF16(0.1) // 0.0999755859375` */
export function toF16(a: number): number {
  const size = Math.abs(a);
  if (!(size > 0) || size === Infinity) return a;
  // Below 2^-14 the step between f16s is 2^-24; above, 2^-10 of the power of two below.
  const step = size < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(size)) - 10);
  const rounded = roundHalfEven(a / step) * step;
  return Math.abs(rounded) > 65504 ? Math.sign(a) * Infinity : rounded;
}

/** The 16 bits of the f16 nearest to an f32. `f16BitsOf(1) // 0x3c00` */
export function f16BitsOf(a: number): number {
  const sign = bitsOf(a, 'f32') >>> 31 ? 0x8000 : 0;
  const size = Math.abs(toF16(a));
  if (Number.isNaN(size)) return sign | 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | (size / 2 ** (exponent - 10) - 1024);
}

/** The f16 of 16 bits as a number. `fromF16Bits(0x3c00) // 1` */
export function fromF16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

// ---- componentwise builtins ----

// Not Math.min and Math.max: those return NaN if one side is NaN, and order -0 before 0.
// biome-ignore lint/complexity/useMathMinMax: see above
const min = (a: number, b: number) => (b < a ? b : a);
// biome-ignore lint/complexity/useMathMinMax: see above
const max = (a: number, b: number) => (a < b ? b : a);
const clamp = (a: number, low: number, high: number) => min(max(a, low), high);
const f32 = (f: Operation): ByType => ({ f32: f });

/** Functions of 32 bits, given as u32; the result has the argument's type. */
const onBits = (f: (a: number) => number): ByType => ({
  i32: (a: number) => f(a >>> 0) | 0,
  u32: (a: number) => f(a) >>> 0,
});

const trailingZeros = (a: number) => (a === 0 ? 32 : 31 - Math.clz32(a & -a));

function countOneBits(a: number): number {
  let count = 0;
  for (let rest = a; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

function reverseBits(a: number): number {
  let reversed = 0;
  for (let i = 0; i < 32; i++) reversed |= ((a >>> i) & 1) << (31 - i);
  return reversed;
}

/** `count` bits from `offset`, both clamped to 32 bits, as in WGSL: [shift up, shift down]. */
function bitField(offset: number, count: number): { offset: number; count: number } {
  const start = Math.min(offset, 32);
  return { offset: start, count: Math.min(count, 32 - start) };
}

function extractBits(a: number, from: number, length: number, signed: boolean): number {
  const { offset, count } = bitField(from, length);
  if (count === 0) return 0;
  const top = a << (32 - offset - count);
  return signed ? top >> (32 - count) : top >>> (32 - count);
}

function insertBits(a: number, inserted: number, from: number, length: number): number {
  const { offset, count } = bitField(from, length);
  if (count === 0) return a;
  const mask = (0xffffffff >>> (32 - count)) << offset;
  return (a & ~mask) | ((inserted << offset) & mask);
}

function smoothstep(low: number, high: number, x: number): number {
  const t = clamp(fround(fround(x - low) / fround(high - low)), 0, 1);
  return fround(fround(t * t) * fround(3 - fround(2 * t)));
}

/** [fraction in 0.5..1, exponent] with x = fraction * 2^exponent; zero, infinite and NaN values unchanged, with 0. */
export function frexp(x: number): [fraction: number, exponent: number] {
  if (x === 0 || !Number.isFinite(x)) return [x, 0];
  // An f32 is a normal float64 always, so its exponent is in the top bits.
  const exponent = ((new DataView(Float64Array.of(x).buffer).getUint32(4, true) >>> 20) & 2047) - 1022;
  return [x / 2 ** exponent, exponent];
}

/** x * 2^exponent, rounded once. */
const ldexp = (x: number, exponent: number) => fround(x * 2 ** clamp(exponent, -400, 400));

const COMPONENTWISE: Record<string, ByType> = {
  abs: {
    i32: (a: number) => Math.abs(a) | 0, // the smallest i32 is unchanged
    u32: identity,
    f32: (a: number) => Math.abs(a),
  },
  min: numbers(min),
  max: numbers(max),
  clamp: numbers(clamp),
  saturate: f32((a: number) => clamp(a, 0, 1)),
  sign: { i32: (a: number) => Math.sign(a), f32: (a: number) => (a > 0 ? 1 : a < 0 ? -1 : 0) },
  ceil: f32((a: number) => Math.ceil(a)),
  floor: f32((a: number) => Math.floor(a)),
  trunc: f32((a: number) => Math.trunc(a)),
  round: f32(roundHalfEven),
  fract: f32((a: number) => fround(a - Math.floor(a))),
  sqrt: f32((a: number) => fround(Math.sqrt(a))),
  inverseSqrt: f32((a: number) => fround(1 / fround(Math.sqrt(a)))),
  fma: f32((a: number, b: number, c: number) => fround(fround(a * b) + c)),
  mix: f32((a: number, b: number, t: number) => fround(fround(a * fround(1 - t)) + fround(b * t))),
  step: f32((edge: number, x: number) => (edge <= x ? 1 : 0)),
  smoothstep: f32(smoothstep),
  degrees: f32((a: number) => fround(a * fround(180 / Math.PI))),
  radians: f32((a: number) => fround(a * fround(Math.PI / 180))),
  ldexp: f32(ldexp),
  quantizeToF16: f32(toF16),

  // exp, log, tanh, sin, …: the recipes that the compiler uses too
  ...Object.fromEntries(Object.keys(RECIPES).map((name) => [name, f32((a: number, b: number) => jsMath(name, a, b))])),

  countOneBits: onBits(countOneBits),
  countLeadingZeros: onBits(Math.clz32),
  countTrailingZeros: onBits(trailingZeros),
  reverseBits: onBits(reverseBits),
  // -1 (all ones as u32) if there is no such bit; for a negative i32, the highest zero
  firstLeadingBit: {
    i32: (a: number) => 31 - Math.clz32(a < 0 ? ~a : a),
    u32: (a: number) => (31 - Math.clz32(a)) >>> 0,
  },
  firstTrailingBit: onBits((a) => (a === 0 ? -1 : trailingZeros(a))),
  extractBits: {
    i32: (a: number, offset: number, count: number) => extractBits(a, offset, count, true),
    u32: (a: number, offset: number, count: number) => extractBits(a, offset, count, false) >>> 0,
  },
  insertBits: {
    i32: (a: number, b: number, offset: number, count: number) => insertBits(a, b, offset, count),
    u32: (a: number, b: number, offset: number, count: number) => insertBits(a, b, offset, count) >>> 0,
  },
};

/**
 * A componentwise builtin, on scalars of the type of its first argument; undefined if there is none.
 * `componentwise('max', 'f32')!(1, 2) // 2`
 */
export function componentwise(name: string, type: ScalarName): Operation | undefined {
  return Object.hasOwn(COMPONENTWISE, name) ? COMPONENTWISE[name]![type] : undefined;
}

// ---- packing: vectors of small numbers in a u32 ----

interface Packing {
  /** components in a u32 */
  readonly size: 2 | 4;
  readonly pack: (component: number) => number;
}

const normalised = (levels: number, low: number) => (a: number) =>
  Math.floor(fround(0.5 + fround(levels * clamp(a, low, 1))));

/** From a vector to a u32; component 0 is in the lowest bits. */
const PACK: Record<string, Packing> = {
  pack4x8snorm: { size: 4, pack: normalised(127, -1) },
  pack4x8unorm: { size: 4, pack: normalised(255, 0) },
  pack4xI8: { size: 4, pack: identity as (a: number) => number },
  pack4xU8: { size: 4, pack: identity as (a: number) => number },
  pack4xI8Clamp: { size: 4, pack: (a) => clamp(a, -128, 127) },
  pack4xU8Clamp: { size: 4, pack: (a) => clamp(a, 0, 255) },
  pack2x16snorm: { size: 2, pack: normalised(32767, -1) },
  pack2x16unorm: { size: 2, pack: normalised(65535, 0) },
  pack2x16float: { size: 2, pack: f16BitsOf },
};

const signed = (bits: number, width: number) => (bits << (32 - width)) >> (32 - width);
const fractionOf = (levels: number) => (a: number) => max(fround(a / levels), -1);

/** From a u32 to a vector; `unpack` receives the component's bits as an unsigned integer. */
const UNPACK: Record<string, { readonly size: 2 | 4; readonly unpack: (bits: number) => number }> = {
  unpack4x8snorm: { size: 4, unpack: (bits) => fractionOf(127)(signed(bits, 8)) },
  unpack4x8unorm: { size: 4, unpack: fractionOf(255) },
  unpack4xI8: { size: 4, unpack: (bits) => signed(bits, 8) },
  unpack4xU8: { size: 4, unpack: (bits) => bits },
  unpack2x16snorm: { size: 2, unpack: (bits) => fractionOf(32767)(signed(bits, 16)) },
  unpack2x16unorm: { size: 2, unpack: fractionOf(65535) },
  unpack2x16float: { size: 2, unpack: fromF16Bits },
};

/** `packing('pack4xU8')!([1, 2, 3, 4]) // 0x04030201`; undefined if the builtin does not pack */
export function packing(name: string): ((vector: readonly number[]) => number) | undefined {
  const entry = Object.hasOwn(PACK, name) ? PACK[name]! : undefined;
  if (!entry) return undefined;
  const width = 32 / entry.size;
  const mask = 2 ** width - 1;
  return (vector) => vector.reduce((word, a, i) => (word | ((entry.pack(a) & mask) << (i * width))) >>> 0, 0);
}

/** `unpacking('unpack4xU8')!(0x04030201) // [1, 2, 3, 4]`; undefined if the builtin does not unpack */
export function unpacking(name: string): ((word: number) => number[]) | undefined {
  const entry = Object.hasOwn(UNPACK, name) ? UNPACK[name]! : undefined;
  if (!entry) return undefined;
  const width = 32 / entry.size;
  const mask = 2 ** width - 1;
  return (word) => Array.from({ length: entry.size }, (_, i) => entry.unpack((word >>> (i * width)) & mask));
}

/** `dot4I8Packed` and `dot4U8Packed`: the sum of products of four bytes each. */
export function dotPacked(name: 'dot4I8Packed' | 'dot4U8Packed'): (a: number, b: number) => number {
  const unpack = unpacking(name === 'dot4I8Packed' ? 'unpack4xI8' : 'unpack4xU8')!;
  return (a, b) => {
    const right = unpack(b);
    const sum = unpack(a).reduce((total, x, i) => total + x * right[i]!, 0);
    return name === 'dot4I8Packed' ? sum | 0 : sum >>> 0;
  };
}
