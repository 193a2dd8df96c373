import { describe, expect, test } from 'vitest';
import { registry } from '../../../src/engine/ops/index.js';
import { EDGE_SIZES } from '../../../src/inspect/sample.js';
import { bundledDevice, testDevice } from '../../support/device.js';
import { checkGradients, checkParity, tied } from '../../support/opContract.js';
import { runsBundled } from '../../support/platform.js';
import { recordSample } from '../../support/recordSample.js';

/** The device of the tests, and Dawn with the bundled driver, which runs the kernels of a GPU: fewer sizes, as it is slow. */
const DEVICES = [
  { where: process.env.BYTE_TO_LOSS_DEVICE!, open: testDevice, sizes: EDGE_SIZES },
  ...(runsBundled() ? [{ where: 'Dawn', open: () => bundledDevice(false), sizes: [33] }] : []),
];
/** For the references alone, which have no tiles with edges. */
const GRADIENT_SIZES = [1, 7, 8, 9, 33];
const only = runsBundled() ? '' : ' (no Dawn here: its bundled driver needs Linux x64)';

/** The values of each attribute of each op that the contract records, forward and backward. */
function attributesSeen(): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>();
  const samples = registry.flatMap((row) => row.samples);
  for (const sample of samples) {
    const recorded = [recordSample(sample, 7), recordSample(sample, 9), recordSample(sample, 9, true)];
    for (const { op, attributes } of recorded.flatMap(({ program }) => program.entries)) {
      for (const [name, value] of Object.entries(attributes)) {
        const key = `${op.name} ${name}`;
        seen.set(key, (seen.get(key) ?? new Set()).add(String(value)));
      }
    }
  }
  return seen;
}

// An attribute that is the same in every sample may be ignored by a kernel and by its reference alike.
test('every attribute of every op has more than one value', () => {
  const seen = attributesSeen();
  expect(seen.size).toBeGreaterThan(50);
  expect([...seen].filter(([, values]) => values.size < 2).map(([name, values]) => `${name} = ${[...values]}`)).toEqual(
    [],
  );
});

// Every registered op, at every size around a tile edge: a listed op is a covered op.
describe.each(registry.map((row) => [row.name, row] as const))('%s', (_, row) => {
  test('has samples', () => {
    expect(row.samples.length).toBeGreaterThan(0);
  });

  for (const sample of row.samples) {
    for (const { where, open, sizes } of DEVICES) {
      test(`${sample.name}: kernels agree with the float64 reference on ${where}${only}`, async () => {
        const device = await open();
        for (const n of sizes) await checkParity(device, sample, n);
      });
    }

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
      for (const n of GRADIENT_SIZES) checkGradients(sample, n);
    });
  }
});
