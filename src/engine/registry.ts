import type { Shape } from '../common/shape.js';
import type { Tensor } from './tensor.js';

/** One call of an op for the contract tests, at sizes around a tile edge. */
export interface OpSample {
  readonly name: string;
  /** shapes of the float inputs, by name, for a size n of 1, 7, 8, 9, 31, … */
  readonly inputs: (n: number) => Readonly<Record<string, Shape>>;
  /** whole numbers below a bound, for ids and targets */
  readonly ids?: (n: number) => Readonly<Record<string, { readonly shape: Shape; readonly idLimit: number }>>;
  /** inputs without a gradient: tables, weights of a loss */
  readonly fixed?: readonly string[];
  /** shapes of tensors updated in place: they are states, with numbers before the call */
  readonly states?: (n: number) => Readonly<Record<string, Shape>>;
  /** inputs and states whose numbers must not be negative */
  readonly nonnegative?: readonly string[];
  /** inputs whose numbers must be well above 0: at least a half */
  readonly positive?: readonly string[];
  /** numbers are drawn from a normal distribution of this deviation; default 1 */
  readonly scale?: number;
  readonly call: (inputs: Readonly<Record<string, Tensor>>, n: number) => Tensor[];
  /**
   * tolerance of kernel against reference in float32 roundings of the largest output; default 64, 0 means equal bits
   */
  readonly roundings?: number;
  /** magnitude of terms that cancel if a result may be exactly 0: the minimum scale of roundings. Default 1e-6 */
  readonly floor?: number;
}

/** Samples of one call that differ in their inputs alone. */
export function samplesOf(
  call: OpSample['call'],
  inputs: Readonly<Record<string, OpSample['inputs']>>,
  more: Partial<OpSample> = {},
): OpSample[] {
  return Object.entries(inputs).map(([name, inputs]) => ({ name, inputs, call, ...more }));
}

/** One row of the op table, for contract tests, benchmarks and the README. */
export interface OpRow {
  readonly name: string;
  /** the op's file in src/engine/ops, if its name differs from the op's */
  readonly file?: string;
  /** passes: each a list of the kernel table, or a kernel file without a list */
  readonly passes: readonly string[];
  readonly samples: readonly OpSample[];
}
