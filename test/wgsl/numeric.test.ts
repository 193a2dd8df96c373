import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BinaryOperator, ScalarName } from '../../src/wgsl/index.js';
import {
  binary,
  bitcast,
  bitsOf,
  componentwise,
  conversion,
  dotPacked,
  f16BitsOf,
  frexp,
  fromF16Bits,
  packing,
  unary,
  unpacking,
} from '../../src/wgsl/numeric.js';

const LEAST = -(2 ** 31);
const call = (name: string, type: ScalarName, ...values: number[]) => componentwise(name, type)!(...values);

describe('operators', () => {
  test.each<[number, BinaryOperator, number, ScalarName, number]>([
    [2147483647, '+', 1, 'i32', LEAST],
    [4294967295, '+', 1, 'u32', 0],
    [0, '-', 1, 'u32', 4294967295],
    [65537, '*', 65537, 'u32', 131073],
    [65537, '*', 65537, 'i32', 131073],
    [7, '/', 0, 'i32', 7],
    [7, '/', 0, 'u32', 7],
    [7, '%', 0, 'i32', 0],
    [LEAST, '/', -1, 'i32', LEAST],
    [LEAST, '%', -1, 'i32', 0],
    [-7, '/', 2, 'i32', -3],
    [-7, '%', 2, 'i32', -1],
    [4294967295, '/', 2, 'u32', 2147483647],
    [1, '<<', 33, 'u32', 2],
    [-8, '>>', 1, 'i32', -4],
    [4294967288, '>>', 1, 'u32', 2147483644],
    [4294967295, '&', 4026531840, 'u32', 4026531840],
    [-5.5, '%', 2, 'f32', -1.5],
    [16777216, '+', 1, 'f32', 16777216],
  ])('%d %s %d as %s is %d', (a, operator, b, type, expected) => {
    expect(binary(operator, type)(a, b)).toBe(expected);
  });

  test('the sign of zero, and the least i32', () => {
    expect(unary('-', 'f32')(0)).toBe(-0);
    expect(unary('-', 'i32')(0)).toBe(0);
    expect(unary('-', 'i32')(LEAST)).toBe(LEAST);
    expect(unary('~', 'u32')(0)).toBe(4294967295);
    expect(binary('%', 'i32')(-4, 2)).toBe(0);
  });

  test('an operator on a type that has none', () => {
    expect(() => binary('+', 'bool')).toThrow('+ is not defined on bool');
  });

  test('f32 keeps subnormals and rounds once', () => {
    fc.assert(
      fc.property(fc.float(), fc.float(), (a, b) => {
        const [sum, product] = [new Float32Array([a + b]), new Float32Array([a * b])];
        expect(binary('+', 'f32')(a, b)).toBe(sum[0]);
        expect(binary('*', 'f32')(a, b)).toBe(product[0]);
      }),
    );
    expect(binary('*', 'f32')(2 ** -126, 0.5)).toBe(2 ** -127);
  });
});

describe('conversions', () => {
  test.each<[number, ScalarName, ScalarName, number | boolean]>([
    [-1.9, 'f32', 'i32', -1],
    [-0.5, 'f32', 'i32', 0],
    [3e9, 'f32', 'i32', 2147483520],
    [-3e9, 'f32', 'i32', LEAST],
    [-1, 'f32', 'u32', 0],
    [5e9, 'f32', 'u32', 4294967040],
    [Number.NaN, 'f32', 'i32', 0],
    [-1, 'i32', 'u32', 4294967295],
    [4294967295, 'u32', 'i32', -1],
    [16777217, 'i32', 'f32', 16777216],
    [-0, 'f32', 'bool', false],
    [3, 'u32', 'bool', true],
  ])('%d from %s to %s is %s', (a, from, to, expected) => {
    expect(conversion(from, to)(a)).toBe(expected);
  });

  test('bitcast keeps the bits', () => {
    expect(bitcast('f32', 'u32')(1)).toBe(0x3f800000);
    expect(bitcast('i32', 'f32')(-1)).toBeNaN();
    expect(bitcast('f32', 'i32')(-0)).toBe(LEAST);
    fc.assert(fc.property(fc.integer(), (a) => bitcast('u32', 'i32')(bitcast('i32', 'u32')(a)) === a));
  });
});

describe('componentwise builtins', () => {
  test.each<[string, ScalarName, number[], number]>([
    ['abs', 'i32', [LEAST], LEAST],
    ['sign', 'f32', [-0], 0],
    ['sign', 'i32', [-7], -1],
    ['round', 'f32', [2.5], 2],
    ['round', 'f32', [-1.5], -2],
    ['fract', 'f32', [-1.25], 0.75],
    ['trunc', 'f32', [-1.75], -1],
    ['saturate', 'f32', [7], 1],
    ['clamp', 'f32', [5, 3, 1], 1],
    ['clamp', 'i32', [-5, -3, 9], -3],
    ['step', 'f32', [1, 1], 1],
    ['mix', 'f32', [2, 4, 0.25], 2.5],
    ['smoothstep', 'f32', [0, 2, 1], 0.5],
    ['fma', 'f32', [16777216, 1, 1], 16777216],
    ['inverseSqrt', 'f32', [4], 0.5],
    ['degrees', 'f32', [Math.fround(Math.PI)], 180],
    ['ldexp', 'f32', [0.75, 3], 6],
    ['ldexp', 'f32', [1, -149], 2 ** -149],
    ['quantizeToF16', 'f32', [2049], 2048],
    ['countOneBits', 'i32', [-1], 32],
    ['countLeadingZeros', 'u32', [1], 31],
    ['countTrailingZeros', 'u32', [0], 32],
    ['reverseBits', 'u32', [1], 2147483648],
    ['firstLeadingBit', 'i32', [-1], -1],
    ['firstLeadingBit', 'i32', [-2], 0],
    ['firstLeadingBit', 'u32', [0], 4294967295],
    ['firstTrailingBit', 'u32', [8], 3],
    ['firstTrailingBit', 'i32', [0], -1],
    ['extractBits', 'i32', [0xf0, 4, 4], -1],
    ['extractBits', 'u32', [0xf0, 4, 4], 15],
    ['extractBits', 'u32', [5, 32, 1], 0],
    ['insertBits', 'u32', [0, 0xff, 4, 4], 0xf0],
    ['insertBits', 'u32', [5, 7, 0, 32], 7],
  ])('%s of %s %j is %d', (name, type, values, expected) => {
    expect(call(name, type, ...values)).toBe(expected);
  });

  test('min and max as b < a ? b : a and a < b ? b : a', () => {
    expect(call('min', 'f32', 0, -0)).toBe(0);
    expect(call('max', 'f32', -0, 0)).toBe(-0);
    expect(call('min', 'f32', 1, Number.NaN)).toBe(1);
    expect(call('max', 'f32', Number.NaN, 1)).toBeNaN();
  });

  test('exp, log and tanh are the recipes of math.ts', () => {
    expect(call('exp', 'f32', 0)).toBe(1);
    expect(call('log', 'f32', 1)).toBe(0);
    expect(call('pow', 'f32', 2, 10)).toBe(1024);
    expect(call('tanh', 'f32', 20)).toBe(1);
  });

  test('frexp and its inverse', () => {
    expect(frexp(6)).toEqual([0.75, 3]);
    expect(frexp(2 ** -149)).toEqual([0.5, -148]);
    expect(frexp(0)).toEqual([0, 0]);
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const [fraction, exponent] = frexp(x);
        expect(call('ldexp', 'f32', fraction, exponent)).toBe(x);
      }),
    );
  });
});

describe('packing', () => {
  test('every f16 survives', () => {
    const numbers = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => !Number.isNaN(fromF16Bits(bits)));
    expect(numbers.filter((bits) => f16BitsOf(fromF16Bits(bits)) !== bits)).toEqual([]);
    expect(f16BitsOf(65520)).toBe(0x7c00);
    expect(f16BitsOf(Number.NaN) & 0x7fff).toBe(0x7e00);
  });

  test('components start at the lowest bits', () => {
    expect(packing('pack4xU8')!([1, 2, 3, 4])).toBe(0x04030201);
    expect(packing('pack4xI8Clamp')!([-300, 300, -1, 0])).toBe(0x00ff7f80);
    expect(unpacking('unpack4xI8')!(0x04fd02ff)).toEqual([-1, 2, -3, 4]);
    expect(packing('pack2x16snorm')!([-1, 1])).toBe(0x7fff8001);
    expect(unpacking('unpack2x16snorm')!(0x7fff8000)).toEqual([-1, 1]);
    expect(unpacking('unpack4x8unorm')!(0xff000000)).toEqual([0, 0, 0, 1]);
    expect(packing('pack2x16float')!([1, -2.5])).toBe(0xc1003c00);
    expect(packing('abs')).toBeUndefined();
  });

  test('products of packed bytes', () => {
    expect(dotPacked('dot4I8Packed')(0xff010203, 0x01010101)).toBe(5);
    expect(dotPacked('dot4U8Packed')(0xff010203, 0x01010101)).toBe(261);
  });

  test('bits of values', () => {
    expect(bitsOf(-1, 'i32')).toBe(4294967295);
    expect(bitsOf(true, 'bool')).toBe(1);
  });
});
