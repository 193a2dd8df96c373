import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { draw, type Recording } from '../../bench/scalingPicture.js';

test('the picture of how a step scales shows the numbers that were measured: `npx tsx bench/scaling.ts none` draws it', () => {
  const recording = JSON.parse(readFileSync('bench/scaling.json', 'utf8')) as Recording;
  expect(draw(recording)).toBe(readFileSync('docs/scaling.svg', 'utf8'));
});
