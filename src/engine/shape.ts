import { ShapeError } from './errors.js';

/** Sizes per axis, outermost first, as in PyTorch: `[B, S, C]`. `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. `sizeOf([2, 3, 4]) // 24`, `sizeOf([]) // 1` */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Row-major strides in elements. `stridesOf([2, 3, 4]) // [12, 4, 1]` */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** The last axis, the one most ops work along. `lastOf([2, 3, 8]) // 8` */
export function lastOf(shape: Shape): number {
  return shape[shape.length - 1] ?? 1;
}

/** Product of all axes but the last: how many rows an op sees. `rowsOf([2, 3, 8]) // 6` */
export function rowsOf(shape: Shape): number {
  return sizeOf(shape.slice(0, -1));
}

/** `sameShape([2, 3], [2, 3]) // true` */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** True when the strides are the row-major ones; axes of size 1 may have any stride. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  const rowMajor = stridesOf(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === rowMajor[axis]);
}

/** Throws unless every size is a whole number of at least 0. */
export function checkShape(op: string, name: string, shape: Shape): void {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new ShapeError(op, 'sizes must be whole numbers of at least 0', { [name]: shape });
  }
}

/** `[2, 3, 8]`, for messages and labels. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
