import { expect, it } from 'vitest';
import { Spikes } from '../../../src/train/run/spikes.js';

it('a loss more than six deviations above those before is a spike, for its own kind only', () => {
  const spikes = new Spikes();
  // 4 and 2 in turn: mean 3, deviation 1
  for (let i = 0; i < 20; i++) expect(spikes.add('text', i % 2 === 0 ? 4 : 2)).toBeUndefined();
  expect(spikes.add('audio', 100)).toBeUndefined();
  expect(spikes.add('text', 8.9)).toBeUndefined();
  const again = new Spikes();
  for (let i = 0; i < 20; i++) again.add('text', i % 2 === 0 ? 4 : 2);
  expect(again.add('text', 10)).toBeCloseTo(7, 10);
});

it('gives no verdict before twenty losses, and forgets those before the last hundred', () => {
  const spikes = new Spikes();
  for (let i = 0; i < 19; i++) spikes.add('text', i % 2);
  expect(spikes.add('text', 1000)).toBeUndefined();
  for (let i = 0; i < 100; i++) spikes.add('text', i % 2);
  expect(spikes.add('text', 10)).toBeGreaterThan(6);
});
