import { describe, expect, test } from 'vitest';
import { registry } from '../../src/engine/ops/index.js';
import { linearRow } from '../../src/engine/ops/linear.js';
import { KernelCheck, kernelProfiles } from '../support/kernelCheck.js';
import { shaderNames } from '../support/shaders.js';

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
    // A GPU splits the sum of 33 rows in two: gpu/sumRows.split.
    const [rows] = linearRow.samples;
    await checks.checkSample(rows!, 33, profiles.find(({ adapter }) => adapter.kind === 'gpu')!);
    expect(checks.reports.get('gpu/sumRows.split')?.problems).toEqual([]);
  });

  test('no kernel is left out', () => {
    // It needs matrix units and f16, which the interpreter has not.
    expect(shaderNames.filter((name) => !checks.reports.has(name))).toEqual(['gpu/matmul.subgroupMatrix']);
  });
});
