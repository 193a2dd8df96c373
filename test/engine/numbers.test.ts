import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { fromNested, Numbers, toData } from '../../src/engine/numbers.js';
import { Program } from '../../src/engine/program.js';

describe('numbers print themselves', () => {
  test.each<[readonly number[], readonly number[], string]>([
    [[], [1.5], '1.5'],
    [[3], [1, -2, 0.123456789], '[1, -2, 0.12346]'],
    [[2, 2], [1, 10, 100, 1], '[[  1,  10],\n [100,   1]]'],
    [[1, 2, 1], [1, 2], '[[[1],\n  [2]]]'],
    [[0], [], '[]'],
    [[20], Array.from({ length: 20 }, (_, i) => i), '[0, 1, 2, …, 17, 18, 19]'],
  ])('%j', (shape, data, text) => {
    const numbers = new Numbers(shape, Float32Array.from(data));
    expect(`${numbers}`).toBe(text);
    expect((numbers as unknown as Record<symbol, () => string>)[Symbol.for('nodejs.util.inspect.custom')]!()).toBe(
      text,
    );
  });

  test('item is the only number', () => {
    expect(new Numbers([1, 1], Float32Array.of(7)).item()).toBe(7);
    expect(() => new Numbers([2], Float32Array.of(7, 8)).item()).toThrow('item: needs exactly one number; got x [2]');
  });
});

describe('nested lists', () => {
  test('have a shape and row-major numbers', () => {
    expect(fromNested('x', [[1, 2], [3, 4], [5, 6]])).toEqual({ shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }); // biome-ignore format: a table
    expect(fromNested('x', 7)).toEqual({ shape: [], data: Float32Array.of(7) });
    expect(fromNested('x', [])).toEqual({ shape: [0], data: new Float32Array(0) });
  });

  test('that are ragged, or hold something else, are refused', () => {
    expect(() => fromNested('x', [[1, 2], [3]])).toThrow(
      new InputError('x: every part must be like the first: a list of 2; got a list of 1'),
    );
    expect(() => fromNested('x', [1, [2]])).toThrow('x: every part must be like the first: a number; got a list of 1');
    expect(() => fromNested('x', [1, 'a' as never])).toThrow('a number; got String');
  });

  test('become ids where ids are wanted', () => {
    expect(toData('ids', [2], 'u32', [3, 4])).toEqual(Uint32Array.of(3, 4));
    expect(() => toData('ids', [2], 'u32', [3, -4])).toThrow('ids: ids must be whole numbers of at least 0; got -4');
    expect(() => toData('x', [2], 'f32', [[1, 2]])).toThrow('x: numbers must have the shape of their tensor');
  });

  test('of a parameter must fill it', () => {
    const program = new Program();
    expect(() => program.parameter('w', [2], { init: [1, 2, 3] })).toThrow('parameter w: numbers must have the shape');
    expect(() => program.parameter('w', [2], { init: new Float32Array(3) })).toThrow(
      'parameter w: init takes 2 f32 numbers; got 3 in a Float32Array',
    );
  });
});
