import { registry } from '../../src/engine/ops/index.js';
import { SUBGROUP_SIZES } from '../../src/wgsl/index.js';
import { BARRIER_CASES, barrierMutants, unnoticedBarriers } from './barrierMutants.js';
import { KernelCheck, kernelProfiles } from './kernelCheck.js';
import { shaderNames } from './shaders.js';

/** Sizes around the edges of subgroups and workgroups, small enough to be interpreted. */
const SIZES = [1, 7, 9, 33];

// `npm run kernels`: every kernel file over the samples of its op, in the checker, with subgroups of every size.
const checks = new KernelCheck();
for (const row of registry) {
  await checks.checkRow(row, kernelProfiles(SUBGROUP_SIZES), SIZES);
  process.stderr.write(`${row.name}\n`);
}
let problems = 0;
for (const shader of shaderNames) {
  const report = checks.reports.get(shader);
  if (!report) {
    console.log(`${shader.padEnd(40)} not run`);
    continue;
  }
  const sizes = [...report.subgroupSizes].sort((a, b) => a - b).join(' ');
  const state = report.problems.length === 0 ? 'ok' : `${report.problems.length} problems`;
  console.log(
    `${shader.padEnd(40)} ${String(report.dispatches).padStart(5)} dispatches, subgroups ${sizes.padEnd(12)} ${state}`,
  );
  for (const problem of report.problems.slice(0, 3)) console.log(problem.replace(/^/gm, '    '));
  problems += report.problems.length;
}
// Each barrier taken out in turn has to be noticed.
for (const each of BARRIER_CASES) {
  const unnoticed = await unnoticedBarriers(each);
  const state = unnoticed.length === 0 ? 'noticed' : `not noticed: ${unnoticed.join('; ')}`;
  console.log(`${each.shader.padEnd(40)} ${barrierMutants(each.shader).length} barriers taken out in turn: ${state}`);
  problems += unnoticed.length;
}
process.exitCode = problems > 0 ? 1 : 0;
