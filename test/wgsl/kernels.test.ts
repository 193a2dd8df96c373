import { describe, expect, test } from 'vitest';
import { registry } from '../../src/engine/ops/index.js';
import { linearRow } from '../../src/engine/ops/linear.js';
import { BARRIER_CASES, barrierMutants, findingsOf, unnoticedBarriers } from '../support/barrierMutants.js';
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

describe('a barrier taken out', () => {
  test.each(BARRIER_CASES.filter(({ isLong }) => !isLong))('of $shader is noticed', async (each) => {
    expect(await unnoticedBarriers(each)).toEqual([]);
  });

  test('of attention in tiles is noticed, the first of its barriers here and all by npm run kernels', async () => {
    for (const { shader, sample, n } of BARRIER_CASES.filter(({ isLong }) => isLong)) {
      const profile = profiles.find(({ adapter }) => adapter.kind === 'gpu')!;
      const [mutant] = barrierMutants(shader);
      expect(await findingsOf(shader, mutant!.text, sample, n, profile), shader).not.toEqual([]);
    }
  });

  test('no kernel with barriers is left out', () => {
    const withBarriers = shaderNames.filter((name) => barrierMutants(name).length > 0);
    const tried = BARRIER_CASES.map(({ shader }) => shader);
    // The one needs f16; in the other a lane reads only what it wrote itself.
    const left = ['cpu/matmul.register', 'gpu/matmul.subgroupMatrix'];
    expect([...tried, ...left].sort()).toEqual([...withBarriers].sort());
  });
});
