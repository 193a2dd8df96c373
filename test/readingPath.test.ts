import { expect, test } from 'vitest';
import { linesOf, pathOf, without } from './support/readingPath.js';

// `npm run path` prints these. The aims were 900, 300 and 4,500 lines. The bounds are what is reached, and a few words.
const gelu = pathOf('gelu');

test('one op, from the call to the numbers', () => {
  expect(linesOf(gelu)).toBeGreaterThan(500);
  expect(linesOf(gelu)).toBeLessThanOrEqual(900);
  const files = ['src/engine/ops/gelu.ts', 'shaders/gelu.forward.wgsl', 'src/engine/program.ts', 'src/engine/plan.ts'];
  for (const file of files) expect([...gelu.keys()]).toContain(file);
  expect([...gelu.keys()].filter((file) => file.startsWith('shaders/gpu'))).toEqual([]);
});

test('what linear adds to that', () => {
  const linear = without(pathOf('linear'), gelu);
  expect(linesOf(linear)).toBeGreaterThan(150);
  expect(linesOf(linear)).toBeLessThanOrEqual(300);
  expect([...linear.keys()]).toContain('shaders/matmul.wgsl');
});

test('from bytes to the update', () => {
  const step = pathOf('step');
  expect(linesOf(step)).toBeGreaterThan(3000);
  expect(linesOf(step)).toBeLessThanOrEqual(4400);
  for (const file of ['src/train/trainer.ts', 'src/train/recordStep.ts', 'src/model/door.ts', 'shaders/adamW.wgsl']) {
    expect([...step.keys()]).toContain(file);
  }
});
