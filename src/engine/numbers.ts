import { InputError, kindOf, ShapeError } from '../common/errors.js';
import { type Shape, sameShape, sizeOf } from '../common/shape.js';

/** Nested numbers: one, a list, a list of lists, … */
export type Nested = number | readonly Nested[];

/** Numbers that fill a tensor: nested lists, or a flat row-major array. */
export type Fill = Nested | Float32Array | Uint32Array;

/** Longer axes are printed as their first and last `EDGE` elements. */
const MAX_PRINTED = 12;
const EDGE = 3;

/**
 * Numbers with their shape, row-major: the value of a tensor after its program has run. Prints itself as nested lists.
 */
export class Numbers {
  constructor(
    readonly shape: Shape,
    readonly data: Float32Array | Uint32Array,
  ) {}

  /**
   * The only number, as PyTorch's `item()`.
   *
   * @throws ShapeError when there is not exactly one
   */
  item(): number {
    if (this.data.length !== 1) throw new ShapeError('item', 'needs exactly one number', { x: this.shape });
    return this.data[0]!;
  }

  /**
   * `[[1, 2], [3, 4]]` on two lines, five digits per number; the middle of a long axis is omitted.
   */
  toString(): string {
    const digits = Array.from(this.data, (x) => String(Number(x.toPrecision(5))));
    const width = this.shape.length < 2 ? 0 : Math.max(0, ...digits.map((text) => text.length));
    const part = (first: number, axis: number): string => {
      if (axis === this.shape.length) return digits[first]!.padStart(width);
      const size = this.shape[axis]!;
      const step = sizeOf(this.shape.slice(axis + 1));
      const places = Array.from({ length: size }, (_, i) => i);
      const printed = places.filter((i) => size <= MAX_PRINTED || i < EDGE || i >= size - EDGE);
      const parts = printed.map((i) => part(first + i * step, axis + 1));
      if (printed.length < size) parts.splice(EDGE, 0, '…');
      const isRow = axis === this.shape.length - 1;
      return `[${parts.join(isRow ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`;
    };
    return part(0, 0);
  }

  /** For Node's console. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this}`;
  }
}

/**
 * The shape and the numbers of nested lists. `fromNested('x', [[1, 2], [3, 4]]) // shape [2, 2], data 1 2 3 4`
 *
 * @throws InputError, naming `label`, when an element is not a number, or lists of one level differ in length
 */
export function fromNested(label: string, nested: Nested): { shape: Shape; data: Float32Array } {
  const shape: number[] = [];
  for (let inner: Nested | undefined = nested; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  const data: number[] = [];
  const visit = (value: Nested, axis: number): void => {
    const wanted = axis < shape.length ? `a list of ${shape[axis]}` : 'a number';
    if (axis === shape.length ? typeof value !== 'number' : !Array.isArray(value) || value.length !== shape[axis]) {
      const got = Array.isArray(value)
        ? `a list of ${value.length}`
        : typeof value === 'number'
          ? value
          : kindOf(value);
      throw new InputError(`${label}: every part must be like the first: ${wanted}; got ${got}`);
    }
    if (typeof value === 'number') data.push(value);
    else for (const part of value) visit(part, axis + 1);
  };
  visit(nested, 0);
  return { shape, data: Float32Array.from(data) };
}

/**
 * Numbers for a tensor of a known shape and dtype.
 *
 * @throws InputError when nested lists are ragged or contain invalid ids @throws ShapeError when they have another
 * shape
 */
export function toData(label: string, shape: Shape, dtype: 'f32' | 'u32', fill: Fill): Float32Array | Uint32Array {
  if (fill instanceof Float32Array || fill instanceof Uint32Array) return fill;
  const nested = fromNested(label, fill);
  if (!sameShape(nested.shape, shape)) {
    throw new ShapeError(label, 'numbers must have the shape of their tensor', {
      tensor: shape,
      numbers: nested.shape,
    });
  }
  if (dtype === 'f32') return nested.data;
  const wrong = nested.data.find((id) => !Number.isInteger(id) || id < 0 || id >= 2 ** 24);
  if (wrong !== undefined) throw new InputError(`${label}: ids must be whole numbers of at least 0; got ${wrong}`);
  return Uint32Array.from(nested.data);
}
