/**
 * Types during the analysis of a module: those of tree.ts, and the two abstract ones of constants.
 *
 * `1` is an abstract-int and `1.5` an abstract-float until a context requires a concrete type; WGSL converts them
 * automatically. All other conversions are explicit.
 *
 * @see https://www.w3.org/TR/WGSL/#feasible-automatic-conversions
 */
import { alignOf, roundUp, sizeOf } from './layout.js';
import type { BuiltinValue, PointerType, ScalarName, ScalarType, StructType, Type } from './tree.js';

/** Names of scalar types, abstract ones included. */
export type AnyScalarName = ScalarName | 'abstract-int' | 'abstract-float';
/** A scalar type, possibly abstract. */
export interface AnyScalar {
  readonly kind: 'scalar';
  readonly name: AnyScalarName;
}
/** A vector type, possibly of an abstract scalar. */
export interface AnyVector {
  readonly kind: 'vector';
  readonly size: 2 | 3 | 4;
  readonly of: AnyScalar;
}
/** A matrix type, possibly of an abstract scalar. */
export interface AnyMatrix {
  readonly kind: 'matrix';
  readonly columns: 2 | 3 | 4;
  readonly rows: 2 | 3 | 4;
  readonly of: AnyScalar;
}
/** An array type, possibly of abstract elements. */
export interface AnyArray {
  readonly kind: 'array';
  readonly of: AnyType;
  readonly count: number | undefined;
  readonly countName?: string;
}
/** `StructType` fits; an abstract one is the result of `frexp` or `modf` on an abstract number. */
export interface AnyStruct extends Omit<StructType, 'members'> {
  readonly members: readonly AnyMember[];
}
interface AnyMember {
  readonly name: string;
  readonly type: AnyType;
  readonly offset: number;
  readonly builtin?: BuiltinValue;
}
/** Every type; `Type` is the subset without abstract numbers. */
export type AnyType =
  | AnyScalar
  | AnyVector
  | AnyMatrix
  | AnyArray
  | AnyStruct
  | PointerType
  | { readonly kind: 'void' };

const scalar = <Name extends AnyScalarName>(name: Name) => ({ kind: 'scalar', name }) as const;
/** `bool` */
export const BOOL: ScalarType = scalar('bool');
/** `i32` */
export const I32: ScalarType = scalar('i32');
/** `u32` */
export const U32: ScalarType = scalar('u32');
/** `f32` */
export const F32: ScalarType = scalar('f32');
/** The type of `1`. */
export const ABSTRACT_INT: AnyScalar = scalar('abstract-int');
/** The type of `1.5`. */
export const ABSTRACT_FLOAT: AnyScalar = scalar('abstract-float');
/** The result type of a function without one. */
export const VOID = { kind: 'void' } as const;

/** By name. */
export const SCALARS: Readonly<Record<AnyScalarName, AnyScalar>> = {
  bool: BOOL,
  i32: I32,
  u32: U32,
  f32: F32,
  'abstract-int': ABSTRACT_INT,
  'abstract-float': ABSTRACT_FLOAT,
};

// ---- printing ----

/** `vec3<f32>`, `array<f32, 8>`, `ptr<function, i32, read_write>`: in Dawn's notation. */
export function typeName(type: AnyType): string {
  switch (type.kind) {
    case 'scalar':
      return type.name;
    case 'vector':
      return `vec${type.size}<${type.of.name}>`;
    case 'matrix':
      return `mat${type.columns}x${type.rows}<${type.of.name}>`;
    case 'array':
      return `array<${typeName(type.of)}${type.count === undefined ? '' : `, ${type.countName ?? type.count}`}>`;
    case 'struct':
      return type.name;
    case 'pointer':
      return `ptr<${type.space}, ${typeName(type.of)}, ${type.access}>`;
    case 'void':
      return 'void';
  }
}

// ---- comparing and converting ----

/** Structs are compared by name, which is unique in a module; so are arrays with a length that depends on an `override`. */
export function sameType(a: AnyType, b: AnyType): boolean {
  return a === b || (a.kind === b.kind && typeName(a) === typeName(b));
}

/** The scalar of a scalar, vector or matrix. */
export function scalarOf(type: AnyType): AnyScalar | undefined {
  if (type.kind === 'scalar') return type;
  return type.kind === 'vector' || type.kind === 'matrix' ? type.of : undefined;
}

/** The same shape of another scalar: `withScalar(vec3<i32>, F32) // vec3<f32>`. */
export function withScalar(type: AnyType, of: AnyScalar): AnyType {
  return type.kind === 'scalar' ? of : ({ ...type, of } as AnyVector | AnyMatrix);
}

const isAbstractScalar = ({ name }: AnyScalar) => name === 'abstract-int' || name === 'abstract-float';

/** Does a type contain an abstract scalar, as that of `vec2(1, 2)`? */
export function isAbstract(type: AnyType): boolean {
  if (type.kind === 'array') return isAbstract(type.of);
  if (type.kind === 'struct') return type.members.some((member) => isAbstract(member.type));
  const of = scalarOf(type);
  return of !== undefined && isAbstractScalar(of);
}

/** The types to which an abstract scalar converts, the best first. */
const CONVERSIONS: Readonly<Record<string, readonly AnyScalarName[]>> = {
  'abstract-int': ['i32', 'u32', 'abstract-float', 'f32'],
  'abstract-float': ['f32'],
};

/** Does a value of `from` convert to `to` automatically? */
export function convertsTo(from: AnyType, to: AnyType): boolean {
  if (sameType(from, to)) return true;
  if (from.kind !== to.kind) return false;
  if (from.kind === 'scalar') return CONVERSIONS[from.name]?.includes((to as AnyScalar).name) ?? false;
  if (from.kind === 'array') return from.count === (to as AnyArray).count && convertsTo(from.of, (to as AnyArray).of);
  if (from.kind === 'struct') return isAbstract(from) && typeName(concrete(from)) === typeName(to);
  const of = scalarOf(from);
  const other = scalarOf(to);
  return of !== undefined && other !== undefined && sameType(withScalar(from, other), to) && convertsTo(of, other);
}

/** The type without abstract numbers: i32 and f32 in their place. */
export function concrete(type: AnyType): Type {
  if (!isAbstract(type)) return type as Type;
  if (type.kind === 'array') return { ...type, of: concrete(type.of) };
  if (type.kind === 'struct') {
    const [first, second] = type.members as [AnyMember, AnyMember];
    return resultStruct(first.name, concrete(first.type), second.name, concrete(second.type));
  }
  return withScalar(type, scalarOf(type)!.name === 'abstract-int' ? I32 : F32) as Type;
}

/** The first of the types that all of them convert to; undefined if there is none. */
export function commonType(types: readonly AnyType[]): AnyType | undefined {
  return types.find((to) => types.every((from) => convertsTo(from, to)));
}

// ---- structs ----

/** The members at their offsets, and the size and alignment of the whole. */
export function layOut(
  name: string,
  members: readonly { name: string; type: Type; align?: number; size?: number; builtin?: BuiltinValue }[],
): StructType {
  let end = 0;
  let align = 1;
  const placed = members.map(({ name: member, type, align: given, size, builtin }) => {
    const alignment = given ?? alignOf(type);
    const offset = roundUp(alignment, end);
    end = offset + (size ?? sizeOf(type));
    align = Math.max(align, alignment);
    return { name: member, type, offset, ...(builtin && { builtin }) };
  });
  return { kind: 'struct', name, members: placed, size: roundUp(align, end), align };
}

/** The result type of `frexp` and `modf`: `resultStruct('fract', F32, 'exp', I32)` is `__frexp_result_f32`. */
export function resultStruct(first: string, a: AnyType, second: string, b: AnyType): StructType {
  const of = scalarOf(a)!.name;
  const shape = a.kind === 'vector' ? `vec${a.size}_` : '';
  const name = `__${second === 'exp' ? 'frexp' : 'modf'}_result_${shape}${of.startsWith('abstract') ? 'abstract' : of}`;
  return layOut(name, [
    { name: first, type: a as Type },
    { name: second, type: b as Type },
  ]);
}

// ---- uses of a type ----

/** Does the length of an array depend on an `override`? */
export const isOverrideSized = (type: AnyType) => type.kind === 'array' && type.countName !== undefined;

/** Can be constructed, stored and returned: has a fixed size and no pointers. */
export function isConstructible(type: AnyType): boolean {
  if (type.kind === 'array') return type.count !== undefined && isConstructible(type.of);
  if (type.kind === 'struct') return type.members.every((member) => isConstructible(member.type));
  return type.kind !== 'pointer' && type.kind !== 'void';
}

/** Has the same meaning on the host: contains no bool. */
export function isHostShareable(type: AnyType): boolean {
  if (type.kind === 'array') return isHostShareable(type.of);
  if (type.kind === 'struct') return type.members.every((member) => isHostShareable(member.type));
  const of = scalarOf(type);
  return of !== undefined && of.name !== 'bool';
}

/** Depth of nested arrays and structs. */
export function nestingDepth(type: AnyType): number {
  if (type.kind === 'array') return 1 + nestingDepth(type.of);
  if (type.kind === 'struct') return 1 + Math.max(0, ...type.members.map((member) => nestingDepth(member.type)));
  return 0;
}

/** Is a scalar type a number type: all but bool? */
export const isNumeric = ({ name }: AnyScalar) => name !== 'bool';
/** Is a scalar type an integer type, signed, unsigned or abstract? */
export const isInteger = ({ name }: AnyScalar) => name === 'i32' || name === 'u32' || name === 'abstract-int';
