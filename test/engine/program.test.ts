import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/common/errors.js';
import { normals } from '../../src/common/random.js';
import { sizeOf, stridesOf } from '../../src/common/shape.js';
import type { Op } from '../../src/engine/op.js';
import { addInto } from '../../src/engine/ops/addInto.js';
import { add } from '../../src/engine/ops/binary.js';
import { crossEntropy } from '../../src/engine/ops/crossEntropy.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { layerNorm } from '../../src/engine/ops/layerNorm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { matmul } from '../../src/engine/ops/matmul.js';
import { rotary, rotaryIntoCaches, rotaryTable } from '../../src/engine/ops/rotary.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { permutedShapes } from '../support/arbitraries.js';
import { testDevice } from '../support/device.js';
import { evaluate } from '../support/evaluate.js';

/** The numbers of a permuted array, copied out in plain loops. */
function permuted(data: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const from = stridesOf(shape);
  const to = axes.map((axis) => shape[axis]!);
  const strides = stridesOf(to);
  return Float32Array.from({ length: data.length }, (_, i) => {
    let at = 0;
    to.forEach((size, axis) => {
      at += (Math.floor(i / strides[axis]!) % size) * from[axes[axis]!]!;
    });
    return data[at]!;
  });
}

describe('views', () => {
  test('an op on a permuted view agrees with the op on a contiguous copy', async () => {
    const device = await testDevice();
    await fc.assert(
      fc.asyncProperty(permutedShapes(), async ({ shape, axes }) => {
        const data = normals(7, 'x', sizeOf(shape));
        const copy = { shape: axes.map((axis) => shape[axis]!), data: permuted(data, shape, axes) };
        const viewed = await evaluate(device, { x: { shape, data } }, ({ x }) => gelu(x.permute(axes)));
        expect(viewed).toEqual(await evaluate(device, { copy }, ({ copy }) => gelu(copy)));
      }),
      { numRuns: 20 },
    );
  });

  test('reshape and permute of contiguous tensors record nothing that runs', () => {
    const program = new Program();
    const x = program.input('x', [2, 6]);
    const y = x.reshape([3, 4]).transpose();
    expect(y.storage).toBe(x.storage);
    expect(y.shape).toEqual([4, 3]);
    expect(y.strides).toEqual([1, 4]);
    expect(program.entries.map(({ op }) => op.name)).toEqual(['reshape', 'permute']);
  });

  test('a strided view is copied before it is reshaped', () => {
    const program = new Program();
    const x = program.input('x', [2, 6]).transpose().reshape([12]);
    expect(x.isContiguous).toBe(true);
    expect(program.entries.map(({ op }) => op.name)).toEqual(['permute', 'contiguous', 'reshape']);
  });
});

describe('gradients through views of a parameter', () => {
  /** d y / d W weighted by random numbers, W being [6, 7] and x [3, 7]. */
  async function gradient(kind: 'parameter' | 'input', body: (W: Tensor, x: Tensor) => Tensor) {
    const program = new Program();
    const x = program.input('x', [3, 7]);
    const W =
      kind === 'parameter'
        ? program.parameter('W', [6, 7])
        : program.input('W', [6, 7], 'f32', { requiresGradient: true });
    const y = body(W, x);
    const dY = program.input('dY', y.shape);
    program.backward([[y, dY]]);
    const dW = program.contiguous(program.gradientOf(W)!);
    const plan = await Plan.compile(program, await testDevice(), { keep: [dW] });
    for (const tensor of [x, W, dY]) plan.write(tensor, normals(7, tensor.label, tensor.size));
    await plan.replay();
    const numbers = await plan.read(dW);
    plan.free();
    return numbers;
  }

  test.each<[string, (W: Tensor, x: Tensor) => Tensor]>([
    ['transposed', (W, x) => matmul(x, W.transpose())],
    ['reshaped', (W) => gelu(W.reshape([42]))],
    ['reshaped twice, and added into', (W, x) => linear(x, W.reshape([7, 6]).reshape([6, 7]), biasOf(x.program))],
    ['used as it is, too', (W, x) => add(matmul(x, W.transpose()), linear(x, W, biasOf(x.program)))],
  ])('%s: the same as of an input', async (_, body) => {
    const expected = await gradient('input', body);
    expect(expected.some((value) => value !== 0)).toBe(true);
    expect(await gradient('parameter', body)).toEqual(expected);
  });

  const biasOf = (program: Program) => program.constant('bias', [6], new Float32Array(6));
});

test('a total that an op adds into belongs to one tensor, also where add hands it on to two', async () => {
  const device = await testDevice();
  const program = new Program();
  const [a, b] = ['a', 'b'].map((label) => program.input(label, [2, 2], 'f32', { requiresGradient: true }));
  const x = program.constant('x', [1, 2], Float32Array.of(1, 10));
  const copy = gelu(a!); // visited last in reverse mode
  const y = linear(x, add(a!, b!), program.constant('bias', [2], new Float32Array(2)));
  const one = program.constant('dY', [1, 2], Float32Array.of(1, 1));
  program.backward([
    [y, one],
    [copy, program.constant('dCopy', [2, 2], new Float32Array(4).fill(100))],
  ]);
  const plan = await Plan.compile(program, device, { keep: 'all' });
  for (const input of [a!, b!]) plan.write(input, new Float32Array(4));
  await plan.replay();
  // y = (a + b) x, so each row of dB is x; dA has 100 · gelu'(0) = 50 more.
  expect([...(await plan.read(program.gradientOf(b!)!))]).toEqual([1, 10, 1, 10]);
  expect([...(await plan.read(program.gradientOf(a!)!))]).toEqual([51, 60, 51, 60]);
  plan.free();
});

describe('errors', () => {
  const program = new Program();
  const x = program.input('x', [2, 6]);

  test('a reshape that changes the number of elements', () => {
    expect(() => x.reshape([5])).toThrow(
      new ShapeError('reshape', 'the number of elements must stay the same', { from: [2, 6], to: [5] }),
    );
  });

  test('axes named twice', () => {
    expect(() => x.permute([0, 0])).toThrow('permute: axes must name every axis once; got x [2, 6], axes [0, 0]');
  });

  test('a view of more axes than can be copied', () => {
    const wide = new Program().input('wide', [1, 2, 3, 4, 5]);
    expect(() => gelu(wide.transpose())).toThrow(
      new ShapeError('contiguous', 'a strided view must have at most 4 axes', { wide: [1, 2, 3, 5, 4] }),
    );
  });

  test('a tensor of another program names the op and the tensor', () => {
    const other = new Program().input('stranger', [2, 6]);
    expect(() => add(x, other)).toThrow(
      new InputError('add: stranger [2, 6] belongs to another program; record both ops in one program'),
    );
  });

  test('a strided view to be written in place', () => {
    const total = program.state('total', [6, 2]).transpose();
    expect(() => program.record(addInto, [x], {}, [total])).toThrow(
      new InputError('addInto: total [2, 6] is a strided view; y is written in place'),
    );
  });

  test('one tensor as two things that are written in place', () => {
    const program = new Program();
    const qkv = program.input('qkv', [1, 2, 12]);
    const table = program.constant('table', [2, 2], rotaryTable(2, 2));
    const position = program.constant('position', [1], new Uint32Array(1));
    const cache = program.state('cache', [1, 2, 2, 2]);
    expect(() => rotaryIntoCaches(qkv, table, position, 2, { k: cache, v: cache })).toThrow(
      new InputError('rotary.intoCache: k and v are both cache; a tensor written in place must be distinct'),
    );
    expect(() => program.record(addInto, [cache], {}, [cache])).toThrow('addInto: y and x are both cache');
  });

  test('a target of another program, or of ids', () => {
    const into = (target: Tensor) => () => program.record(addInto, [x], {}, [target]);
    expect(into(new Program().state('stranger', [2, 6]))).toThrow(
      'addInto: stranger [2, 6] belongs to another program',
    );
    expect(into(program.state('ids', [2, 6], 'u32'))).toThrow('addInto: y must be f32, not u32; got y [2, 6]');
  });

  test('a loss of more than one number', () => {
    expect(() => program.backward(x)).toThrow('backward: the loss must be one number; got loss [2, 6]');
  });

  test('a parameter declared twice', () => {
    const program = new Program();
    program.parameter('weight', [2]);
    expect(() => program.parameter('weight', [2])).toThrow('parameter weight exists already');
  });
});

describe('a loss without a gradient', () => {
  /** `y = x`, as somebody might write it who wants no gradient, or forgot it. */
  const copy = (x: Tensor, more: Pick<Op, 'backward'> = {}): Tensor => {
    const op: Op = {
      name: 'copy',
      formula: 'y = x',
      inputs: ['x'],
      outputs: ['y'],
      shape: ([x]) => [{ shape: x!.shape }],
      reference: ([x]) => [x!.data],
      dispatches: () => [],
      ...more,
    };
    return x.program.record(op, [x], {})[0]!;
  };

  test('is refused if a parameter precedes an op without backward, with or without other dependencies', () => {
    const program = new Program();
    const [a, b] = ['a', 'b'].map((name) => program.parameter(name, [1]));
    const loss = add(gelu(copy(gelu(a!))), b!);
    expect(() => program.backward(loss)).toThrow(
      new InputError(
        'backward: the loss depends on gelu.forward y [1] through copy, which has no backward; give the op one, ' +
          'an empty one where no gradient should flow',
      ),
    );
    expect(program.gradientOf(b!)).toBeUndefined(); // nothing was recorded
  });

  test('is recorded where that op says that no gradient flows', () => {
    const program = new Program();
    const [a, b] = ['a', 'b'].map((name) => program.parameter(name, [1]));
    program.backward(add(copy(a!, { backward: () => {} }), b!));
    expect(program.gradientOf(a!)).toBeUndefined();
    expect(program.gradientOf(b!)).toBeDefined();
  });

  test('is recorded if such an op is not on the path to the loss', () => {
    const program = new Program();
    const a = program.parameter('a', [1]);
    const loss = gelu(a);
    copy(loss); // somebody's statistics
    program.backward(loss);
    expect(program.gradientOf(a)).toBeDefined();
  });

  test('is refused where a parameter is an input that the op has no gradient by', () => {
    const program = new Program();
    const weights = program.parameter('weights', [1]);
    const ids = program.constant('ids', [1], new Uint32Array(1));
    expect(() => program.backward(crossEntropy(program.parameter('logits', [1, 3]), ids, weights).loss)).toThrow(
      new InputError('crossEntropy: there is no gradient by weights; weights [1] wants one'),
    );
    const other = new Program();
    const { q } = rotary(
      other.parameter('qkv', [1, 1, 6]),
      other.parameter('table', [1, 2]),
      other.constant('position', [1], new Uint32Array(1)),
      1,
    );
    expect(() => other.backward([[q, other.input('dQ', q.shape)]])).toThrow(
      new InputError('rotary: there is no gradient by table; table [1, 2] wants one'),
    );
  });

  test('is refused where it depends on no parameter', () => {
    const program = new Program();
    program.parameter('unused', [1]);
    expect(() => program.backward(gelu(program.input('x', [1])))).toThrow(
      new InputError('backward: gelu.forward y [1] depends on no parameter, so there is no gradient to record'),
    );
  });

  test('is refused a second time: gradients would count twice', () => {
    const program = new Program();
    const loss = gelu(program.parameter('a', [1]));
    program.backward(loss);
    expect(() => program.backward(loss)).toThrow('backward: this program has its gradients already');
  });
});

test('a parameter in two places of one op has the sum of their gradients', async () => {
  const program = new Program();
  const w = program.parameter('w', [2]);
  const y = layerNorm(program.constant('x', [1, 2], Float32Array.of(-1, 1)), w, w, 0);
  program.backward([[y, program.constant('dY', [1, 2], Float32Array.of(1, 10))]]);
  const plan = await Plan.compile(program, await testDevice());
  // y = x̂ ⊙ w + w and x̂ = [-1, 1], so dW = dY ⊙ x̂ + dY.
  for (const times of [1, 2]) {
    await plan.replay({ accumulate: times > 1 });
    expect([...(await plan.read(program.gradientOf(w)!))]).toEqual([0, times * 20]);
  }
  plan.free();
});

test('a tensor prints as one line, and not as its program', () => {
  const program = new Program();
  const ids = program.input('ids', [2, 3], 'u32');
  expect(inspect(ids)).toBe('Tensor(ids [2, 3], u32 input)');
  expect(inspect({ y: program.scope('mlp', () => gelu(program.state('total', []))) })).toBe(
    '{ y: Tensor(mlp gelu.forward y [], f32 activation) }',
  );
});

test('entries know their scope, and gradients the entry they differentiate', () => {
  const program = new Program();
  const x = program.input('x', [4], 'f32', { requiresGradient: true });
  const y = program.scope('mlp', () => gelu(x));
  program.backward([[y, program.input('dY', [4])]]);
  const [forward, backward] = program.entries;
  expect(forward!.scope).toBe('mlp');
  expect(backward!.op.name).toBe('gelu.backward');
  expect(backward!.scope).toBe('mlp');
  expect(backward!.forward).toBe(forward);
});
