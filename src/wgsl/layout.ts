import type { Type } from './tree.js';

const roundUp = (to: number, n: number) => Math.ceil(n / to) * to;

export function alignOf(type: Type): number {
  if (type.kind === 'vector') return type.size === 2 ? 8 : 16;
  if (type.kind === 'matrix') return type.rows === 2 ? 8 : 16;
  if (type.kind === 'array') return alignOf(type.of);
  if (type.kind === 'struct') return type.align;
  return 4;
}

export function sizeOf(type: Type): number {
  if (type.kind === 'vector') return type.size * 4;
  if (type.kind === 'matrix') return type.columns * strideOf(type);
  if (type.kind === 'array') return (type.count ?? 1) * strideOf(type);
  if (type.kind === 'struct') return type.size;
  return 4;
}

export function strideOf(type: Type): number {
  if (type.kind === 'vector') return 4;
  if (type.kind === 'matrix') return type.rows === 2 ? 8 : 16;
  if (type.kind === 'array') return roundUp(alignOf(type.of), sizeOf(type.of));
  throw new TypeError(`${type.kind} has no elements`);
}
