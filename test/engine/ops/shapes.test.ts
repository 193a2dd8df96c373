import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../../src/common/errors.js';
import { concat } from '../../../src/engine/ops/concat.js';
import { Program } from '../../../src/engine/program.js';
import { testDevice } from '../../support/device.js';

const program = new Program({ device: await testDevice() });
const x = program.constant('x', [[1, 2, 3], [4, 5, 6]]); // biome-ignore format: a table

describe('worked examples', () => {
  test('sum and mean over an axis or over all', async () => {
    expect([...(await x.sum(0).value()).data]).toEqual([5, 7, 9]);
    expect([...(await x.sum(-1).value()).data]).toEqual([6, 15]);
    expect((await x.sum().value()).item()).toBe(21);
    expect((await x.mean().value()).item()).toBe(3.5);
    expect((await x.mean(1, true).value()).shape).toEqual([2, 1]);
  });

  test('softmax: shares that sum to 1, along any axis', async () => {
    expect(
      [
        ...(
          await program
            .constant('x', [[0, Math.log(3)]])
            .softmax()
            .value()
        ).data,
      ][1],
    ).toBeCloseTo(0.75, 6);
    for (const axis of [0, 1, -1, -2]) {
      for (const total of (await x.softmax(axis).sum(axis).value()).data) expect(total).toBeCloseTo(1, 6);
    }
  });

  test('softmax: a score of -1e9 has a share of 0', async () => {
    expect([...(await program.constant('x', [1, -1e9]).softmax().value()).data]).toEqual([1, 0]);
  });

  test('slice and concat undo each other', async () => {
    const parts = [x.slice(1, 0, 1), x.slice(1, 1, -1), x.slice(1, -1)];
    expect(parts.map(({ shape }) => shape)).toEqual([
      [2, 1],
      [2, 1],
      [2, 1],
    ]);
    expect((await concat(parts, -1).value()).data).toEqual((await x.value()).data);
    expect([...(await concat([x, x.slice(0, 1)]).value()).data]).toEqual([1, 2, 3, 4, 5, 6, 4, 5, 6]);
  });

  test('batches of matrices: one for all, and one each', async () => {
    const a = x.reshape([2, 1, 3]);
    const one = program.constant('one', [[1], [0], [0]]);
    expect([...(await a.matmul(one).value()).data]).toEqual([1, 4]);
    const each = program.constant('each', [[[1], [0], [0]], [[0], [0], [1]]]); // biome-ignore format: two columns
    const y = await a.matmul(each).value();
    expect(y.shape).toEqual([2, 1, 1]);
    expect([...y.data]).toEqual([1, 6]);
  });

  test('expand repeats, and reshape works -1 out', async () => {
    const row = program.constant('row', [1, 2]).expand([2, 2]);
    expect([...(await row.value()).data]).toEqual([1, 2, 1, 2]);
    expect([...(await row.matmul(row).value()).data]).toEqual([3, 6, 3, 6]); // a repeated view is not a transposed one
    expect(x.reshape([3, -1]).shape).toEqual([3, 2]);
  });
});

describe('errors', () => {
  test('an axis that is not there', () => {
    const rule = 'axis must be a whole number from -2 to 1, not 2';
    expect(() => x.sum(2)).toThrow(new ShapeError('sum', rule, { x: [2, 3] }));
    expect(() => x.mean(2)).toThrow(new ShapeError('mean', rule, { x: [2, 3] }));
    expect(() => x.softmax(2)).toThrow(new ShapeError('softmax', rule, { x: [2, 3] }));
    expect(() => x.slice(2, 0)).toThrow(new ShapeError('slice', rule, { x: [2, 3] }));
    expect(() => concat([x, x], 2)).toThrow(new ShapeError('concat', rule, { x: [2, 3] }));
  });

  test('a slice outside its axis, or backwards', () => {
    expect(() => x.slice(1, 1, 4)).toThrow(
      'slice: start (1) and end (4) must be within axis 1, in order; got x [2, 3]',
    );
    expect(() => x.slice(1, 2, 1)).toThrow('slice: start (2) and end (1)');
    expect(() => x.slice(1, 0.5)).toThrow('slice: start (0.5)');
  });

  test('concat of tensors that differ elsewhere, or of none', () => {
    expect(() => concat([x, x.transpose()])).toThrow('concat: all axes but 0 must be equal; got x0 [2, 3], x1 [3, 2]');
    expect(() => concat([])).toThrow(new InputError('concat: takes a list of at least one tensor; got undefined'));
  });

  test('matrices that do not fit', () => {
    const batch = program.input('batch', [4, 2, 3]);
    expect(() => batch.matmul(x)).toThrow(
      'matmul: a must be [..., M, K] and b [..., K, N], with leading axes that broadcast; got a [4, 2, 3], b [2, 3]',
    );
    expect(() => batch.matmul(program.input('three', [3, 3, 2]))).toThrow('got a [4, 2, 3], b [3, 3, 2]');
    expect(() => x.matmul(program.input('row', [3]))).toThrow('matmul: a and b must be matrices; got a [2, 3], b [3]');
    const five = program.input('five', [1, 1, 1, 2, 3]);
    expect(() => five.matmul(five.transpose())).toThrow('matmul: takes at most 4 axes');
  });

  test('what cannot be repeated', () => {
    expect(() => x.expand([4, 3])).toThrow('expand: missing axes and those of size 1 can be repeated, and no others');
    expect(() => x.expand([3])).toThrow('got from [2, 3], to [3]');
  });
});
