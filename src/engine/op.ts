import { InputError, kindOf, ShapeError } from '../common/errors.js';
import type { Shape } from '../common/shape.js';
import type { AdapterProfile, Dispatch } from './kernel.js';
import type { Entry, Program } from './program.js';
import { type DType, type Storage, Tensor } from './tensor.js';

/** A tensor's numbers in float64, row-major: what references read and return. Ids are whole numbers. */
export interface Value {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** The result of a shape rule for one output. */
export interface OutputSpec {
  readonly shape: Shape;
  /** default f32 */
  readonly dtype?: DType;
}

/** The plain numbers and flags of a call of an op; they become `Params` and `const`s. */
export type Attributes = Readonly<Record<string, number | boolean | string | readonly number[] | undefined>>;

/** The arguments of an op's `dispatches`. */
export interface DispatchCall<A extends Attributes = Attributes> {
  readonly adapter: AdapterProfile;
  /** inputs and outputs, by name */
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly attributes: A;
}

/** The arguments of a backward rule. */
export interface BackwardCall<A extends Attributes = Attributes> extends Pick<Entry, 'inputs' | 'outputs'> {
  readonly attributes: A;
  /** gradient of the loss with respect to each output; undefined if the loss does not depend on it */
  readonly gradients: readonly (Tensor | undefined)[];
  /** Adds (part of) the gradient of the loss with respect to an input. */
  addGradient(input: Tensor, gradient: Tensor): void;
  /** The accumulator that gradient kernels of this input add into. */
  accumulator(input: Tensor): Tensor;
}

/**
 * An input: its name, as in the WGSL, and its dtype. A plain name takes f32, `u32` takes ids, `any` takes both.
 *
 * `idLimit` is the bound of ids: the rows of a table, say. Constants are checked against it when the op is recorded, inputs
 * and states when they are written. Ids that another op computes are known only on the device: a kernel that reads out
 * of bounds gets some other element of the buffer, and `PARITY=1` stops at it.
 */
export type InputSpec<A extends Attributes = Attributes> =
  | string
  | {
      readonly name: string;
      readonly dtype: 'u32' | 'any';
      idLimit?(inputs: readonly Tensor[], attributes: A): number;
    };

/** One operation, described completely by one object. */
export interface Op<A extends Attributes = Attributes> {
  /** `layerNorm.forward` */
  readonly name: string;
  /** one line of mathematics, shown by `inspect` */
  readonly formula: string;
  /** in the order of the arguments */
  readonly inputs: readonly InputSpec<A>[];
  /** names, as in the WGSL */
  readonly outputs: readonly string[];
  /** outputs that kernels do not overwrite, but add to or change in place: `record` takes their tensors */
  readonly existing?: Readonly<Record<string, 'accumulates' | 'inPlace'>>;
  /** true if the output has the input's numbers, so that a bound on its ids is a bound on the input's */
  readonly copies?: boolean;
  /** true if its kernels read views by their strides; otherwise inputs are first copied into row-major order */
  readonly strided?: boolean;
  /**
   * The shape rule, which throws for wrong shapes of inputs; the function checks arguments of its own, such as an axis. Number and dtypes of the inputs are right when it is called.
   */
  shape(inputs: readonly Tensor[], attributes: A): OutputSpec[];
  /**
   * Plain float64 loops. For an accumulated output, the result is the amount to add.
   *
   * @param before the present numbers of the outputs, for an op that updates only some of them
   */
  reference(inputs: readonly Value[], attributes: A, before: readonly Value[]): Float64Array[];
  /** The dispatches that compute the outputs on this adapter. None for a view. */
  dispatches(call: DispatchCall<A>): Dispatch[];
  /** Records the gradient entries. Absent where no gradient flows. */
  backward?(call: BackwardCall<A>): void;
  /** Arithmetic operations of one call, 0 by default. Benchmarks show them, and a GPU's submits are cut by them. */
  flops?(call: { inputs: readonly Tensor[]; outputs: readonly Tensor[]; attributes: A }): number;
}

/** An op as the program stores it, with any attributes. */
// biome-ignore lint/suspicious/noExplicitAny: the op's own signature checks attributes when it is recorded
export type AnyOp = Op<any>;

/** Arithmetic operations of an entry of a program, as its op counts them. */
export function flopsOf(entry: Entry): number {
  return entry.op.flops?.(entry) ?? 0;
}

/** The name of an input: `'u'`, or `'ids'` of `{ name: 'ids', dtype: 'u32' }`. */
export function nameOf(spec: InputSpec): string {
  return typeof spec === 'string' ? spec : spec.name;
}

/** The name that a user calls: `layerNorm` for `layerNorm.forward`. */
export function calledName({ name }: AnyOp): string {
  return name.replace(/\.forward$/, '');
}

/**
 * The part of an op's rule that `inputs` declares: the number of tensors, and their dtypes.
 *
 * @throws InputError when one is missing, is no tensor, or belongs to another program
 * @throws ShapeError when one has another dtype
 */
export function checkInputs(op: AnyOp, inputs: readonly Tensor[], program: Program): void {
  const who = calledName(op);
  if (inputs.length > op.inputs.length) {
    throw new InputError(`${who}: takes ${op.inputs.length} tensors; got ${inputs.length}`);
  }
  op.inputs.forEach((spec, i) => {
    const name = nameOf(spec);
    const dtype = typeof spec === 'string' ? 'f32' : spec.dtype;
    const input: unknown = inputs[i];
    if (!(input instanceof Tensor)) throw new InputError(`${who}: ${name} must be a tensor; got ${kindOf(input)}`);
    if (input.program !== program) {
      throw new InputError(`${who}: ${input} belongs to another program; record both ops in one program`);
    }
    if (dtype !== 'any' && dtype !== input.dtype) {
      const rule = `${name} must be ${dtype}, not ${input.dtype}`;
      throw new ShapeError(who, rule, { [name]: input.shape }, DTYPE_HINTS[dtype]);
    }
  });
}

/** The usual fix for a wrong dtype, by the right one. */
const DTYPE_HINTS = {
  f32: 'embedding and hslFeatures turn ids into numbers',
  u32: "Ids come from a Uint32Array: input(label, shape, 'u32')",
} as const;

/**
 * Ids against the bound of the storage that holds them.
 *
 * @throws InputError naming the first that is not below it
 */
export function checkIds(who: string, { label, idLimit }: Storage, data: ArrayLike<number>): void {
  if (idLimit === undefined) return;
  for (let at = 0; at < data.length; at++) {
    if (!(data[at]! < idLimit)) {
      throw new InputError(`${who}: ${label} must be below ${idLimit}; got ${data[at]} at index ${at}`);
    }
  }
}

/** Is an output overwritten, added to, or changed in place? */
export type OutputKind = 'writes' | 'accumulates' | 'inPlace';

/** The kind of output `i` of an op. */
export function outputKind({ outputs, existing }: AnyOp, i: number): OutputKind {
  return existing?.[outputs[i]!] ?? 'writes';
}
