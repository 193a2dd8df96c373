import { readdir } from 'node:fs/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { openDevice } from '../../../src/engine/adapters.js';
import type { Device } from '../../../src/engine/device.js';
import type { AdapterProfile } from '../../../src/engine/kernel.js';
import { registry } from '../../../src/engine/ops/index.js';
import { testDevice } from '../../support/device.js';
import { checkParity } from '../../support/opContract.js';

// What suits the adapter of the tests is covered by the contract. The other variants run here on the same device: the readable
// ones, those for GPUs, and what an adapter without subgroups gets.
const SIZES = [1, 9, 33, 65];

const PROFILES: Record<string, (device: Device) => AdapterProfile> = {
  'the readable variants': (device) => ({ ...device, variant: 1 }),
  'variants for the CPU device': (device) => ({ ...device, variant: 2 }),
  'variants for GPUs': (device) => ({ ...device, variant: 3 }),
  'variants for GPUs, subgroups of no fixed size': (device) => ({ ...device, variant: 3, subgroupSize: 0 }),
};

const seen = new Set<string>();

async function checkAll(device: Device, profile: AdapterProfile, samples: (typeof registry)[number]['samples']) {
  for (const sample of samples) {
    for (const n of SIZES) for (const shader of await checkParity(device, sample, n, profile)) seen.add(shader);
  }
}

describe.each(Object.entries(PROFILES))('%s', (_, profile) => {
  test.each(registry.map((row) => [row.name, row] as const))('%s agrees with its reference', async (_, row) => {
    const device = await testDevice();
    await checkAll(device, profile(device), row.samples);
  });
});

describe('a device without optional features', () => {
  let plain: Promise<Device> | undefined;
  const device = () => {
    plain ??= openDevice({ robust: true, features: 'none' });
    return plain;
  };
  afterAll(async () => (await plain)?.close());

  test.each(registry.map((row) => [row.name, row] as const))('%s agrees with its reference', async (_, row) => {
    await checkAll(await device(), await device(), row.samples);
  });
});

test('no shader of an op is left out', async () => {
  const files = (await readdir('shaders')).map((file) => file.replace(/\.wgsl$/, ''));
  const ops = registry.flatMap((row) => row.shaders);
  const covered = files.filter((file) => ops.some((op) => file === op || file.startsWith(`${op}.`)));
  expect(covered.length).toBeGreaterThan(40);
  const elsewhere = ['matmul.4-subgroupMatrix']; // needs matrix units
  expect(covered.filter((file) => !seen.has(file) && !elsewhere.includes(file))).toEqual([]);
});
