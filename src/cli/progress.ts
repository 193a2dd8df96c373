import { basename } from 'node:path';
import type { Listener } from '../train/run/train.js';
import { validationText } from './measureText.js';
import { printableLines } from './output.js';
import { fitted, StatusLine, withBar } from './statusLine.js';

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

/** The time left is computed from this many steps: enough to contain a validation every hundred steps. */
const RECENT = 100;

/** Estimates the time left from the pace of recent steps. The first step is excluded: it includes compilation. */
export class TimeLeft {
  readonly #recent: { step: number; at: number }[] = [];

  /** Record a finished step.
   *
   * @param now in milliseconds
   * @returns seconds left; undefined after the first step, whose duration does not predict the others
   */
  after(step: number, steps: number, now: number): number | undefined {
    const first = this.#recent[0];
    this.#recent.push({ step, at: now });
    if (this.#recent.length > RECENT) this.#recent.shift();
    return first && ((now - first.at) / 1000 / (step - first.step)) * (steps - step);
  }
}

/** Shows the progress of a run. `print` is for every other line during the run. */
export interface ShownProgress extends Listener {
  print(line: string): void;
  end(): void;
}

/**
 * Shows the progress of a run: a bar if stdout is a terminal. Elsewhere, as in a log, a line for the first step and the
 * last, and between them one every ten seconds or every tenth of the run, whichever gives fewer lines.
 *
 * @param now milliseconds of a clock
 */
export function showProgress(status = new StatusLine(), now = () => performance.now()): ShownProgress {
  const print = (text: string) => status.print(text);
  const timeLeft = new TimeLeft();
  let last: { readonly step: number; readonly time: number } | undefined; // the last line about a step
  return {
    print,
    step({ step, steps, bitsPerByte, bytesPerSecond }) {
      const seconds = timeLeft.after(step, steps, now());
      const parts = {
        step: `step ${step}/${steps}`,
        bits: `${bitsPerByte.toFixed(3)} bits/byte`,
        rate: rate(bytesPerSecond),
        left: seconds === undefined ? '' : `${duration(seconds)} left`,
      };
      if (status.visible) {
        status.show((columns) => withBar(step / steps, fitted(parts, ['bits', 'rate'], columns), columns));
      } else if (!last || step === steps || (now() - last.time >= 10_000 && step - last.step >= steps / 10)) {
        last = { step, time: now() };
        print(fitted(parts, [], Infinity));
      }
    },
    validation(step, measures) {
      print(`step ${step}  ${validationText(measures)}`);
    },
    saved(step, path) {
      print(`step ${step}  saved ${basename(path)}`);
    },
    note: (text) => print(printableLines(text)),
    end: () => status.end(),
  };
}
