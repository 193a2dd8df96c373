import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { merged, type PeerResults } from '../../bench/peers/results.js';

const results = JSON.parse(readFileSync('bench/peers/results.json', 'utf8')) as PeerResults;

test('a new measurement takes the place of the one of the same workload and device, and leaves the others', () => {
  for (const [key, result] of Object.entries(results)) {
    const again = merged(results, { ...result, load: 99 });
    expect(again).toEqual({ ...results, [key]: { ...result, load: 99 } });
    expect(Object.keys(again)).toEqual(Object.keys(results));
  }
});

test('every library did the same work: its losses are ours', () => {
  for (const { rows } of Object.values(results)) {
    for (const { name, difference } of rows) expect(difference, name).toBeLessThan(1e-3);
  }
});
