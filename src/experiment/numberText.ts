import type { Contrast } from './contrast.js';
import type { Interval } from './intervals.js';

/** signed(-0.365) // "−0.365"; signed(-1e-6) // "0.000" */
export function signed(value: number): string {
  const digits = Math.abs(value).toFixed(3);
  if (Number(digits) === 0) return digits;
  return `${value < 0 ? '−' : '+'}${digits}`;
}

/** 2.483 ± 0.021, or 2.483 for a single seed. */
export function intervalText({ mean, half }: Interval): string {
  return mean.toFixed(3).replace('-', '−') + (half === undefined ? '' : ` ± ${half.toFixed(3)}`);
}

/** "−0.120 (95 % interval −0.150 to −0.090; bootstrap −0.148 to −0.093; 6 seeds, 250 windows)" */
export function contrastText({ mean, low, high, bootstrap, seeds, windows }: Contrast): string {
  if (low === undefined) return `${signed(mean)} (one seed, ${windows} windows)`;
  const [from, to] = bootstrap!;
  return (
    `${signed(mean)} (95 % interval ${signed(low)} to ${signed(high!)}; bootstrap ${signed(from)} to ${signed(to)}; ` +
    `${seeds} seeds, ${windows} windows)`
  );
}

/** "+0.103 (+0.080 to +0.126)", or only the number for a single seed */
export function differenceText({ mean, low, high }: Contrast): string {
  return signed(mean) + (low === undefined ? '' : ` (${signed(low)} to ${signed(high!)})`);
}
