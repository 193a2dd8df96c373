import { ShapeError } from './errors.js';
import type { Program } from './program.js';
import { formatShape, isContiguous, type Shape, sameShape, sizeOf, stridesOf } from './shape.js';

/** Numbers are float32, ids are u32. */
export type DType = 'f32' | 'u32';

/**
 * Where a storage's bytes come from and how long they live.
 *
 * - `input`       written from TypeScript before a replay
 * - `constant`    written once, when the plan is made
 * - `parameter`   a range of the flat parameter buffer; survives replays, changed by the optimiser
 * - `gradient`    the matching range of the flat gradient buffer; cleared at the start of a step, then added into
 * - `accumulator` cleared at the start of every replay, then added into
 * - `state`       survives replays, changed in place (moments, key/value caches)
 * - `activation`  written by one entry, alive until its last reader: its buffer is shared
 */
export type Role = 'input' | 'constant' | 'parameter' | 'gradient' | 'accumulator' | 'state' | 'activation';

/** The name under which Node looks for how to print an object. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A contiguous run of elements. Several tensors may look at one storage (views). */
export interface Storage {
  readonly id: number;
  readonly label: string;
  readonly role: Role;
  readonly dtype: DType;
  /** elements */
  readonly length: number;
  /** first element inside the flat buffer; parameters and gradients only */
  readonly flatOffset?: number;
  /** ids only: every number must be smaller. The program lowers it as ops that read the ids are recorded */
  below?: number;
  /** the storage whose numbers these are, moved about */
  readonly copyOf?: Storage;
  /** constants only */
  readonly data?: Float32Array | Uint32Array;
}

/**
 * A shape and strides over a storage, recorded in one program. It holds no numbers: those exist once the program's plan
 * has been replayed, and `plan.read(tensor)` brings them back.
 */
export class Tensor {
  constructor(
    readonly program: Program,
    readonly storage: Storage,
    readonly shape: Shape,
    readonly strides: readonly number[],
    readonly label: string,
    /** whether a gradient of the loss by this tensor is wanted */
    readonly requiresGradient: boolean,
  ) {}

  /** float32 numbers or u32 ids */
  get dtype(): DType {
    return this.storage.dtype;
  }

  /** elements: `[2, 3, 4]` has 24 */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** whether the elements lie in row-major order with nothing between them; a transposed view's do not */
  get isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /**
   * The same elements under another shape; free when contiguous, else a copy is recorded first.
   *
   * @throws ShapeError when the number of elements differs
   */
  reshape(shape: Shape): Tensor {
    if (sameShape(shape, this.shape)) return this;
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError('reshape', 'the number of elements must stay the same', { from: this.shape, to: shape });
    }
    return this.program.view(this.program.contiguous(this), shape, stridesOf(shape));
  }

  /**
   * The last two axes swapped: `[..., M, N] → [..., N, M]`, a free view.
   *
   * @throws ShapeError when there are fewer than two axes
   */
  transpose(): Tensor {
    const rank = this.shape.length;
    if (rank < 2) throw new ShapeError('transpose', 'needs two axes or more', { x: this.shape });
    const axes = this.shape.map((_, axis) => axis);
    [axes[rank - 2], axes[rank - 1]] = [rank - 1, rank - 2];
    return this.permute(axes);
  }

  /**
   * Axes in another order, a free view. `x.permute([2, 0, 1])` of `[2, 3, 4]` is `[4, 2, 3]`.
   *
   * @throws ShapeError when `axes` does not name every axis once
   */
  permute(axes: readonly number[]): Tensor {
    const sorted = [...axes].sort((a, b) => a - b);
    if (sorted.length !== this.shape.length || sorted.some((axis, i) => axis !== i)) {
      throw new ShapeError('permute', 'axes must name every axis once', { x: this.shape, axes });
    }
    return this.program.view(
      this,
      axes.map((axis) => this.shape[axis]!),
      axes.map((axis) => this.strides[axis]!),
      axes,
    );
  }

  /** `blocks.0.norm1 mean [6]`, the label its buffer carries. */
  toString(): string {
    return `${this.label} ${formatShape(this.shape)}`;
  }

  /** What `console.log` prints in Node, in place of the whole program: `Tensor(blocks.0.norm1 mean [6], f32 activation)`. */
  [INSPECT](): string {
    return `Tensor(${this}, ${this.dtype} ${this.storage.role})`;
  }
}
