import { ShapeError } from '../../common/errors.js';
import { broadcastShape, broadcastStrides, type Shape, sameShape } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import { type OpRow, type OpSample, samplesOf } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { sumTo } from './sum.js';
import { axisParams, expandReference, MAX_AXES } from './view.js';

/** A function of two numbers, and its derivatives by a and by b: in float64 for the reference, and in WGSL. */
interface Binary {
  readonly formula: string;
  readonly reference: (a: number, b: number) => number;
  /** dy/da and dy/db; 1 if the gradient is dY itself */
  readonly derivatives: readonly [Derivative, Derivative];
  /** the text in shaders/binary.forward.wgsl */
  readonly wgsl: string;
  /** the texts in shaders/binary.backward.wgsl, none if the derivative is 1 */
  readonly wgslDerivatives: readonly [] | readonly [string | undefined, string];
}

type Derivative = 1 | ((a: number, b: number) => number);

/** The functions, in the order of the kernels' constant OP. */
export const binaryTable = {
  add: {
    formula: 'y = a + b',
    reference: (a, b) => a + b,
    derivatives: [1, 1],
    wgsl: 'a + b',
    wgslDerivatives: [],
  },
  sub: {
    formula: 'y = a − b',
    reference: (a, b) => a - b,
    derivatives: [1, () => -1],
    wgsl: 'a - b',
    wgslDerivatives: [undefined, '-1.0'],
  },
  mul: {
    formula: 'y = a · b',
    reference: (a, b) => a * b,
    derivatives: [(_, b) => b, (a) => a],
    wgsl: 'a * b',
    wgslDerivatives: ['b', 'a'],
  },
  div: {
    formula: 'y = a / b',
    reference: (a, b) => a / b,
    derivatives: [(_, b) => 1 / b, (a, b) => -a / (b * b)],
    wgsl: 'a / b',
    wgslDerivatives: ['1.0 / b', '-a / (b * b)'],
  },
} satisfies Record<string, Binary>;

/** The name of a row. */
type BinaryName = keyof typeof binaryTable;

/**
 * `y = a + b`, element by element. Shapes broadcast as in PyTorch: the last axes are aligned, and a missing axis or one of size
 * 1 is repeated.
 *
 * @param a [...]   @param b [...], or a number
 * @returns the broadcast shape, a new tensor
 * @throws ShapeError when the shapes do not broadcast
 */
export const add = functionOf('add');

/** `y = a − b`, element by element, with the shapes of `add`. @throws ShapeError when the shapes do not broadcast */
export const sub = functionOf('sub');

/** `y = a · b`, element by element, with the shapes of `add`. @throws ShapeError when the shapes do not broadcast */
export const mul = functionOf('mul');

/** `y = a / b`, element by element, with the shapes of `add`. @throws ShapeError when the shapes do not broadcast */
export const div = functionOf('div');

function functionOf(name: BinaryName): (a: Tensor, b: Tensor | number) => Tensor {
  const op = binaryOp(name);
  return (a, b) => {
    const { program } = a;
    const right = typeof b === 'number' ? program.constant(`${b}`, [], Float32Array.of(b)) : b;
    return program.record(op, [a, right], {})[0]!;
  };
}

function binaryShape(op: string, a: Tensor, b: Tensor): Shape {
  const shape = broadcastShape(a.shape, b.shape);
  if (shape === undefined) {
    const rule = 'shapes must broadcast: aligned at the last axis, sizes must be equal or 1';
    throw new ShapeError(op, rule, { a, b });
  }
  if (shape.length > MAX_AXES && !areAlike([a, b], shape)) {
    throw new ShapeError(op, `views, and shapes that differ, must have at most ${MAX_AXES} axes`, { a, b });
  }
  return shape;
}

/** Is element i of every tensor number i of its storage, and of the shape? */
function areAlike(tensors: readonly Tensor[], shape: Shape): boolean {
  return tensors.every((x) => x.isContiguous && sameShape(x.shape, shape));
}

/** A row of the table as an op. */
function binaryOp(name: BinaryName): Op {
  const { formula, reference, derivatives }: Binary = binaryTable[name];
  const OP = Object.keys(binaryTable).indexOf(name);
  const backwardBy = (SIDE: 0 | 1): Op => ({
    name: `${name}.backward${'AB'[SIDE]}`,
    formula: SIDE === 0 ? 'dX = dY · dy/da' : 'dX = dY · dy/db',
    strided: true,
    inputs: ['a', 'b', 'dY'],
    outputs: ['dX'],
    shape: ([, , dY]) => [{ shape: dY!.shape }],
    reference: ([a, b, dY]) => [binaryBackwardReference(derivatives[SIDE], a!, b!, dY!)],
    dispatches: ({ tensors }) => [binaryKernel('binary.backward', tensors, tensors.dY!.shape, { OP, SIDE })],
    flops: ({ outputs: [dX] }) => 2 * dX!.size,
  });
  const backwards = [backwardBy(0), backwardBy(1)];
  return {
    name,
    formula,
    strided: true,
    inputs: ['a', 'b'],
    outputs: ['y'],
    shape: ([a, b]) => [{ shape: binaryShape(name, a!, b!) }],
    reference: ([a, b]) => [binaryReference(reference, a!, b!)],
    dispatches: ({ tensors }) => [binaryKernel('binary.forward', tensors, tensors.y!.shape, { OP })],
    backward({ inputs: [a, b], gradients: [gradient], addGradient }) {
      const { program } = a!;
      for (const [side, input] of [a!, b!].entries()) {
        if (!input.requiresGradient) continue;
        const dY = derivatives[side] === 1 ? gradient! : program.contiguous(gradient!);
        const dX = derivatives[side] === 1 ? dY : program.record(backwards[side]!, [a!, b!, dY], {})[0]!;
        addGradient(input, sumTo(dX, input.shape)); // sums the gradients of a repeated input
      }
    },
    flops: ({ outputs: [y] }) => y!.size,
  };
}

/** One dispatch: element by element if all have the same order, else by strides, which are 0 along repeated axes. */
function binaryKernel(
  shader: string,
  tensors: Readonly<Record<string, Tensor>>,
  shape: Shape,
  constants: Readonly<Record<string, number>>,
) {
  const n = shape.reduce((product, size) => product * size, 1);
  const inputs = [tensors.a!, tensors.b!];
  const alike = areAlike(inputs, shape);
  const strides = inputs.map((x) => (alike ? [] : broadcastStrides(x.shape, x.strides, shape)));
  const params = {
    n,
    ...axisParams('size', alike ? [] : shape, 1),
    ...axisParams('aStride', strides[0]!, 0),
    ...axisParams('bStride', strides[1]!, 0),
  };
  return onePerInvocation(shader, n, tensors, params, { STRIDED: Number(!alike), ...constants });
}

function binaryReference(f: Binary['reference'], a: Value, b: Value): Float64Array {
  const shape = broadcastShape(a.shape, b.shape)!;
  const right = expandReference(b, shape);
  return expandReference(a, shape).map((value, i) => f(value, right[i]!));
}

function binaryBackwardReference(derivative: Derivative, a: Value, b: Value, dY: Value): Float64Array {
  if (derivative === 1) return dY.data;
  const left = expandReference(a, dY.shape);
  const right = expandReference(b, dY.shape);
  return dY.data.map((dy, i) => dy * derivative(left[i]!, right[i]!));
}

const FUNCTIONS = { add, sub, mul, div };

/** A row of the op table for each row of this table. */
export const binaryRows: readonly OpRow[] = Object.entries<Binary>(binaryTable).map(([name, { wgslDerivatives }]) => {
  const f = FUNCTIONS[name as BinaryName];
  const shapes: Record<string, OpSample['inputs']> = {
    n: (n) => ({ a: [n], b: [n] }),
    'a row to each of n': (n) => ({ a: [n, 3], b: [3] }),
    'a column and a row': (n) => ({ a: [n, 1], b: [2, 1, n + 1] }),
  };
  const samples = samplesOf((x) => [f(x.a!, x.b!)], shapes, name === 'div' ? { positive: ['b'] } : {});
  const number: OpSample = { name: 'a number', inputs: (n) => ({ a: [n] }), call: (x) => [f(x.a!, -1.5)] };
  // The gradients of a / a and a − a cancel.
  const twice = { name: 'one tensor twice', inputs: (n: number) => ({ a: [2, n] }), floor: 1 };
  const same: OpSample = { ...twice, call: (x) => [f(x.a!, x.a!)], ...(name === 'div' && { positive: ['a'] }) };
  return {
    name,
    file: 'binary',
    passes: ['binary.forward', wgslDerivatives.length > 0 ? 'binary.backward' : 'addInto'],
    samples: [...samples, number, same],
  };
});
