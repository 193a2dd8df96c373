import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow, OpSample } from '../registry.js';
import type { Tensor } from '../tensor.js';

/** A function of one number, and its derivative: in float64 for the reference, and in WGSL. */
interface Unary {
  readonly formula: string;
  readonly reference: (x: number) => number;
  /** dy/dx by x and y */
  readonly derivative: (x: number, y: number) => number;
  /** the text in shaders/unary.forward.wgsl */
  readonly wgsl: string;
  /** the text in shaders/unary.backward.wgsl */
  readonly wgslDerivative: string;
  /** test inputs are above 0; default any */
  readonly positive?: true;
  /** f32 overflows at large arguments, so they are not tested */
  readonly overflows?: true;
}

/**
 * The functions, in the order of the kernels' constant OP. The README of the engine says how to add one.
 *
 * The kernels limit the argument of tanh and of sigmoid's exp: a driver may overflow there, and in WGSL infinity may
 * become any value. log(0) and exp(89) are infinite, so WGSL leaves them undefined.
 */
export const unaryTable = {
  exp: {
    formula: 'y = eˣ',
    reference: Math.exp,
    derivative: (_, y) => y,
    wgsl: 'exp(x)',
    wgslDerivative: 'y',
    overflows: true,
  },
  log: {
    formula: 'y = ln x',
    reference: Math.log,
    derivative: (x) => 1 / x,
    wgsl: 'log(x)',
    wgslDerivative: '1.0 / x',
    positive: true,
  },
  relu: {
    formula: 'y = x where x > 0, else 0',
    reference: (x) => Math.max(x, 0), // NaN stays NaN
    derivative: (x) => (x > 0 ? 1 : 0),
    wgsl: 'select(x, 0.0, x < 0.0)',
    wgslDerivative: 'select(0.0, 1.0, x > 0.0)',
  },
  tanh: {
    formula: 'y = tanh x',
    reference: Math.tanh,
    derivative: (_, y) => 1 - y * y,
    wgsl: 'tanh(clamp(x, -10.0, 10.0))',
    wgslDerivative: '1.0 - y * y',
  },
  sigmoid: {
    formula: 'y = 1 / (1 + e⁻ˣ)',
    reference: (x) => 1 / (1 + Math.exp(-x)),
    derivative: (_, y) => y * (1 - y),
    wgsl: '1.0 / (1.0 + exp(min(-x, 80.0)))',
    wgslDerivative: 'y * (1.0 - y)',
  },
} satisfies Record<string, Unary>;

/** The name of a row. */
type UnaryName = keyof typeof unaryTable;

/** eˣ, element by element. @param x [...] @returns [...], a new tensor */
export const exp = functionOf('exp');

/** Natural logarithm, element by element; x must be above 0. @param x [...] @returns [...], a new tensor */
export const log = functionOf('log');

/** `y = x` where `x > 0`, else 0; the derivative at 0 is 0. @param x [...] @returns [...], a new tensor */
export const relu = functionOf('relu');

/** Hyperbolic tangent, element by element. @param x [...] @returns [...], a new tensor */
export const tanh = functionOf('tanh');

/** `y = 1 / (1 + e⁻ˣ)`, element by element. @param x [...] @returns [...], a new tensor */
export const sigmoid = functionOf('sigmoid');

function functionOf(name: UnaryName): (x: Tensor) => Tensor {
  const op = unaryOp(name);
  return (x) => x.program.record(op, [x], {})[0]!;
}

/** A row of the table as an op. */
function unaryOp(name: UnaryName): Op {
  const { formula, reference, derivative }: Unary = unaryTable[name];
  const constants = { OP: Object.keys(unaryTable).indexOf(name) };
  const backward: Op = {
    name: `${name}.backward`,
    formula: 'dX = dY · dy/dx',
    inputs: ['x', 'y', 'dY'],
    outputs: ['dX'],
    shape: ([x]) => [{ shape: x!.shape }],
    reference: ([x, y, dY]) => [unaryBackwardReference(derivative, x!, y!, dY!)],
    dispatches: ({ tensors }) => [
      onePerInvocation('unary.backward', tensors.x!.size, tensors, { n: tensors.x!.size }, constants),
    ],
    flops: ({ inputs: [x] }) => 4 * x!.size,
  };
  return {
    name,
    formula,
    inputs: ['x'],
    outputs: ['y'],
    shape: ([x]) => [{ shape: x!.shape }],
    reference: ([x]) => [x!.data.map((value) => reference(value))],
    dispatches: ({ tensors }) => [
      onePerInvocation('unary.forward', tensors.x!.size, tensors, { n: tensors.x!.size }, constants),
    ],
    backward({ inputs: [x], outputs: [y], gradients: [dY], addGradient }) {
      if (x!.requiresGradient) addGradient(x!, x!.program.record(backward, [x!, y!, dY!], {})[0]!);
    },
    flops: ({ inputs: [x] }) => 4 * x!.size,
  };
}

function unaryBackwardReference(derivative: Unary['derivative'], x: Value, y: Value, dY: Value): Float64Array {
  return dY.data.map((dy, i) => dy * derivative(x.data[i]!, y.data[i]!));
}

const FUNCTIONS = { exp, log, relu, tanh, sigmoid };

/** A row of the op table for each row of this table. */
export const unaryRows: readonly OpRow[] = Object.entries<Unary>(unaryTable).map(([name, { positive, overflows }]) => {
  const f = FUNCTIONS[name as UnaryName];
  const sample = (what: string, more: Partial<OpSample>): OpSample => ({
    name: what,
    inputs: (n) => ({ x: [2, n] }),
    call: ({ x }) => [f(x!)],
    ...(positive && { positive: ['x'] }),
    ...more,
  });
  const samples = [sample('2 rows of n', {})];
  // Arguments have a deviation of 50, so that they reach about 150. An intermediate result must not overflow there. A flat function has a derivative of 1 − 1 there.
  if (overflows === undefined) samples.push(sample('large arguments', { scale: 50, floor: 1 }));
  return { name, file: 'unary', passes: ['unary.forward', 'unary.backward'], samples };
});
