/**
 * Functions of the language on constants.
 *
 * On concrete numbers they return their run-time results. On abstract ones they are computed in float64 or with
 * bigints. An argument outside a function's domain is refused.
 */
import {
  type Constant,
  ConstantError,
  type ConstantValue,
  foldBinary,
  foldUnary,
  mapScalars,
  print,
  represent,
  type ScalarValue,
} from './constants.js';
import { builtinOn } from './evaluate.js';
import { roundHalfEven } from './math.js';
import { frexp } from './numeric.js';
import type { Type } from './tree.js';
import { type AnyScalar, type AnyType, isAbstract, SCALARS, scalarOf } from './types.js';

/** @throws ConstantError when an argument is outside the domain, or the result is not finite */
export function foldBuiltin(name: string, given: readonly Constant[], type: AnyType): Constant {
  if (Object.hasOwn(DOMAINS, name)) holdsForAll(DOMAINS[name]!, given);
  const folded = given.some((constant) => isAbstract(constant.type))
    ? onAbstract(name, given, type)
    : builtinOn(
        name,
        given.map((constant) => constant.type) as Type[],
        type as Type,
      )(...given.map((constant) => constant.value as never));
  return { type, value: check(folded as ConstantValue, type) };
}

function check(value: ConstantValue, type: AnyType): ConstantValue {
  if (type.kind === 'struct') {
    (value as readonly ConstantValue[]).forEach((part, i) => void check(part, type.members[i]!.type));
    return value;
  }
  const of = scalarOf(type)!;
  return mapScalars(value, (scalar) => represent(scalar, of));
}

// ---- domains ----

type Domain = readonly [holds: (...values: number[]) => boolean, rule: (...printed: string[]) => string];

const DOMAINS: Readonly<Record<string, Domain>> = {
  sqrt: [(x) => x >= 0, () => 'sqrt must be called with a value >= 0'],
  inverseSqrt: [(x) => x > 0, () => 'inverseSqrt must be called with a value > 0'],
  log: [(x) => x > 0, () => 'log must be called with a value > 0'],
  log2: [(x) => x > 0, () => 'log2 must be called with a value > 0'],
  acos: [(x) => x >= -1 && x <= 1, () => 'acos must be called with a value in the range [-1 .. 1] (inclusive)'],
  asin: [(x) => x >= -1 && x <= 1, () => 'asin must be called with a value in the range [-1 .. 1] (inclusive)'],
  acosh: [(x) => x >= 1, () => 'acosh must be called with a value >= 1.0'],
  atanh: [(x) => x > -1 && x < 1, () => 'atanh must be called with a value in the range (-1 .. 1) (exclusive)'],
  pack2x16float: [(x) => Math.abs(x) <= 65504, (x) => `value ${x} cannot be represented as 'f16'`],
};

/** Rules about some arguments alone, from `first` on: they also apply to a run-time call if those are constants. */
const LIMITS: Readonly<Record<string, readonly [first: number, ...Domain]>> = {
  smoothstep: [
    0,
    (low, high) => low !== high,
    (low, high) => `smoothstep called with 'low' (${low}) equal to 'high' (${high})`,
  ],
  clamp: [
    1,
    (low, high) => low <= high,
    (low, high) => `clamp called with 'low' (${low}) greater than 'high' (${high})`,
  ],
  extractBits: [
    1,
    (offset, count) => offset + count <= 32,
    () => "'offset' + 'count' must be less than or equal to the bit width of 'e'",
  ],
  insertBits: [
    2,
    (offset, count) => offset + count <= 32,
    () => "'offset' + 'count' must be less than or equal to the bit width of 'e'",
  ],
  ldexp: [1, (exponent) => exponent <= 128, () => 'e2 must be less than or equal to 128'],
};

/** @param given undefined if an argument is not a constant */
export function checkLimits(name: string, given: readonly (Constant | undefined)[]) {
  if (!Object.hasOwn(LIMITS, name)) return;
  const [first, holds, rule] = LIMITS[name]!;
  const limited = given.slice(first, first + holds.length);
  if (limited.every((constant) => constant !== undefined)) holdsForAll([holds, rule], limited);
}

function holdsForAll([holds, rule]: Domain, constants: readonly Constant[]) {
  const columns = constants.map(({ value }) =>
    Array.isArray(value) ? (value as ScalarValue[]) : [value as ScalarValue],
  );
  columns[0]!.forEach((_, i) => {
    const row = columns.map((column) => column[i]!);
    if (holds(...row.map(Number))) return;
    throw new ConstantError(rule(...row.map((value, j) => print(value, scalarOf(constants[j]!.type)!))));
  });
}

// ---- abstract numbers ----

type OnFloats = (...values: number[]) => number;
const clamp: OnFloats = (x, low, high) => Math.min(Math.max(x!, low!), high!);

const FLOATS: Readonly<Record<string, OnFloats>> = {
  ...Object.fromEntries(
    'abs acos acosh asin asinh atan atan2 atanh ceil cos cosh exp floor log log2 max min pow sign sin sinh sqrt tan tanh trunc'
      .split(' ')
      .map((name) => [name, Math[name as 'abs']]),
  ),
  clamp,
  degrees: (x) => (x! * 180) / Math.PI,
  exp2: (x) => 2 ** x!,
  fma: (a, b, c) => a! * b! + c!,
  fract: (x) => x! - Math.floor(x!),
  inverseSqrt: (x) => 1 / Math.sqrt(x!),
  ldexp: (x, exponent) => x! * 2 ** exponent!,
  mix: (a, b, t) => a! * (1 - t!) + b! * t!,
  radians: (x) => (x! * Math.PI) / 180,
  round: (x) => (Math.abs(x!) < 2 ** 52 ? halfEven(x!) : x!),
  saturate: (x) => clamp(x!, 0, 1),
  smoothstep: (low, high, x) => {
    const t = clamp((x! - low!) / (high! - low!), 0, 1);
    return t * t * (3 - 2 * t);
  },
  step: (edge, x) => (edge! <= x! ? 1 : 0),
};

/** `roundHalfEven` is exact below 2^23; above, the nearest integer is found by the same rule. */
function halfEven(x: number): number {
  if (Math.abs(x) < 2 ** 23) return roundHalfEven(x);
  const down = Math.floor(x);
  const part = x - down;
  return part < 0.5 || (part === 0.5 && down % 2 === 0) ? down : down + 1;
}

const least = (a: bigint, b: bigint) => (b - a < 0n ? b : a);
const greatest = (a: bigint, b: bigint) => (a - b < 0n ? b : a);

const INTEGERS: Readonly<Record<string, (...values: bigint[]) => bigint>> = {
  abs: (a) => (a! < 0n ? -a! : a!),
  sign: (a) => (a! > 0n ? 1n : a! < 0n ? -1n : 0n),
  min: (a, b) => least(a!, b!),
  max: (a, b) => greatest(a!, b!),
  clamp: (x, low, high) => least(greatest(x!, low!), high!),
};

function onAbstract(name: string, given: readonly Constant[], type: AnyType): ConstantValue {
  const of = scalarOf(given[0]!.type)!;
  const byComponent = of.name === 'abstract-int' ? INTEGERS[name] : FLOATS[name];
  const values = given.map(({ value }) => value);
  if (name === 'select') return zip((no, yes, condition) => (condition ? yes! : no!), values);
  if (byComponent) return zip(byComponent as (...values: ScalarValue[]) => ScalarValue, values);
  return NOT_BY_COMPONENT[name]!(given, of, type);
}

/** Component by component; a scalar is combined with every component. */
function zip(f: (...values: ScalarValue[]) => ScalarValue, values: readonly ConstantValue[]): ConstantValue {
  const shape = values.find((value) => Array.isArray(value)) as readonly ConstantValue[] | undefined;
  if (!shape) return f(...(values as readonly ScalarValue[]));
  return shape.map((_, i) =>
    zip(
      f,
      values.map((value) => (Array.isArray(value) ? value[i] : value)),
    ),
  );
}

type OfConstants = (given: readonly Constant[], of: AnyScalar, type: AnyType) => ConstantValue;

const list = ({ value }: Constant) => value as readonly ScalarValue[];
const number = (value: number): Constant => ({ type: SCALARS['abstract-float'], value });
const times = (a: Constant, b: Constant) => foldBinary('*', a, b, a.type.kind === 'vector' ? a.type : b.type);
const minus = (a: Constant, b: Constant) => foldBinary('-', a, b, a.type);

function dot(a: Constant, b: Constant): Constant {
  const of = scalarOf(a.type)!;
  const products = list(foldBinary('*', a, b, a.type)).map((value): Constant => ({ type: of, value }));
  return products.reduce((sum, product) => foldBinary('+', sum, product, of));
}

function length(a: Constant): number {
  return a.type.kind === 'scalar' ? Math.abs(a.value as number) : Math.sqrt(dot(a, a).value as number);
}

function determinant(matrix: readonly (readonly number[])[]): number {
  if (matrix.length === 1) return matrix[0]![0]!;
  const [first, ...rest] = matrix;
  return first!.reduce((sum, x, row) => {
    const minor = determinant(rest.map((column) => column.filter((_, i) => i !== row)));
    return row % 2 === 0 ? sum + x * minor : sum - x * minor;
  }, 0);
}

const NOT_BY_COMPONENT: Readonly<Record<string, OfConstants>> = {
  dot: ([a, b]) => dot(a!, b!).value,
  length: ([a]) => length(a!),
  distance: ([a, b]) => length(minus(a!, b!)),
  normalize: ([a]) => {
    const size = length(a!);
    if (size === 0) throw new ConstantError('zero length vector can not be normalized');
    return foldBinary('/', a!, number(size), a!.type).value;
  },
  cross: ([a, b]) => {
    const [a0, a1, a2] = list(a!) as number[];
    const [b0, b1, b2] = list(b!) as number[];
    return [a1! * b2! - a2! * b1!, a2! * b0! - a0! * b2!, a0! * b1! - a1! * b0!];
  },
  faceForward: ([e1, e2, e3]) => ((dot(e2!, e3!).value as number) < 0 ? e1! : foldUnary('-', e1!)).value,
  reflect: ([e1, e2]) => minus(e1!, times(number(2 * (dot(e2!, e1!).value as number)), e2!)).value,
  refract: ([e1, e2, e3]) => {
    const ratio = e3!.value as number;
    const d = dot(e2!, e1!).value as number;
    const k = 1 - ratio * ratio * (1 - d * d);
    if (k < 0) return list(e1!).map(() => 0);
    return minus(times(e3!, e1!), times(number(ratio * d + Math.sqrt(k)), e2!)).value;
  },
  determinant: ([m]) => determinant(m!.value as readonly (readonly number[])[]),
  transpose: ([m]) => {
    const columns = m!.value as readonly (readonly number[])[];
    return columns[0]!.map((_, row) => columns.map((column) => column[row]!));
  },
  modf: ([a]) => pair(a!.value, (x) => [x - Math.trunc(x), Math.trunc(x)]),
  frexp: ([a]) =>
    pair(a!.value, (x) => {
      // A subnormal float64 is made normal first, which an f32 always is.
      const scale = Math.abs(x) < 2 ** -1022 ? 64 : 0;
      const [fraction, exponent] = frexp(x * 2 ** scale);
      return [fraction, BigInt(exponent - (x === 0 ? 0 : scale))];
    }),
};

function pair(value: ConstantValue, split: (x: number) => readonly [ScalarValue, ScalarValue]): ConstantValue {
  const half = (i: 0 | 1) => mapScalars(value, (x) => split(x as number)[i]);
  return [half(0), half(1)];
}
