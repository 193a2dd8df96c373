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

/** Product of all axes but the last: the number of rows of an op. `rowsOf([2, 3, 8]) // 6` */
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

/**
 * The shape that two shapes broadcast to, as in PyTorch: the last axes are aligned, and a missing axis or one of size 1 is
 * repeated. `broadcastShape([4, 1, 3], [2, 1]) // [4, 2, 3]`
 *
 * @returns undefined if an axis has two sizes and neither is 1
 */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 1; axis <= rank; axis++) {
    const [m, n] = [a[a.length - axis] ?? 1, b[b.length - axis] ?? 1];
    if (m !== n && m !== 1 && n !== 1) return undefined;
    shape.unshift(m === 1 ? n : m);
  }
  return shape;
}

/**
 * Strides that repeat a view over a larger shape: 0 along every missing axis and every axis of size 1.
 * `broadcastStrides([3], [1], [2, 3]) // [0, 1]`
 */
export function broadcastStrides(from: Shape, strides: readonly number[], to: Shape): number[] {
  const missing = to.length - from.length;
  return to.map((size, axis) => (axis < missing || from[axis - missing] !== size ? 0 : strides[axis - missing]!));
}

/**
 * An axis by its number, negative ones from the end, as in PyTorch. `axisOf('sum', [2, 3, 8], -1) // 2`
 *
 * @throws ShapeError, in the name of `op`, when there is no such axis
 */
export function axisOf(op: string, shape: Shape, axis: number): number {
  const found = axis < 0 ? axis + shape.length : axis;
  if (Number.isInteger(found) && found >= 0 && found < shape.length) return found;
  throw new ShapeError(op, `axis must be a whole number from ${-shape.length} to ${shape.length - 1}, not ${axis}`, {
    x: shape,
  });
}

/** The axes before one, its size, and the axes after it: `aroundAxis([2, 3, 8], 1) // { outer: 2, n: 3, inner: 8 }` */
export function aroundAxis(shape: Shape, axis: number): { outer: number; n: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), n: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** `[2, 3, 8]`, for messages and labels. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Index in the storage of row-major element `i` of a strided view. */
export function stridedIndex(i: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = i;
  let at = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at += (rest % shape[axis]!) * strides[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return at;
}
