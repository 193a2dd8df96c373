/**
 * Constants: their values, conversions, operators and constructors.
 *
 * Abstract numbers are computed in 64 bits: an abstract-int is a bigint, an abstract-float a float64. Concrete ones are computed
 * by numeric.ts, as at run time. A constant must be a finite value, so overflow, infinity and NaN are refused.
 *
 * @see https://www.w3.org/TR/WGSL/#const-expr
 */
import { binary, conversion, unary } from './numeric.js';
import type { BinaryOperator, ScalarName, UnaryOperator } from './tree.js';
import { type AnyScalar, type AnyType, isInteger, SCALARS, scalarOf, withScalar } from './types.js';

/** A scalar, or components, columns, elements or members in order. */
export type ConstantValue = ScalarValue | readonly ConstantValue[];
/** A scalar constant. A bigint is an abstract-int; a number is an f32, i32, u32 or abstract-float. */
export type ScalarValue = number | bigint | boolean;

/** A value known before run time, with its type. */
export interface Constant {
  readonly type: AnyType;
  readonly value: ConstantValue;
}

/** A rule that a constant breaks. The caller adds the position. */
export class ConstantError extends Error {}

const isList = (value: ConstantValue): value is readonly ConstantValue[] => Array.isArray(value);

/** `f` of each scalar inside. */
export function mapScalars(value: ConstantValue, f: (scalar: ScalarValue) => ScalarValue): ConstantValue {
  return isList(value) ? value.map((part) => mapScalars(part, f)) : f(value);
}

/** A scalar in messages: `1.0` is a float. */
export function print(value: ScalarValue, { name }: AnyScalar): string {
  const isFloat = name === 'f32' || name === 'abstract-float';
  return isFloat && Number.isInteger(value) ? `${BigInt(value)}.0` : String(value);
}

/** Zero of any type with a fixed size. */
export function zeroValue(type: AnyType): ConstantValue {
  switch (type.kind) {
    case 'scalar':
      return type.name === 'bool' ? false : type.name === 'abstract-int' ? 0n : 0;
    case 'vector':
      return new Array<ConstantValue>(type.size).fill(zeroValue(type.of));
    case 'matrix':
      return new Array<ConstantValue>(type.columns).fill(new Array<ConstantValue>(type.rows).fill(0));
    case 'array':
      return new Array<ConstantValue>(type.count ?? 0).fill(zeroValue(type.of));
    case 'struct':
      return type.members.map((member) => zeroValue(member.type));
    default:
      throw new TypeError(`${type.kind} has no zero`);
  }
}

// ---- conversions ----

const RANGES: Partial<Record<string, readonly [bigint, bigint]>> = {
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  u32: [0n, 2n ** 32n - 1n],
  'abstract-int': [-(2n ** 63n), 2n ** 63n - 1n],
};

/** The largest finite f32. A constant above it is refused, though it might round down to it. */
export const MAX_F32 = (2 - 2 ** -23) * 2 ** 127;

/** The scalar as one of `type`. @throws ConstantError when it is out of range, infinite or NaN */
export function represent(value: ScalarValue, type: AnyScalar): ScalarValue {
  const refuse = (shown: string): never => {
    throw new ConstantError(`value ${shown} cannot be represented as '${type.name}'`);
  };
  if (typeof value === 'bigint') {
    const range = RANGES[type.name];
    if (range && (value < range[0] || value > range[1])) refuse(String(value));
    return value;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    refuse(Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf');
  }
  return value;
}

/** @throws ConstantError when an abstract number does not fit */
export function convertScalar(value: ScalarValue, from: AnyScalar, to: AnyScalar): ScalarValue {
  if (from.name === to.name) return value;
  if (to.name === 'bool') return typeof value === 'boolean' ? value : value !== 0n && value !== 0;
  if (from.name === 'abstract-int') {
    if (isInteger(to)) return Number(represent(value, to));
    return to.name === 'f32' ? Math.fround(Number(value)) : Number(value);
  }
  if (from.name === 'abstract-float') {
    if (isInteger(to)) {
      const [least, most] = RANGES[to.name]!.map(Number) as [number, number];
      return Math.trunc(Math.min(Math.max(value as number, least), most)) + 0; // `+ 0` turns -0 into 0
    }
    if (Math.abs(value as number) > MAX_F32)
      throw new ConstantError(`value ${print(value, from)} cannot be represented as 'f32'`);
    return Math.fround(value as number);
  }
  return conversion(from.name, to.name as ScalarName)(value as number);
}

/** The constant as one of another type of the same shape. @throws ConstantError as convertScalar */
export function convert({ type: from, value }: Constant, to: AnyType): Constant {
  const parts = (a: readonly AnyType[], b: readonly AnyType[]) =>
    (value as readonly ConstantValue[]).map((part, i) => convert({ type: a[i]!, value: part }, b[i]!).value);
  if (from.kind === 'array' && to.kind === 'array') {
    const types = (type: AnyType) => new Array<AnyType>(from.count ?? 0).fill(type);
    return { type: to, value: parts(types(from.of), types(to.of)) };
  }
  if (from.kind === 'struct' && to.kind === 'struct') {
    const types = ({ members }: typeof from | typeof to) => members.map((member) => member.type);
    return { type: to, value: parts(types(from), types(to)) };
  }
  const a = scalarOf(from)!;
  const b = scalarOf(to)!;
  return { type: to, value: a.name === b.name ? value : mapScalars(value, (scalar) => convertScalar(scalar, a, b)) };
}

// ---- operators ----

type Operation = (a: ScalarValue, b: ScalarValue) => ScalarValue;

const COMPARISONS: Partial<Record<BinaryOperator, Operation>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const ON_BIGINTS: Partial<Record<BinaryOperator, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
};

const ON_FLOAT64S: Partial<Record<BinaryOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a - b * Math.trunc(a / b),
};

/** Checks of an operator's right side, independent of the left. */
export function checkRightSide(operator: BinaryOperator, left: AnyScalar, right: ScalarValue) {
  if ((operator === '/' || operator === '%') && isInteger(left) && Number(right) === 0) {
    throw new ConstantError('integer division by zero is invalid');
  }
  if ((operator === '<<' || operator === '>>') && left.name !== 'abstract-int' && Number(right) >= 32) {
    const direction = operator === '<<' ? 'left' : 'right';
    throw new ConstantError(`shift ${direction} value must be less than the bit width of the lhs, which is 32`);
  }
}

function checkOverflow(operator: BinaryOperator, type: AnyScalar, a: ScalarValue, b: ScalarValue, result: ScalarValue) {
  const refuse = () => {
    const expression = `${print(a, type)} ${operator} ${print(b, operator === '<<' ? SCALARS.u32 : type)}`;
    throw new ConstantError(`'${expression}' cannot be represented as '${type.name}'`);
  };
  if (type.name === 'abstract-int') {
    const [low, high] = RANGES['abstract-int']!;
    if ((result as bigint) < low || (result as bigint) > high) refuse();
  } else if (typeof result === 'number' && !Number.isFinite(result)) refuse();
  if ((operator === '/' || operator === '%') && isInteger(type) && Number(b) === -1) {
    if (BigInt(a) === RANGES[type.name]![0]) refuse(); // its negative does not fit
  } else if (operator === '<<' && type.name === 'u32' && (a as number) * 2 ** (b as number) >= 2 ** 32) refuse();
  else if (operator === '<<' && type.name === 'i32' && (result as number) >> (b as number) !== a) {
    throw new ConstantError('shift left operation results in sign change');
  }
}

/** On scalars of one type; the right side of a shift is a u32. */
function scalarBinary(operator: BinaryOperator, type: AnyScalar): Operation {
  const comparison = COMPARISONS[operator];
  if (comparison) return comparison;
  return (a, b) => {
    checkRightSide(operator, type, b);
    let result: ScalarValue;
    if (type.name === 'abstract-int') {
      if (operator === '<<' && Number(b) >= 64 && a !== 0n) checkOverflow(operator, type, a, b, 2n ** 64n);
      result = ON_BIGINTS[operator]!(a as bigint, BigInt(b));
    } else if (type.name === 'abstract-float') result = ON_FLOAT64S[operator]!(a as number, b as number);
    else result = binary(operator, type.name)(a, b);
    checkOverflow(operator, type, a, b, result);
    return result;
  };
}

/** The operator on both sides without conversion: equal scalar types, shapes as WGSL allows them. */
export function foldBinary(operator: BinaryOperator, left: Constant, right: Constant, type: AnyType): Constant {
  const of = scalarOf(left.type)!;
  const operation = scalarBinary(operator, of);
  const a = left.value;
  const b = right.value;
  if (operator !== '*' || (left.type.kind !== 'matrix' && right.type.kind !== 'matrix')) {
    return { type, value: broadcast(operation, a, b) };
  }
  const add = scalarBinary('+', of);
  const sum = (terms: readonly ConstantValue[]) => terms.reduce((total, term) => broadcast(add, total, term));
  const timesVector = (matrix: ConstantValue, vector: ConstantValue) =>
    sum((matrix as readonly ConstantValue[]).map((column, i) => broadcast(operation, column, (vector as never)[i]!)));
  if (left.type.kind === 'matrix' && right.type.kind === 'vector') return { type, value: timesVector(a, b) };
  if (left.type.kind === 'vector' && right.type.kind === 'matrix') {
    const dots = (b as readonly ConstantValue[]).map((column) =>
      sum(broadcast(operation, a, column) as readonly ConstantValue[]),
    );
    return { type, value: dots };
  }
  if (left.type.kind === 'matrix' && right.type.kind === 'matrix') {
    return { type, value: (b as readonly ConstantValue[]).map((column) => timesVector(a, column)) };
  }
  return { type, value: broadcast(operation, a, b) };
}

/** Component by component; a scalar is combined with every component. */
export function broadcast(operation: Operation, a: ConstantValue, b: ConstantValue): ConstantValue {
  if (isList(a)) return a.map((x, i) => broadcast(operation, x, isList(b) ? b[i]! : b));
  return isList(b) ? b.map((y) => broadcast(operation, a, y)) : operation(a, b);
}

/** Apply a unary operator to a constant, component by component. */
export function foldUnary(operator: UnaryOperator, { type, value }: Constant): Constant {
  const of = scalarOf(type)!;
  const operation = (a: ScalarValue): ScalarValue => {
    if (typeof a === 'bigint') return BigInt.asIntN(64, operator === '-' ? -a : ~a);
    return of.name === 'abstract-float' ? -(a as number) : unary(operator, of.name as ScalarName)(a);
  };
  return { type, value: mapScalars(value, operation) };
}

// ---- constructors ----

/** `construct` of tree.ts on constants whose scalars have been converted already. */
export function foldConstruct(type: AnyType, given: readonly Constant[]): Constant {
  const values = given.map(({ value }) => value);
  if (given.length === 0) return { type, value: zeroValue(type) };
  if (type.kind === 'scalar') return convert(given[0]!, type);
  if (given.length === 1 && given[0]!.type.kind === type.kind && (type.kind === 'vector' || type.kind === 'matrix')) {
    return convert(given[0]!, withScalar(given[0]!.type, type.of));
  }
  if (type.kind === 'vector') {
    return { type, value: given.length === 1 ? new Array(type.size).fill(values[0]) : values.flat() };
  }
  if (type.kind === 'matrix' && given[0]!.type.kind === 'scalar') {
    const column = (i: number) => values.slice(i * type.rows, (i + 1) * type.rows);
    return { type, value: Array.from({ length: type.columns }, (_, i) => column(i)) };
  }
  return { type, value: values };
}
