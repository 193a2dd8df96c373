import { expect, test } from 'vitest';
import type { AdapterProfile } from '../../src/engine/kernel.js';
import { kernelsFor, kernelsOf, kernelTable } from '../../src/engine/kernelTable.js';
import { registry } from '../../src/engine/ops/index.js';
import { shaderNames } from '../support/shaders.js';

test('each list ends with the readable kernel, of the name of its pass, and no other is for every device', () => {
  for (const [pass, rows] of Object.entries(kernelTable)) {
    expect(
      rows.flatMap(({ on }, i) => (on === 'any' ? [i] : [])),
      pass,
    ).toEqual([rows.length - 1]);
    expect(rows.at(-1)!.shaders, pass).toEqual([pass]);
    expect(rows.at(-1)!.when, pass).toBeUndefined();
  }
});

test('each row takes files of the folder of its device, and gives its evidence', () => {
  for (const { on, shaders, why } of Object.values(kernelTable).flat()) {
    expect(shaders[0]!.split('/').slice(0, -1), shaders[0]).toEqual(on === 'any' ? [] : [on]);
    expect(why.length).toBeGreaterThan(20);
  }
});

test('the registry and the table name every file of shaders/, and no other', () => {
  const passes = registry.flatMap(({ passes: own }) => own);
  expect(Object.keys(kernelTable).filter((pass) => !passes.includes(pass))).toEqual([]);
  const named = new Set(passes.flatMap(kernelsOf).map(({ shader }) => shader));
  // `record` copies a view for an op that takes none: nobody calls that op by its name.
  expect(shaderNames.filter((name) => !named.has(name))).toEqual(['contiguous']);
  expect([...named].filter((name) => !shaderNames.includes(name))).toEqual([]);
});

test('the device decides whose kernels are taken, or the profile in its place', () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 27 };
  const card: AdapterProfile = { kind: 'gpu', driver: 'nvidia', subgroupSize: 32, limits };
  const shader = (profile: Partial<AdapterProfile>) =>
    kernelsFor('layerNorm.forward', { ...card, ...profile }, {}, { N: 1, C: 1, eps: 0 }).map(({ shader }) => shader);
  expect(shader({})).toEqual(['gpu/layerNorm.forward.subgroup']);
  expect(shader({ subgroupSize: 0 })).toEqual(['layerNorm.forward']);
  expect(shader({ kernels: 'readable' })).toEqual(['layerNorm.forward']);
  expect(shader({ kind: 'cpu', driver: 'wasm' })).toEqual(['layerNorm.forward']);
  expect(shader({ driver: 'wasm', kernels: 'gpu' })).toEqual(['gpu/layerNorm.forward.subgroup']);
});
