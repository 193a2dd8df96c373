import type { AdapterProfile, Dispatch } from './kernel.js';
import type { Shape } from './shape.js';
import type { DType, Tensor } from './tensor.js';

/** A tensor's numbers in float64, row-major: what references read and return. Ids are whole numbers. */
export interface Value {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** What a shape rule promises for one output. */
export interface OutputSpec {
  readonly shape: Shape;
  readonly dtype?: DType;
}

/** Plain numbers and flags an op was called with; they become `Params` and `const`s. */
export type Attributes = Readonly<Record<string, number | boolean | string | readonly number[] | undefined>>;

/** What an op's kernels are made from: the adapter, and the entry's tensors by name. */
export interface KernelCall<A extends Attributes = Attributes> {
  readonly adapter: AdapterProfile;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly attributes: A;
}

/** What a backward rule works with. */
export interface BackwardCall<A extends Attributes = Attributes> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: A;
  /** gradient of the loss by each output; undefined where the loss does not depend on it */
  readonly gradients: readonly (Tensor | undefined)[];
  /** whether a gradient by this input is wanted */
  wants(input: Tensor): boolean;
  /** Hands over (part of) the gradient of the loss by an input. */
  give(input: Tensor, gradient: Tensor): void;
  /** The accumulator that gradient kernels of this input add into. */
  into(input: Tensor): Tensor;
}

/**
 * One operation, and everything there is to know about it. `defineOp` checks nothing and hides nothing: an op is this
 * object.
 */
export interface Op<A extends Attributes = Attributes> {
  /** `layerNorm.forward` */
  readonly name: string;
  /** one line of mathematics, shown by `inspect` */
  readonly formula: string;
  /** names of the inputs in order, as in the WGSL */
  readonly inputs: readonly string[];
  /** names of the outputs in order; `adds` marks those that are added into, `updates` those changed in place */
  readonly outputs: readonly (string | { readonly adds: string } | { readonly updates: string })[];
  /** whether its kernels read views by their strides; of any other op, inputs are copied into row-major order first */
  readonly strided?: boolean;
  /** The shape rule, and the only place that throws for it. */
  shape(inputs: readonly Tensor[], attributes: A): OutputSpec[];
  /**
   * Plain float64 loops. For outputs that are added into, the amount to add.
   *
   * @param before the outputs' numbers until now, for an op that updates only some of them
   */
  reference(inputs: readonly Value[], attributes: A, before: readonly Value[]): Float64Array[];
  /** The dispatches that compute the outputs on this adapter. None for a view. */
  kernels(call: KernelCall<A>): Dispatch[];
  /** Records the gradient entries. Absent where no gradient flows. */
  backward?(call: BackwardCall<A>): void;
  /** Arithmetic operations and bytes moved, for benchmarks; bytes default to all inputs and outputs once. */
  flops?(call: { inputs: readonly Shape[]; outputs: readonly Shape[]; attributes: A }): number;
}

/** An op as the program stores it, whatever its attributes. */
// biome-ignore lint/suspicious/noExplicitAny: attributes are checked where the op is recorded, by its own signature
export type AnyOp = Op<any>;

/** Whether an output is written anew, added into, or changed in place. */
export type OutputKind = 'writes' | 'adds' | 'updates';

/** `{ adds: 'dWeight' }` → `['dWeight', 'adds']` */
export function outputOf(output: Op['outputs'][number]): [name: string, kind: OutputKind] {
  if (typeof output === 'string') return [output, 'writes'];
  return 'adds' in output ? [output.adds, 'adds'] : [output.updates, 'updates'];
}
