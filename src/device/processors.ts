import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Number of processors that this process may use: those that it is bound to, limited by the quota of its container.
 *
 * @param read returns the text of a system file, or undefined if there is none
 */
export function usableProcessors(read: (path: string) => string | undefined = readText): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota(read))));
}

/** Processors that control groups allow; infinite if they set no limit. */
function quota(read: (path: string) => string | undefined): number {
  // Version 2: '150000 100000' is the time for each period, in microseconds; 'max 100000' is no limit.
  const [time, period] = read('/sys/fs/cgroup/cpu.max')?.trim().split(' ') ?? [];
  if (time !== undefined) return time === 'max' ? Number.POSITIVE_INFINITY : Number(time) / Number(period);
  const [time1, period1] = ['quota', 'period'].map((name) => Number(read(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`)));
  return time1! > 0 && period1! > 0 ? time1! / period1! : Number.POSITIVE_INFINITY;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
