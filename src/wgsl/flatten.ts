/** Composite types as lists of their scalars, in order. */

import { constant, type Expr, operation, type Scalar } from './ir.js';
import { strideOf } from './layout.js';
import { LARGEST } from './numeric.js';
import type { Type } from './tree.js';

/** The scalar type in a scalar, vector or matrix: `f32` of `mat4x4f`. @throws Error of other types */
export function scalarOf(type: Type): Scalar {
  if (type.kind === 'scalar') return type.name;
  if (type.kind === 'vector' || type.kind === 'matrix') return type.of.name;
  throw new Error(`${type.kind} is no scalar`);
}

/** Scalars in a type, in order: `[3]` of `vec3f`. */
export function countOf(type: Type): number {
  switch (type.kind) {
    case 'scalar':
      return 1;
    case 'vector':
      return type.size;
    case 'matrix':
      return type.columns * type.rows;
    case 'array':
      return (type.count ?? 0) * countOf(type.of);
    case 'struct':
      return type.members.reduce((sum, member) => sum + countOf(member.type), 0);
    default:
      return 0;
  }
}

/** Type and host offset in words of every scalar of a type, in order. */
export function leavesOf(type: Type): { type: Scalar; word: number }[] {
  switch (type.kind) {
    case 'scalar':
      return [{ type: type.name, word: 0 }];
    case 'vector':
      return Array.from({ length: type.size }, (_, i) => ({ type: type.of.name, word: i }));
    case 'matrix': {
      const stride = type.rows === 2 ? 2 : 4;
      return Array.from({ length: type.columns * type.rows }, (_, i) => ({
        type: type.of.name,
        word: Math.floor(i / type.rows) * stride + (i % type.rows),
      }));
    }
    case 'array': {
      const inner = leavesOf(type.of);
      const stride = strideOf(type) / 4;
      return Array.from({ length: type.count ?? 0 }, (_, i) =>
        inner.map((leaf) => ({ type: leaf.type, word: i * stride + leaf.word })),
      ).flat();
    }
    case 'struct':
      return type.members.flatMap((member) =>
        leavesOf(member.type).map((leaf) => ({ type: leaf.type, word: member.offset / 4 + leaf.word })),
      );
    default:
      return [];
  }
}

/** The type of an element, and their number; undefined for a run-time length. */
export function elementOf(type: Type): { type: Type; count: number | undefined } {
  if (type.kind === 'vector') return { type: type.of, count: type.size };
  if (type.kind === 'matrix') return { type: { kind: 'vector', size: type.rows, of: type.of }, count: type.columns };
  if (type.kind === 'array') return { type: type.of, count: type.count };
  throw new Error(`${type.kind} has no elements`);
}

/** A value as another scalar type. */
export function convert(value: Expr, to: Scalar): Expr {
  const from = value.type;
  if (from === to) return value;
  if (to === 'bool') return operation('ne', 'bool', value, constant(from, 0));
  if (from === 'bool') return operation('select', to, value, constant(to, 1), constant(to, 0));
  if (from !== 'f32' && to !== 'f32') return operation('bits', to, value);
  if (to === 'f32') return operation('convert', to, value);
  return operation('convert', to, operation('min', 'f32', value, constant('f32', LARGEST[to])));
}

/** The zero value of a type, one expression for each scalar. */
export function zeros(type: Type): Expr[] {
  return leavesOf(type).map((leaf) => constant(leaf.type, 0));
}

/** Is it an array, or a struct with one? */
export function holdsArray(type: Type): boolean {
  if (type.kind === 'array') return true;
  return type.kind === 'struct' && type.members.some((member) => holdsArray(member.type));
}
