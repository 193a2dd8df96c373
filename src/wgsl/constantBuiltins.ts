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
import type { BinaryOperator, Type } from './tree.js';
import { type AnyScalar, type AnyType, isAbstract, scalarOf } from './types.js';

/** @throws ConstantError when an argument is outside the domain, or the result is not finite */
export function foldBuiltin(name: string, given: readonly Constant[], type: AnyType): Constant {
  if (Object.hasOwn(DOMAINS, name)) holdsForAll(DOMAINS[name]!, given);
  if (Object.hasOwn(BY_STEPS, name)) return { type, value: BY_STEPS[name]!(given, scalarOf(given[0]!.type)!).value };
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

const AS_F16: Domain = [(x) => Math.abs(x) <= 65504, (x) => `value ${x} cannot be represented as 'f16'`];

const DOMAINS: Readonly<Record<string, Domain>> = {
  sqrt: [(x) => x >= 0, () => 'sqrt must be called with a value >= 0'],
  inverseSqrt: [(x) => x > 0, () => 'inverseSqrt must be called with a value > 0'],
  log: [(x) => x > 0, () => 'log must be called with a value > 0'],
  log2: [(x) => x > 0, () => 'log2 must be called with a value > 0'],
  acos: [(x) => x >= -1 && x <= 1, () => 'acos must be called with a value in the range [-1 .. 1] (inclusive)'],
  asin: [(x) => x >= -1 && x <= 1, () => 'asin must be called with a value in the range [-1 .. 1] (inclusive)'],
  acosh: [(x) => x >= 1, () => 'acosh must be called with a value >= 1.0'],
  atanh: [(x) => x > -1 && x < 1, () => 'atanh must be called with a value in the range (-1 .. 1) (exclusive)'],
  pow: [
    (x, y) => x > 0 || (x === 0 && y > 0),
    () => 'pow must be called with a base > 0, or a base of 0 and an exponent > 0',
  ],
  pack2x16float: AS_F16,
  quantizeToF16: AS_F16,
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
  // the limit of abstract-float, whose name no call can have
  'abstract ldexp': [1, (exponent) => exponent <= 1024, () => 'e2 must be less than or equal to 1024'],
};

/** @param given undefined if an argument is not a constant */
export function checkLimits(name: string, given: readonly (Constant | undefined)[]) {
  if (!Object.hasOwn(LIMITS, name)) return;
  const isAbstractLdexp = name === 'ldexp' && given[0] && isAbstract(given[0].type);
  const [first, holds, rule] = LIMITS[isAbstractLdexp ? 'abstract ldexp' : name]!;
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
  ldexp: (x, exponent) => x! * 2 ** Math.ceil(exponent! / 2) * 2 ** Math.floor(exponent! / 2),
  mix: (a, b, t) => a! * (1 - t!) + b! * t!,
  radians: (x) => (x! * Math.PI) / 180,
  round: (x) => (Math.abs(x!) < 2 ** 52 ? halfEven(x!) : x!),
  saturate: (x) => clamp(x!, 0, 1),
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
  abs: (a) => BigInt.asIntN(64, a! < 0n ? -a! : a!), // the smallest is unchanged, as in i32
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

// ---- in steps ----

type InSteps = (given: readonly Constant[], of: AnyScalar) => Constant;

const list = ({ value }: Constant) => value as readonly ScalarValue[];
const apply = (operator: BinaryOperator) => (a: Constant, b: Constant) =>
  foldBinary(operator, a, b, a.type.kind === 'vector' ? a.type : b.type);
const [plus, minus, times, over] = [apply('+'), apply('-'), apply('*'), apply('/')];
const number = (value: number, type: AnyScalar): Constant => ({
  type,
  value: type.name === 'f32' ? Math.fround(value) : value,
});

function dot(a: Constant, b: Constant): Constant {
  const of = scalarOf(a.type)!;
  const products = list(times(a, b)).map((value): Constant => ({ type: of, value }));
  return products.reduce(plus);
}

function length(a: Constant): Constant {
  const of = scalarOf(a.type)!;
  return number(a.type.kind === 'scalar' ? Math.abs(a.value as number) : Math.sqrt(dot(a, a).value as number), of);
}

/** The components of a vec3, the one at `first` first. */
const turn = (a: Constant, first: number): Constant => ({
  ...a,
  value: list(a).map((_, i, parts) => parts[(first + i) % 3]!),
});

/** Functions of which each step must give a finite value, in the order of evaluate.ts. */
const BY_STEPS: Readonly<Record<string, InSteps>> = {
  dot: ([a, b]) => dot(a!, b!),
  length: ([a]) => length(a!),
  distance: ([a, b]) => length(minus(a!, b!)),
  normalize: ([a]) => {
    const size = length(a!);
    if (size.value === 0) throw new ConstantError('zero length vector can not be normalized');
    return over(a!, size);
  },
  cross: ([a, b]) => minus(times(turn(a!, 1), turn(b!, 2)), times(turn(a!, 2), turn(b!, 1))),
  faceForward: ([e1, e2, e3]) => ((dot(e2!, e3!).value as number) < 0 ? e1! : foldUnary('-', e1!)),
  reflect: ([e1, e2], of) => minus(e1!, times(times(number(2, of), dot(e2!, e1!)), e2!)),
  refract: ([e1, e2, e3], of) => {
    const one = number(1, of);
    const d = dot(e2!, e1!);
    const k = minus(one, times(times(e3!, e3!), minus(one, times(d, d))));
    if ((k.value as number) < 0) return { ...e1!, value: list(e1!).map(() => 0) };
    return minus(times(e3!, e1!), times(plus(times(e3!, d), number(Math.sqrt(k.value as number), of)), e2!));
  },
  smoothstep: ([low, high, x], of) => {
    const part = over(minus(x!, low!), minus(high!, low!));
    const t = { ...part, value: mapScalars(part.value, (value) => clamp(value as number, 0, 1)) };
    return times(times(t, t), minus(number(3, of), times(number(2, of), t)));
  },
};

function determinant(matrix: readonly (readonly number[])[]): number {
  if (matrix.length === 1) return matrix[0]![0]!;
  const [first, ...rest] = matrix;
  return first!.reduce((sum, x, row) => {
    const minor = determinant(rest.map((column) => column.filter((_, i) => i !== row)));
    return row % 2 === 0 ? sum + x * minor : sum - x * minor;
  }, 0);
}

const NOT_BY_COMPONENT: Readonly<Record<string, OfConstants>> = {
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
