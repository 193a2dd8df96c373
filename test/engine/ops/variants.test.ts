import { afterAll, describe, expect, test } from 'vitest';
import { openDevice } from '../../../src/device/adapters.js';
import type { Device } from '../../../src/device/device.js';
import type { AdapterProfile } from '../../../src/engine/kernel.js';
import { kernelsOf } from '../../../src/engine/kernelTable.js';
import { registry } from '../../../src/engine/ops/index.js';
import type { OpRow } from '../../../src/engine/registry.js';
import { testDevice } from '../../support/device.js';
import { checkParity } from '../../support/opContract.js';

// The contract covers the kernels that the table chooses for the device of the tests. All others run here, on the same device:
// the readable ones, those of each kind of device, and those for a GPU without subgroups of a fixed size.
const SIZES = [1, 9, 33, 65];

const PROFILES: Record<string, (device: Device) => AdapterProfile> = {
  'readable kernels': (device) => ({ ...device, kernels: 'readable' }),
  'kernels of the CPU device': (device) => ({ ...device, kernels: 'cpu' }),
  'kernels for GPUs': (device) => ({ ...device, kernels: 'gpu' }),
  'kernels for GPUs, subgroups of no fixed size': (device) => ({ ...device, kernels: 'gpu', subgroupSize: 0 }),
};

/** What the contract runs at more sizes: here it only shows which files that are. */
const OWN = process.env.BYTE_TO_LOSS_DEVICE === 'cpu' ? 'kernels of the CPU device' : 'kernels for GPUs';

const seen = new Set<string>();

async function checkAll(device: Device, profile: AdapterProfile, samples: OpRow['samples'], sizes = SIZES) {
  for (const sample of samples) {
    for (const n of sizes) for (const shader of await checkParity(device, sample, n, profile)) seen.add(shader);
  }
}

describe.each(Object.entries(PROFILES))('%s', (name, profile) => {
  test.each(registry.map((row) => [row.name, row] as const))('%s agrees with its reference', async (_, row) => {
    const device = await testDevice();
    await checkAll(device, profile(device), row.samples, name === OWN ? [9] : SIZES);
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

test('no kernel of the table is left out, and none of an op', () => {
  const needed = new Set(registry.flatMap((row) => row.passes.flatMap(kernelsOf)).map(({ shader }) => shader));
  expect(needed.size).toBeGreaterThan(40);
  const elsewhere = ['gpu/matmul.subgroupMatrix']; // needs matrix units: test/engine/ops/matmul.test.ts
  expect([...needed].filter((shader) => !seen.has(shader) && !elsewhere.includes(shader))).toEqual([]);
});
