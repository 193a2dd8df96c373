import { ShapeError } from '../common/errors.js';
import {
  broadcastShape,
  broadcastStrides,
  formatShape,
  isContiguous,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from '../common/shape.js';
import type { Numbers } from './numbers.js';
import { add, div, mul, sub } from './ops/binary.js';
import { dropout } from './ops/dropout.js';
import { gelu } from './ops/gelu.js';
import { matmul } from './ops/matmul.js';
import { slice } from './ops/slice.js';
import { softmax } from './ops/softmax.js';
import { mean, sum } from './ops/sum.js';
import { exp, log, relu, sigmoid, tanh } from './ops/unary.js';
import { expand, permute, reshape } from './ops/view.js';
import type { Program } from './program.js';
import type { Feed } from './runner.js';

/** Numbers are float32, ids are u32. */
export type DType = 'f32' | 'u32';

/**
 * The origin of a storage's bytes, and their lifetime.
 *
 * - `input`       written from TypeScript before a replay
 * - `constant`    written once, when the plan is compiled
 * - `parameter`   a range of the flat parameter buffer; survives replays, changed by the optimiser
 * - `gradient`    the matching range of the flat gradient buffer; cleared at the start of a step, then added into
 * - `accumulator` cleared at the start of every replay, then added into
 * - `state`       survives replays, changed in place (moments, key/value caches)
 * - `activation`  written by one entry, alive until its last reader: its buffer is shared
 */
export type Role = 'input' | 'constant' | 'parameter' | 'gradient' | 'accumulator' | 'state' | 'activation';

/** The key of an object's print function in Node. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A contiguous run of elements. Several tensors may share one storage (views). */
export interface Storage {
  readonly id: number;
  readonly label: string;
  readonly role: Role;
  readonly dtype: DType;
  /** elements */
  readonly length: number;
  /** first element in the flat buffer, a multiple of PARAMETER_ALIGNMENT; parameters and gradients only */
  readonly flatOffset?: number;
  /** ids only: every number must be smaller. The program lowers it as ops that read the ids are recorded */
  idLimit?: number;
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
    /** true if the gradient of the loss with respect to this tensor is needed */
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

  /** true if the elements are in row-major order without gaps; false for a transposed view */
  get isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /**
   * The same elements under another shape; free when contiguous, else a copy is recorded first.
   *
   * @param sizes one of them may be -1: the remaining size. `x.reshape([-1, 4])` of `[2, 6]` is `[3, 4]`
   * @throws ShapeError when the number of elements differs
   */
  reshape(sizes: Shape): Tensor {
    const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
    const shape = sizes.map((size, i) => (size === -1 && sizes.indexOf(-1) === i ? this.size / known : size));
    if (sameShape(shape, this.shape)) return this;
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError('reshape', 'the number of elements must stay the same', { from: this.shape, to: shape });
    }
    return this.program.view(reshape, this.program.contiguous(this), shape, stridesOf(shape));
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
    const [shape, strides] = [this.shape, this.strides].map((sizes) => axes.map((axis) => sizes[axis]!));
    return this.program.view(permute, this, shape!, strides!, { axes });
  }

  /**
   * Repeated along missing axes and axes of size 1, a free view. `x.expand([4, 3])` of `[3]` has it in each of 4 rows.
   *
   * @throws ShapeError when the shape does not broadcast to that one
   */
  expand(shape: Shape): Tensor {
    if (sameShape(shape, this.shape)) return this;
    if (!sameShape(broadcastShape(this.shape, shape) ?? [-1], shape)) {
      throw new ShapeError('expand', 'missing axes and those of size 1 can be repeated, and no others', {
        from: this.shape,
        to: shape,
      });
    }
    return this.program.view(expand, this, shape, broadcastStrides(this.shape, this.strides, shape), { to: shape });
  }

  // ---- ops as methods, so that they chain: x.matmul(w).add(b).relu() ----

  /** `this + b`; see `add` in ops/binary.ts. */
  add(b: Tensor | number): Tensor {
    return add(this, b);
  }

  /** `this − b`; see `sub` in ops/binary.ts. */
  sub(b: Tensor | number): Tensor {
    return sub(this, b);
  }

  /** `this · b`, element by element; see `mul` in ops/binary.ts. */
  mul(b: Tensor | number): Tensor {
    return mul(this, b);
  }

  /** `this / b`; see `div` in ops/binary.ts. */
  div(b: Tensor | number): Tensor {
    return div(this, b);
  }

  /** Matrix product, also in batches; see ops/matmul.ts. */
  matmul(b: Tensor): Tensor {
    return matmul(this, b);
  }

  /** eˣ, element by element. */
  exp(): Tensor {
    return exp(this);
  }

  /** Natural logarithm, element by element. */
  log(): Tensor {
    return log(this);
  }

  /** Maximum of x and 0, element by element. */
  relu(): Tensor {
    return relu(this);
  }

  /** Hyperbolic tangent, element by element. */
  tanh(): Tensor {
    return tanh(this);
  }

  /** `1 / (1 + e⁻ˣ)`, element by element. */
  sigmoid(): Tensor {
    return sigmoid(this);
  }

  /** Gaussian error linear unit; see ops/gelu.ts. */
  gelu(): Tensor {
    return gelu(this);
  }

  /** Shares that sum to 1 along an axis; see ops/softmax.ts. */
  softmax(axis = -1): Tensor {
    return softmax(this, axis);
  }

  /** Sum over an axis, or over all; see ops/sum.ts. */
  sum(axis?: number, keepdim = false): Tensor {
    return sum(this, axis, keepdim);
  }

  /** Mean over an axis, or over all; see ops/sum.ts. */
  mean(axis?: number, keepdim = false): Tensor {
    return mean(this, axis, keepdim);
  }

  /** A part of an axis, from `start` to before `end`; see ops/slice.ts. */
  slice(axis: number, start: number, end?: number): Tensor {
    return slice(this, axis, start, end);
  }

  /** In training, each number is 0 with probability p; see ops/dropout.ts. */
  dropout(p = 0.5): Tensor {
    return dropout(this, p);
  }

  // ---- gradients and numbers ----

  /** Record the gradient of this loss with respect to every parameter. @throws ShapeError, InputError as `Program.backward` does */
  backward(): void {
    this.program.backward(this);
  }

  /** Gradient of the loss with respect to this tensor, once `backward` has been recorded. */
  get grad(): Tensor | undefined {
    return this.program.gradientOf(this);
  }

  /**
   * Run this tensor's dependencies, and read its numbers.
   *
   * @param feed numbers for the inputs that it depends on, by their labels
   * @throws InputError when the program has no device, or an input is missing
   */
  value(feed: Feed = {}): Promise<Numbers> {
    return this.program.runner.value(this, feed);
  }

  /** `blocks.0.norm1 mean [6]`, the label its buffer carries. */
  toString(): string {
    return `${this.label} ${formatShape(this.shape)}`;
  }

  /**
   * The output of `console.log` in Node, in place of the whole program: `Tensor(blocks.0.norm1 mean [6], f32
   * activation)`.
   */
  [INSPECT](): string {
    return `Tensor(${this}, ${this.dtype} ${this.storage.role})`;
  }
}
