import { broadcastShape, sameShape } from '../../src/common/shape.js';
import { concat } from '../../src/engine/ops/concat.js';
import type { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';

/** One step of an expression: an op, the tensors it reads by their numbers, and a number that chooses an axis. */
export interface ExpressionStep {
  readonly op: string;
  readonly i: number;
  readonly j: number;
  readonly k: number;
}

/** What an expression begins with. */
export const LEAVES = { a: [2, 3, 4], b: [3, 4], c: [4], d: [3, 1] } as const;

/** Larger tensors are skipped, as are steps that do not fit the shapes. */
const MAX_SIZE = 400;

/*
 * The ops of test/golden/expressions.py, line by line. Arguments are limited so that no chain of them overflows, and relu's
 * kink is moved away from the zeros that differences of equal tensors have.
 */
const OPS: Readonly<Record<string, (x: Tensor, y: Tensor, k: number, axis: number) => Tensor | undefined>> = {
  add: (x, y) => (broadcasts(x, y) ? x.add(y) : undefined),
  sub: (x, y) => (broadcasts(x, y) ? x.sub(y) : undefined),
  mul: (x, y) => (broadcasts(x, y) ? x.mul(y.tanh()) : undefined),
  div: (x, y) => (broadcasts(x, y) ? x.div(y.mul(y).add(1)) : undefined),
  scale: (x, _, k) => x.mul(0.5 - 0.1 * (k % 7)),
  exp: (x) => x.tanh().exp(),
  log: (x) => x.mul(x).add(1).log(),
  relu: (x, _, k) => x.add(0.1 + 0.0173 * k).relu(),
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  gelu: (x) => x.gelu(),
  softmax: (x, _y, _k, axis) => (axis < 0 ? undefined : x.softmax(axis)),
  sum: (x, _, k, axis) => (axis < 0 ? undefined : x.sum(axis, k % 2 === 1)),
  mean: (x, _, k, axis) => (axis < 0 || k % 5 === 0 ? x.mean() : x.mean(axis, k % 2 === 1)),
  concat: (x, y, _, axis) => (axis >= 0 && sameShape(x.shape, y.shape) ? concat([x, y, x], axis) : undefined),
  slice: (x, _y, _k, axis) => (axis >= 0 && x.shape[axis]! > 1 ? x.slice(axis, 1) : undefined),
  permute: (x) => (x.shape.length > 1 ? x.permute(x.shape.map((_, i) => x.shape.length - 1 - i)) : undefined),
  reshape: (x) => x.reshape([-1]),
  matmul: (x, y) => {
    if (Math.min(x.shape.length, y.shape.length) < 2 || x.shape.at(-1) !== y.shape.at(-1)) return undefined;
    if (broadcastShape(x.shape.slice(0, -2), y.shape.slice(0, -2)) === undefined) return undefined;
    return x.matmul(y.transpose()).div(x.shape.at(-1)!);
  },
};

/** Names of the ops that a step may have. */
export const EXPRESSION_OPS = Object.keys(OPS);

function broadcasts(x: Tensor, y: Tensor): boolean {
  return broadcastShape(x.shape, y.shape) !== undefined;
}

/**
 * Record an expression.
 *
 * @returns its leaves by name, and a loss to which every tensor contributes: the sum of the means of their tanh
 */
export function recordExpression(
  program: Program,
  steps: readonly ExpressionStep[],
): { leaves: Record<string, Tensor>; loss: Tensor } {
  const leaves: Record<string, Tensor> = {};
  for (const [name, shape] of Object.entries(LEAVES)) {
    leaves[name] = program.input(name, shape, 'f32', { requiresGradient: true });
  }
  const tensors = Object.values(leaves);
  for (const { op, i, j, k } of steps) {
    const [x, y] = [tensors[i % tensors.length]!, tensors[j % tensors.length]!];
    const axis = x.shape.length === 0 ? -1 : k % x.shape.length;
    const result = OPS[op]!(x, y, k, axis);
    if (result !== undefined && result.size <= MAX_SIZE) tensors.push(result);
  }
  const loss = tensors.map((x) => x.tanh().mean()).reduce((sum, part) => sum.add(part));
  return { leaves, loss };
}
