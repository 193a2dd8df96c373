import cliProgress from 'cli-progress';
import type { Listener, Progress } from '../train/run/train.js';
import { printableLines } from './output.js';

/** 1h02, 3m05, 12s */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s >= 3600) return `${Math.floor(s / 3600)}h${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}`;
  if (s >= 60) return `${Math.floor(s / 60)}m${String(s % 60).padStart(2, '0')}`;
  return `${s}s`;
}

/** 950 B/s, 12.3 kB/s */
export function rate(bytesPerSecond: number): string {
  return bytesPerSecond < 1000 ? `${bytesPerSecond.toFixed(0)} B/s` : `${(bytesPerSecond / 1000).toFixed(1)} kB/s`;
}

/**
 * Show a run to a person: a bar where the output is a terminal. Elsewhere, as in a log, a line for the first step and the
 * last, and between them one every ten seconds or every tenth of the run, whichever is rarer.
 *
 * @param now milliseconds of a clock
 */
export function showProgress(
  entropy: number | undefined,
  terminal = process.stdout.isTTY ?? false,
  now = () => performance.now(),
): Listener & { end(): void } {
  const bar = terminal
    ? new cliProgress.SingleBar({
        format: '{bar} step {value}/{total}  {bits} bits/byte  {rate}  {left} left',
        hideCursor: true,
        barsize: 24,
      })
    : undefined;
  // A line in a terminal scrolls past above the bar.
  const line = (text: string) => {
    if (bar?.isActive) bar.stop();
    console.log(text);
  };
  const started = now();
  let first: number | undefined;
  let last: { readonly step: number; readonly time: number } | undefined; // the last line about a step
  const left = ({ step, steps }: Progress) => {
    first ??= step - 1;
    const perStep = (now() - started) / 1000 / (step - first);
    return duration(perStep * (steps - step));
  };
  return {
    step(progress) {
      const { step, steps, bitsPerByte, bytesPerSecond } = progress;
      const shown = { bits: bitsPerByte.toFixed(3), rate: rate(bytesPerSecond), left: left(progress) };
      if (bar) {
        if (!bar.isActive) bar.start(steps, step, shown);
        bar.update(step, shown);
      } else if (!last || step === steps || (now() - last.time >= 10_000 && step - last.step >= steps / 10)) {
        last = { step, time: now() };
        console.log(`step ${step}/${steps}  ${shown.bits} bits/byte  ${shown.rate}  ${shown.left} left`);
      }
    },
    validation(step, measures) {
      // How well ends are known stands in metrics.jsonl; a line of progress has room for less.
      const main = Object.entries(measures).filter(([name]) => !/_(end|middle)$/.test(name));
      const shown = main.map(([name, value]) =>
        name === 'text_bpb'
          ? `validation ${value.toFixed(3)} bits/byte${beside(value, entropy)}`
          : `${name} ${value.toFixed(3)}`,
      );
      line(`step ${step}  ${shown.join('  ')}`);
    },
    saved(step, path) {
      line(`step ${step}  saved ${path}`);
    },
    note: (text) => line(printableLines(text)),
    end() {
      if (bar?.isActive) bar.stop();
    },
  };
}

/** How a text's bits per byte stand to what its byte frequencies alone would reach. */
function beside(bitsPerByte: number, entropy: number | undefined): string {
  if (entropy === undefined) return '';
  const context = bitsPerByte < entropy ? 'below it: context is used' : 'not yet below it';
  return `  (order-0 entropy ${entropy.toFixed(3)}, ${context})`;
}
