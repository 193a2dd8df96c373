/**
 * Operators, constructors and builtin functions on values: scalars, vectors, matrices, arrays and structs.
 *
 * numeric.ts defines scalars. This file adds vectors: the pairing of components, and the order of sums.
 */
import type { Value } from './memory.js';
import { zeroOf } from './memory.js';
import {
  binary,
  bitcast,
  componentwise,
  conversion,
  dotPacked,
  frexp,
  packing,
  type Scalar,
  unary,
  unpacking,
} from './numeric.js';
import type { BinaryOperator, ScalarName, Type, UnaryOperator } from './tree.js';

type Vector = readonly Value[];

/** A function of values, once the types are known. */
export type ValueFunction = (...values: Value[]) => Value;

/** `vec3f` → `f32`. @throws TypeError of a type without scalars of one kind */
export function scalarOf(type: Type): ScalarName {
  if (type.kind === 'scalar') return type.name;
  if (type.kind === 'vector' || type.kind === 'matrix') return type.of.name;
  throw new TypeError(`${type.kind} is not a scalar, a vector or a matrix`);
}

/** A component of a vector; a scalar goes with every component. */
const part = (value: Value, i: number): Scalar => (Array.isArray(value) ? value[i] : value) as Scalar;

/** Apply an operation on up to four scalars component by component. A scalar among vectors is combined with every component. */
function overComponents(operation: (...scalars: Scalar[]) => Scalar): ValueFunction {
  // Four parameters and no list of them, since it runs often: those not given are undefined, and the operation takes fewer.
  const apply = (a: Value, b: Value, c: Value, d: Value): Value => {
    const vector = Array.isArray(a) ? a : Array.isArray(b) ? b : c;
    if (!Array.isArray(vector)) return operation(a as Scalar, b as Scalar, c as Scalar, d as Scalar);
    return vector.map((_, i) => operation(part(a, i), part(b, i), part(c, i), part(d, i)));
  };
  return apply as ValueFunction;
}

// ---- operators ----

/** A unary operator on values of a type, component by component. */
export function unaryOn(operator: UnaryOperator, type: Type): (a: Value) => Value {
  const operation = unary(operator, scalarOf(type));
  if (type.kind === 'scalar') return operation as (a: Value) => Value;
  const apply = (a: Value): Value => (Array.isArray(a) ? a.map(apply) : operation(a as Scalar));
  return apply;
}

/** A binary operator on values of two types: componentwise, or a matrix product. */
export function binaryOn(operator: BinaryOperator, left: Type, right: Type): (a: Value, b: Value) => Value {
  const operation = binary(operator, scalarOf(left)) as (a: Value, b: Value) => Value;
  if (left.kind === 'scalar' && right.kind === 'scalar') return operation;
  if (operator === '*' && left.kind === 'matrix' && right.kind === 'vector') return matrixTimesVector as never;
  if (operator === '*' && left.kind === 'vector' && right.kind === 'matrix') return vectorTimesMatrix as never;
  if (operator === '*' && left.kind === 'matrix' && right.kind === 'matrix') {
    return (a, b) => (b as Vector).map((column) => matrixTimesVector(a as Vector, column as Vector));
  }
  const apply = (a: Value, b: Value): Value => {
    if (Array.isArray(a)) return Array.isArray(b) ? a.map((x, i) => apply(x, b[i])) : a.map((x) => apply(x, b));
    return Array.isArray(b) ? b.map((y) => apply(a, y)) : operation(a, b);
  };
  return apply;
}

const addF32 = binary('+', 'f32') as (a: number, b: number) => number;
const subF32 = binary('-', 'f32') as (a: number, b: number) => number;
const mulF32 = binary('*', 'f32') as (a: number, b: number) => number;
const divF32 = binary('/', 'f32') as (a: number, b: number) => number;
const add = overComponents(addF32 as never);
const sub = overComponents(subF32 as never);
const scale = overComponents(mulF32 as never);

/** (m0 * v0 + m1 * v1) + …, column by column. */
function matrixTimesVector(matrix: Vector, vector: Vector): Value {
  return matrix.map((column, i) => scale(column, vector[i]!)).reduce((sum, term) => add(sum, term));
}

function vectorTimesMatrix(vector: Vector, matrix: Vector): Value {
  return matrix.map((column) => dot(vector, column as Vector));
}

/** ((a0 * b0 + a1 * b1) + a2 * b2) + a3 * b3 */
function dot(a: Vector, b: Vector, type: ScalarName = 'f32'): number {
  const times = binary('*', type);
  const plus = binary('+', type);
  return a.map((x, i) => times(x, b[i])).reduce((sum, term) => plus(sum, term)) as number;
}

// ---- constructors ----

/** The value of `construct`: see tree.ts for the allowed arguments. */
export function constructOf(type: Type, given: readonly Type[]): (values: readonly Value[]) => Value {
  const only = given.length === 1 ? given[0]! : undefined;
  if (given.length === 0) {
    const zero = zeroOf(type);
    return () => zero;
  }
  if (type.kind === 'scalar') return convertTo(type, given[0]!);
  if (type.kind === 'vector' && only) {
    const convert = convertTo(type, only);
    if (only.kind === 'vector') return convert;
    return (values) => new Array<Value>(type.size).fill(convert(values));
  }
  if (type.kind === 'vector') return (values) => values.flat();
  if (type.kind === 'matrix' && only?.kind === 'matrix') return ([matrix]) => matrix!;
  if (type.kind === 'matrix' && given[0]!.kind === 'scalar') {
    return (values) => Array.from({ length: type.columns }, (_, i) => values.slice(i * type.rows, (i + 1) * type.rows));
  }
  return (values) => values;
}

function convertTo(to: Type, from: Type): (values: readonly Value[]) => Value {
  const convert = conversion(scalarOf(from), scalarOf(to));
  if (from.kind === 'scalar') return ([a]) => convert(a);
  return ([a]) => (a as Vector).map(convert as never) as Value;
}

// ---- builtin functions ----

const length = (a: Value) =>
  Array.isArray(a) ? Math.fround(Math.sqrt(dot(a as Vector, a as Vector))) : Math.abs(a as number);

function cross(a: Vector, b: Vector): Value {
  const [a0, a1, a2] = a as number[];
  const [b0, b1, b2] = b as number[];
  const component = (p: number, q: number, r: number, s: number) => subF32(mulF32(p, q), mulF32(r, s));
  return [component(a1!, b2!, a2!, b1!), component(a2!, b0!, a0!, b2!), component(a0!, b1!, a1!, b0!)];
}

/** Expanded along the first column: m00 * minor(0, 0) - m01 * minor(0, 1) + …, from the left. */
function determinant(matrix: readonly (readonly number[])[]): number {
  if (matrix.length === 1) return matrix[0]![0]!;
  const [first, ...rest] = matrix;
  const terms = first!.map((x, row) =>
    mulF32(x, determinant(rest.map((column) => column.filter((_, i) => i !== row)))),
  );
  return terms.reduce((sum, term, i) => (i % 2 === 0 ? addF32(sum, term) : subF32(sum, term)));
}

function reflect(e1: Value, e2: Value): Value {
  return sub(e1, scale(mulF32(2, dot(e2 as Vector, e1 as Vector)), e2));
}

function refract(e1: Value, e2: Value, ratio: Value): Value {
  const e3 = ratio as number;
  const d = dot(e2 as Vector, e1 as Vector);
  const k = subF32(1, mulF32(mulF32(e3, e3), subF32(1, mulF32(d, d))));
  if (k < 0) return (e1 as Vector).map(() => 0);
  return sub(scale(e3, e1), scale(addF32(mulF32(e3, d), Math.fround(Math.sqrt(k))), e2));
}

/** A function of a value or of each component, giving two values: a struct of both. */
function pairOf(split: (a: number) => readonly [number, number]): ValueFunction {
  return (a) => {
    if (!Array.isArray(a)) return [...split(a as number)];
    const pairs = (a as readonly number[]).map(split);
    return [pairs.map(([first]) => first), pairs.map(([, second]) => second)];
  };
}

const normalize = overComponents(divF32 as never);

/** Builtins that are not componentwise, by name; `type` is that of the first argument. */
const FUNCTIONS: Record<string, (type: Type, result: Type) => ValueFunction> = {
  all: () => (a) => (Array.isArray(a) ? (a as Vector).every(Boolean) : a),
  any: () => (a) => (Array.isArray(a) ? (a as Vector).some(Boolean) : a),
  select: () => overComponents((no, yes, condition) => (condition ? yes : no)),
  bitcast: (type, result) => overComponents(bitcast(scalarOf(type), scalarOf(result))),
  dot: (type) => (a, b) => dot(a as Vector, b as Vector, scalarOf(type)),
  length: () => length,
  distance: () => (a, b) => length(sub(a, b)),
  normalize: () => (a) => normalize(a, length(a)),
  cross: () => (a, b) => cross(a as Vector, b as Vector),
  faceForward: () => (e1, e2, e3) =>
    dot(e2 as Vector, e3 as Vector) < 0 ? e1 : (e1 as readonly number[]).map((x) => -x),
  reflect: () => reflect,
  refract: () => refract,
  determinant: () => (m) => determinant(m as unknown as number[][]),
  transpose: () => (m) => ((m as Vector)[0] as Vector).map((_, row) => (m as Vector[]).map((column) => column[row]!)),
  frexp: () => pairOf(frexp),
  modf: () => pairOf((a) => [subF32(a, Math.trunc(a)), Math.trunc(a)]),
  dot4I8Packed: () => dotPacked('dot4I8Packed') as ValueFunction,
  dot4U8Packed: () => dotPacked('dot4U8Packed') as ValueFunction,
};

/**
 * A builtin function of values, which reads no memory and does not wait.
 *
 * @throws TypeError when there is none of that name for these types
 */
export function builtinOn(name: string, types: readonly Type[], result: Type): ValueFunction {
  const first = types[0]!;
  if (Object.hasOwn(FUNCTIONS, name)) return FUNCTIONS[name]!(first, result);
  const pack = packing(name) as ValueFunction | undefined;
  const unpack = unpacking(name) as ValueFunction | undefined;
  if (pack || unpack) return (pack ?? unpack)!;
  const operation = componentwise(name, scalarOf(first));
  if (!operation) throw new TypeError(`${name} is not defined on ${scalarOf(first)}`);
  return types.every((type) => type.kind === 'scalar')
    ? (operation as ValueFunction)
    : overComponents(operation as never);
}
