import { expect, it } from 'vitest';
import { VALIDATION_PARTS, withPart } from '../../../src/train/windows/split.js';
import type { Window, WindowSource } from '../../../src/train/windows/window.js';

const source = (count: number): WindowSource => ({
  kind: 'text',
  name: 'numbers',
  size: { prefix: 0, stream: 1 },
  trainCount: 1,
  validationCount: count,
  sample: () => windowOf(0),
  validation: windowOf,
  describe: () => 'numbers',
});

function windowOf(at: number): Window {
  const info = { source: 'numbers', at, parts: { prefix: [], stream: [] } };
  return { kind: 'text', prefix: new Uint32Array(), stream: Uint32Array.of(at), weights: Float32Array.of(1), info };
}

it.each([0, 1, 2, 7, 500])('even and odd windows of %i are all of them, none twice', (count) => {
  const numbers = VALIDATION_PARTS.map((part) => {
    const { validationCount, validation } = withPart(source(count), part);
    return Array.from({ length: validationCount }, (_, i) => validation(i).info.at);
  });
  const [all, even, odd] = numbers as [number[], number[], number[]];
  expect(all).toEqual([...Array(count).keys()]);
  expect(even).toEqual(all.filter((n) => n % 2 === 0));
  expect(odd).toEqual(all.filter((n) => n % 2 === 1));
});
