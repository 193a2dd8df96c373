import { describe, expect, test } from 'vitest';
import { registry } from '../../../src/engine/ops/index.js';
import { testDevice } from '../../support/device.js';
import { checkGradients, checkParity, EDGE_SIZES } from '../../support/opContract.js';

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

    test(`${sample.name}: reference gradients agree with central differences`, () => {
      for (const n of EDGE_SIZES) checkGradients(sample, n);
    });
  }
});
