/**
 * Memory layout: the size of a value in bytes, and the offsets of its parts.
 *
 * @see https://www.w3.org/TR/WGSL/#memory-layouts
 */
import type { Type } from './tree.js';

/** `roundUp(16, 20) // 32` */
export const roundUp = (to: number, n: number): number => Math.ceil(n / to) * to;

/** Alignment of a value in bytes. `alignOf(vec3f) // 16` */
export function alignOf(type: Type): number {
  if (type.kind === 'vector') return type.size === 2 ? 8 : 16;
  if (type.kind === 'matrix') return type.rows === 2 ? 8 : 16;
  if (type.kind === 'array') return alignOf(type.of);
  if (type.kind === 'struct') return type.align;
  return 4;
}

/** Size of a value in bytes; for an array without a count, of one element. `sizeOf(vec3f) // 12` */
export function sizeOf(type: Type): number {
  if (type.kind === 'vector') return type.size * 4;
  if (type.kind === 'matrix') return type.columns * strideOf(type);
  if (type.kind === 'array') return (type.count ?? 1) * strideOf(type);
  if (type.kind === 'struct') return type.size;
  return 4;
}

/** Bytes from one element, column or component to the next. `strideOf(array<vec3f>) // 16` */
export function strideOf(type: Type): number {
  if (type.kind === 'vector') return 4;
  if (type.kind === 'matrix') return type.rows === 2 ? 8 : 16;
  if (type.kind === 'array') return roundUp(alignOf(type.of), sizeOf(type.of));
  throw new TypeError(`${type.kind} has no elements`);
}
