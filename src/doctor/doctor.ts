import { openDevice } from '../device/adapters.js';
import type { Device } from '../device/device.js';
import { channels } from './channels.js';
import { facts } from './facts.js';
import { gradients } from './gradients.js';
import { ops } from './ops.js';
import { type Findings, messageOf, type Part } from './part.js';
import { opTimes, steps } from './times.js';
import { training } from './training.js';

/** Every part, the most important ones first, since a device may be lost. */
export const PARTS: readonly Part[] = [facts, channels, ops, gradients, training, steps, opTimes];

/** The time that every part needs, slow devices included. With less, a part that does not end is no fault of the device. */
export const DEFAULT_MINUTES = 10;

/** The result of a part. */
export interface Report extends Findings {
  readonly part: string;
  readonly what: string;
  /** `failed`: there is a fault; `partly`: all tested parts are correct, and some were skipped */
  readonly verdict: 'passed' | 'partly' | 'failed' | 'not run';
  readonly seconds: number;
}

/** The whole examination. */
export interface Examination {
  /** of this file's layout */
  readonly format: 1;
  readonly version: string;
  /** ISO 8601 */
  readonly date: string;
  readonly device: string;
  readonly isQuick: boolean;
  readonly seconds: number;
  readonly verdict: 'passed' | 'failed';
  readonly reports: readonly Report[];
}

/** Options of an examination. */
export interface DoctorOptions {
  readonly version: string;
  readonly minutes: number;
  readonly isQuick?: boolean;
  /** opens the device under test, again for each part: a device lost in one part does not affect the next */
  readonly open: () => Promise<Device>;
  readonly openCpu?: () => Promise<Device>;
  readonly parts?: readonly Part[];
  /** the running part, and the milliseconds left for all */
  readonly progress?: (text: string, left: number) => void;
  /** called after each part with the results so far, to store them in case the process ends in the next one */
  readonly finished?: (report: Report, soFar: Examination) => void;
  /** ends the running part early, and skips the others */
  readonly stopped?: () => boolean;
  /** milliseconds of a clock */
  readonly now?: () => number;
  /** rejects after the given milliseconds; a part that has not ended by then is abandoned */
  readonly limit?: (milliseconds: number) => { readonly over: Promise<never>; readonly cancel: () => void };
}

/**
 * A part that does not end in twice its time plus a minute, in milliseconds, is abandoned, since the device may never
 * answer; and so is every part at the end of the whole time. The parts together plan with less than that, so that the
 * last one can end what it has begun: they reserve a twentieth of it.
 */
const PATIENCE = { factor: 2, more: 60_000, reserve: 0.05 };

/**
 * Examine a device, part after part, within a time. Each part gets its share of the remaining time; one that fails,
 * hangs or loses the device does not stop the others.
 */
export async function examine(options: DoctorOptions): Promise<Examination> {
  const { open, openCpu = () => openDevice({ device: 'cpu' }), parts = PARTS, now = () => performance.now() } = options;
  const { stopped = () => false, progress = () => {}, limit = afterMilliseconds } = options;
  const begun = now();
  const whole = options.minutes * 60_000;
  const end = begun + whole * (1 - PATIENCE.reserve);
  const date = new Date().toISOString();
  const reports: Report[] = [];
  let device = 'none';
  const soFar = (): Examination => {
    const failed = reports.some(({ verdict }) => verdict === 'failed');
    return {
      format: 1,
      version: options.version,
      date,
      device,
      isQuick: options.isQuick ?? false,
      seconds: seconds(now() - begun),
      verdict: failed ? 'failed' : 'passed',
      reports: [...reports],
    };
  };
  for (const [i, part] of parts.entries()) {
    const start = now();
    const weights = parts.slice(i).reduce((sum, { weight }) => sum + weight, 0);
    const share = ((end - start) * part.weight) / weights;
    const left = () => (stopped() ? 0 : start + share - now());
    const said = (text: string) => progress(`${i + 1}/${parts.length} ${part.name}  ${text}`, begun + whole - now());
    let findings: Findings;
    let verdict: Report['verdict'];
    if (stopped() || share <= 0) {
      findings = { summary: stopped() ? 'stopped' : 'no time left', faults: [], leftOut: ['all of it'] };
      verdict = 'not run';
    } else {
      said('');
      const timer = limit(Math.min(PATIENCE.factor * share + PATIENCE.more, begun + whole - start));
      let opened: Device | undefined;
      try {
        const run = async () => {
          opened = await open();
          device = opened.name;
          const isQuick = options.isQuick ?? false;
          return part.run({ device: opened, openCpu, left, isQuick, progress: said });
        };
        findings = await Promise.race([run(), timer.over]);
        verdict = findings.faults.length > 0 ? 'failed' : findings.leftOut.length > 0 ? 'partly' : 'passed';
      } catch (error) {
        const message = messageOf(error);
        const isShort = error instanceof TimeUp && options.minutes < DEFAULT_MINUTES;
        const what = isShort ? `${message}; with --minutes ${DEFAULT_MINUTES} it has longer` : message;
        findings = { summary: what.split('\n')[0]!, faults: isShort ? [] : [what], leftOut: isShort ? [what] : [] };
        verdict = isShort ? 'partly' : 'failed';
      } finally {
        timer.cancel();
        opened?.close();
      }
    }
    const report = { part: part.name, what: part.what, verdict, seconds: seconds(now() - start), ...findings };
    reports.push(report);
    options.finished?.(report, soFar());
  }
  return soFar();
}

/** A part did not end in its time. */
export class TimeUp extends Error {}

function afterMilliseconds(milliseconds: number) {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const give = () =>
      reject(
        new TimeUp(
          `did not end in ${Math.round(milliseconds / 1000)} s: the device hangs, or is too slow for this part`,
        ),
      );
    timer = setTimeout(give, milliseconds);
  });
  // If the part fails first, this promise is not awaited any more.
  over.catch(() => {});
  return { over, cancel: () => clearTimeout(timer) };
}

const seconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;
