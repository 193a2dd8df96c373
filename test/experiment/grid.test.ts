import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readGrid } from '../../src/experiment/grid.js';

const grid = (changes: object = {}) =>
  readGrid({ name: 'g', arms: ['zero', 'bytes'], seeds: [0, 1], steps: 10, ...changes }, 'g.json');

describe('readGrid', () => {
  it('lays out arms × K × seeds × steps, what is compared one after another', () => {
    const { cells } = grid({ K: [2, 4], steps: [10, 20] });
    expect(cells.length).toBe(16);
    expect(cells.map(({ index }) => index)).toEqual([...Array(16).keys()]);
    const words = cells.map(({ arm, K, seed, steps }) => `${arm} ${K} ${seed} ${steps}`);
    expect(words.slice(0, 5)).toEqual(['zero 2 0 10', 'bytes 2 0 10', 'zero 2 0 20', 'bytes 2 0 20', 'zero 4 0 10']);
    expect(new Set(cells.map(({ id }) => id)).size).toBe(16);
    expect(cells[0]!.options).toMatchObject({ door: 'zero', K: 2, seed: 0, steps: 10 });
  });

  it('names a cell by what decides its end, and by nothing else', () => {
    const id = (changes: object = {}) => grid(changes).cells[0]!.id;
    expect(id()).toMatch(/^[0-9a-f]{12}$/);
    expect(id({ settings: { saveEvery: 7, keep: 1, strict: true } })).toBe(id());
    expect(id({ arms: ['zero'], seeds: 0 })).toBe(id());
    expect(id({ K: 4 })).toBe(id()); // what the size has anyway
    expect(id({ settings: { batch: 8, strict: false } })).toBe(id()); // what is so anyway
    expect(id({ settings: { lr: 1e-3 } })).not.toBe(id());
    expect(id({ settings: { batch: 9 } })).not.toBe(id());
    expect(id({ arms: [{ door: 'zero', channels: ['dxor'] }] })).not.toBe(id());
  });

  it('names arms by door and channels', () => {
    const arms = ['zero', { door: 'zero', channels: ['dxor', 'phase'] }, { name: 'mine', door: 'random' }];
    expect(grid({ arms }).arms.map(({ name }) => name)).toEqual(['zero', 'zero:dxor,phase', 'mine']);
  });

  it('gives each arm its own learning rate, start and scale, or each of several rates', () => {
    const arms = ['zero', { door: 'bytes', lr: 0.004, doorDeviation: 0.1, doorScale: 2 }];
    const [zero, bytes] = grid({ arms, seeds: 3 }).cells;
    expect([zero!.lr, bytes!.lr]).toEqual([0.002, 0.004]);
    expect(bytes!.options).toMatchObject({ lr: 0.004, doorDeviation: 0.1 });
    expect(bytes!.decoder).toMatchObject({ doorScale: 2 });
    const { cells, tunesRate } = grid({ lr: [0.001, 0.004], seeds: 3 });
    expect(cells.map(({ arm, lr }) => `${arm} ${lr}`)).toEqual([
      'zero 0.001',
      'bytes 0.001',
      'zero 0.004',
      'bytes 0.004',
    ]);
    expect([tunesRate, grid().tunesRate]).toEqual([true, false]);
    expect(() => grid({ arms, lr: [0.001] })).toThrow('g.json: give lr to the grid or to its arms, not both');
  });

  it('draws a table of permuted and random values for each seed', () => {
    const { cells } = grid({ arms: ['permuted', 'random', 'zero'], seeds: [4, 5] });
    expect(cells.map(({ decoder }) => decoder.tableSeed)).toEqual([4, 4, undefined, 5, 5, undefined]);
  });

  it.each<[string, object, string]>([
    [
      'an unknown arm',
      { arms: ['zero', 'wide'] },
      'g.json: arms[1].door: no door is called "wide"; there are zero, zero-scaled, projected, bytes, bytes-untied, ',
    ],
    [
      'an unknown door',
      { arms: [{ door: 'wide' }] },
      'g.json: arms[0].door: no door is called "wide"; there are zero,',
    ],
    [
      'an unknown channel group',
      { arms: [{ door: 'zero', channels: ['dxor', 'hue'] }] },
      'g.json: arms[0].channels[1]: no channel group is called "hue"; there are bits, dxor, d2xor,',
    ],
    ['an arm without a door', { arms: [{}] }, 'g.json: arms[0].door: a door is needed; there are zero,'],
    ['an arm that is no name', { arms: [3] }, 'g.json: arms[0]: must be an object'],
    [
      'what is no grid',
      { name: 'a b', seeds: -1 },
      'g.json: name: must be letters, digits, - and _\ng.json: seeds[0]: ',
    ],
    ['no arms', { arms: [] }, 'arms'],
    ['no seeds', { seeds: [] }, 'g.json: seeds: must not be empty'],
    [
      'more cells than a grid has',
      {
        arms: ['zero'],
        seeds: Array.from({ length: 200 }, (_, i) => i),
        steps: Array.from({ length: 51 }, (_, i) => i + 1),
      },
      'g.json: 10,200 cells; a grid has 10,000 at most',
    ],
    ['a seed that is none', { seeds: [0, -1] }, 'g.json: seeds[1]: must be at least 0'],
    ['a seed twice', { seeds: [1, 1] }, 'a number occurs twice'],
    ['an arm twice', { arms: ['zero', { door: 'zero' }] }, 'two arms are called zero'],
    ['no steps', { steps: undefined }, 'g.json: steps: is missing'],
    ['an unknown key', { doors: [] }, 'g.json: unknown name "doors"'],
    ['an unknown setting', { settings: { batches: 3 } }, 'settings.batches is no option of train'],
    ['a setting of the grid', { settings: { seed: 3 } }, 'settings.seed is set by the grid itself'],
    ['a setting of a wrong type', { settings: { batch: 'many' } }, 'batch'],
    [
      'a K that does not fit',
      { K: 5 },
      'g.json: arm zero: K·27 must be at most dim; got K 5, so 135 > dim 128. The largest K for this dim is 4',
    ],
    [
      'channels of a door that has none',
      { arms: [{ door: 'bytes', channels: ['dxor'] }] },
      'g.json: arm bytes:dxor: channels: the bytes door has none',
    ],
  ])('refuses %s', (_, changes, message) => {
    expect(() => grid(changes)).toThrow(message);
    expect(() => grid(changes)).toThrow('g.json: ');
  });

  it.each(readdirSync('grids').filter((name) => name.endsWith('.json')))('takes the shipped %s', (name) => {
    const { cells, name: called } = readGrid(JSON.parse(readFileSync(`grids/${name}`, 'utf8')), name);
    expect(`${called}.json`).toBe(name);
    expect(cells.length).toBeGreaterThan(0); // rates-beyond has one
  });
});
