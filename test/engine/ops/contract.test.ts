import { describe, expect, test } from 'vitest';
import { registry } from '../../../src/engine/ops/index.js';
import { testDevice } from '../../support/device.js';
import { checkGradients, checkParity, EDGE_SIZES, tied } from '../../support/opContract.js';

// Every registered op, at every size around a tile edge: a listed op is a covered op.
describe.each(registry.map((row) => [row.name, row] as const))('%s', (_, row) => {
  test('has samples', () => {
    expect(row.samples.length).toBeGreaterThan(0);
  });

  for (const sample of row.samples) {
    test(`${sample.name}: kernels agree with the float64 reference`, async () => {
      const device = await testDevice();
      for (const n of EDGE_SIZES) await checkParity(device, sample, n);
    });

    test(`${sample.name}: views are read by their strides`, async () => {
      const device = await testDevice();
      for (const n of [3, 9]) await checkParity(device, sample, n, device, true);
    });

    const alike = tied(sample);
    if (alike !== undefined) {
      test(`${sample.name}: one tensor in every place of its shape`, async () => {
        const device = await testDevice();
        for (const n of [3, 9]) await checkParity(device, alike, n);
        for (const n of [3, 9]) checkGradients(alike, n);
      });
    }

    test(`${sample.name}: reference gradients agree with central differences`, () => {
      for (const n of EDGE_SIZES) checkGradients(sample, n);
    });
  }
});
