import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { usableProcessors } from '../../src/device/processors.js';

const all = availableParallelism();
const V1 = '/sys/fs/cgroup/cpu/cpu.cfs_';

test.each([
  ['no control groups', {}, all],
  ['no limit', { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, all],
  ['half a processor', { '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 1],
  ['more than there are', { '/sys/fs/cgroup/cpu.max': '99900000 100000\n' }, all],
  ['version 1, no limit', { [`${V1}quota_us`]: '-1\n', [`${V1}period_us`]: '100000\n' }, all],
  ['version 1, one processor', { [`${V1}quota_us`]: '100000\n', [`${V1}period_us`]: '100000\n' }, 1],
])('%s', (_, files: Readonly<Record<string, string>>, processors) => {
  expect(usableProcessors((path) => files[path])).toBe(processors);
});
