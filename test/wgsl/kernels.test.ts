import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { registry } from '../../src/engine/ops/index.js';
import { linearRow } from '../../src/engine/ops/linear.js';
import { KernelCheck, kernelProfiles } from '../support/kernelCheck.js';

// The short form of `npm run kernels`: one small size, with subgroups of 4 and 32.
const checks = new KernelCheck();
const profiles = kernelProfiles([4, 32]);

describe('kernels in the checker', () => {
  test.each(registry.map((row) => [row.name, row] as const))(
    '%s: no finding, and the reference agrees',
    async (_, row) => {
      await checks.checkRow(row, profiles, [9]);
      expect([...checks.reports.values()].flatMap((report) => report.problems)).toEqual([]);
    },
  );

  test('linear with more rows than an invocation sums', async () => {
    // A GPU splits the sum of 33 rows in two: sumRows.3-split.
    const [rows] = linearRow.samples;
    await checks.checkSample(rows!, 33, profiles.find(({ adapter }) => adapter.kind === 'gpu')!);
    expect(checks.reports.get('sumRows.3-split')?.problems).toEqual([]);
  });

  test('no kernel is left out', async () => {
    const files = (await readdir('shaders')).filter((file) => file.endsWith('.wgsl'));
    const names = files.map((file) => file.replace(/\.wgsl$/, ''));
    // It needs matrix units and f16, which the interpreter has not.
    expect(names.filter((name) => !checks.reports.has(name))).toEqual(['matmul.4-subgroupMatrix']);
  });
});
