import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../../src/common/errors.js';
import { binaryTable } from '../../../src/engine/ops/binary.js';
import { unaryTable } from '../../../src/engine/ops/unary.js';
import { Program } from '../../../src/engine/program.js';
import { testDevice } from '../../support/device.js';

const program = new Program({ device: await testDevice() });

describe('worked examples', () => {
  test('functions of one number', async () => {
    const x = program.constant('x', [-1, 0, 1]);
    expect([...(await x.relu().value()).data]).toEqual([0, 0, 1]);
    expect((await x.exp().value()).data[2]).toBeCloseTo(Math.E, 5);
    expect((await x.exp().log().value()).data[0]).toBeCloseTo(-1, 5);
    expect((await x.sigmoid().value()).data[1]).toBe(0.5);
    expect((await x.tanh().value()).data[2]).toBeCloseTo(0.76159, 5);
  });

  test('functions of two: a row and a column make a table', async () => {
    const row = program.constant('row', [1, 2, 3]);
    const column = program.constant('column', [[10], [20]]);
    expect(`${await column.add(row).value()}`).toBe('[[11, 12, 13],\n [21, 22, 23]]');
    expect(`${await column.sub(row).value()}`).toBe('[[ 9,  8,  7],\n [19, 18, 17]]');
    expect(`${await column.mul(row).value()}`).toBe('[[10, 20, 30],\n [20, 40, 60]]');
    expect(`${await column.div(program.constant('row', [1, 2, 4])).value()}`).toBe(
      '[[ 10,   5, 2.5],\n [ 20,  10,   5]]',
    );
  });

  test('a number is taken as a tensor', async () => {
    expect([...(await program.constant('x', [1, 2]).mul(2).add(-1).value()).data]).toEqual([1, 3]);
  });

  test('a repeated tensor has the sum of the gradients of its repetitions', async () => {
    const program = new Program({ device: await testDevice() });
    const w = program.parameter('w', [3], { init: [1, 2, 3] });
    const x = program.constant('x', [[1, 10, 100], [2, 20, 200]]); // biome-ignore format: a table
    x.mul(w).sum().backward();
    expect([...(await w.grad!.value()).data]).toEqual([3, 30, 300]);
  });
});

describe('the kernels have the formulas of the tables, in their order', () => {
  const lines = (file: string) => readFileSync(`shaders/${file}.wgsl`, 'utf8').split('\n');
  /** The line of a row: "if (OP == 1u) { return log(x); } // log". */
  const find = (file: string, condition: string, formula: string, name: string) =>
    lines(file).filter((line) => line.trim() === `if (${condition}) { return ${formula}; } // ${name}`);

  test.each(Object.entries(unaryTable).map(([name, row], OP) => [name, OP, row] as const))('%s', (name, OP, row) => {
    expect(find('unary.forward', `OP == ${OP}u`, row.wgsl, name)).toHaveLength(1);
    expect(find('unary.backward', `OP == ${OP}u`, row.wgslDerivative, name)).toHaveLength(1);
  });

  test.each(Object.entries(binaryTable).map(([name, row], OP) => [name, OP, row] as const))('%s', (name, OP, row) => {
    expect(find('binary.forward', `OP == ${OP}u`, row.wgsl, name)).toHaveLength(1);
    for (const [side, formula] of row.wgslDerivatives.entries()) {
      if (formula === undefined) continue;
      expect(find('binary.backward', `OP == ${OP}u && SIDE == ${side}u`, formula, name)).toHaveLength(1);
    }
  });
});

describe('errors', () => {
  const x = program.input('x', [2, 3]);

  test('shapes that do not broadcast', () => {
    expect(() => x.add(program.input('b', [2]))).toThrow(
      new ShapeError('add', 'shapes must broadcast: aligned at the last axis, sizes must be equal or 1', {
        a: [2, 3],
        b: [2],
      }),
    );
  });

  test('more axes than the kernels have strides for', () => {
    const five = program.input('five', [1, 2, 1, 2, 3]);
    expect(five.mul(five).shape).toEqual([1, 2, 1, 2, 3]);
    expect(() => five.add(program.input('turned', [1, 2, 1, 3, 2]).transpose())).toThrow(
      'add: views, and shapes that differ, must have at most 4 axes',
    );
    expect(() => five.mul(x)).toThrow(
      'mul: views, and shapes that differ, must have at most 4 axes; got a [1, 2, 1, 2, 3], b [2, 3]',
    );
  });

  test('what is no tensor and no number', () => {
    expect(() => x.sub(undefined as never)).toThrow(new InputError('sub: b must be a tensor; got undefined'));
  });
});
