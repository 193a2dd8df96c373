import { openDevice } from '../device/adapters.js';
import type { Device } from '../device/device.js';
import { channels } from './channels.js';
import { facts } from './facts.js';
import { gradients } from './gradients.js';
import { ops } from './ops.js';
import { type Findings, messageOf, type Part } from './part.js';
import { opTimes, steps } from './times.js';
import { training } from './training.js';

/** Every part, what matters most first: a device may not last. */
export const PARTS: readonly Part[] = [facts, channels, ops, gradients, training, steps, opTimes];

/** The result of a part. */
export interface Report extends Findings {
  readonly part: string;
  readonly what: string;
  /** `failed`: something is wrong; `partly`: all that was tried is right, and something was left out */
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

/** How an examination is run. */
export interface DoctorOptions {
  readonly version: string;
  readonly minutes: number;
  readonly isQuick?: boolean;
  /** opens the device under test, again for each part: a device lost in one part does not affect the next */
  readonly open: () => Promise<Device>;
  readonly openCpu?: () => Promise<Device>;
  readonly parts?: readonly Part[];
  /** what runs now, and milliseconds left for all */
  readonly progress?: (text: string, left: number) => void;
  /** after each part: what is known so far, to be kept in case the process does not survive the next */
  readonly finished?: (report: Report, soFar: Examination) => void;
  /** ends the part that runs early, and leaves out the others */
  readonly stopped?: () => boolean;
  /** milliseconds of a clock */
  readonly now?: () => number;
  /** rejects after so many milliseconds; a part that has not ended by then is given up */
  readonly limit?: (milliseconds: number) => { readonly over: Promise<never>; readonly cancel: () => void };
}

/**
 * Milliseconds that a part may take beyond its time before it is given up, since what it waits for may never come: as long as
 * its time again and a minute, and half a minute beyond the time of all.
 */
const PATIENCE = { factor: 2, more: 60_000, atEnd: 30_000 };

/**
 * Ask a device everything, part after part, within a time. Each part gets its share of what is left; one that fails, hangs or
 * loses the device does not stop the others.
 */
export async function examine(options: DoctorOptions): Promise<Examination> {
  const { open, openCpu = () => openDevice({ device: 'cpu' }), parts = PARTS, now = () => performance.now() } = options;
  const { stopped = () => false, progress = () => {}, limit = afterMilliseconds } = options;
  const begun = now();
  const end = begun + options.minutes * 60_000;
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
    const said = (text: string) => progress(`${i + 1}/${parts.length} ${part.name}  ${text}`, end - now());
    let findings: Findings;
    let verdict: Report['verdict'];
    if (stopped() || share <= 0) {
      findings = { summary: stopped() ? 'stopped' : 'no time left', faults: [], leftOut: ['all of it'] };
      verdict = 'not run';
    } else {
      said('');
      const timer = limit(Math.min(PATIENCE.factor * share + PATIENCE.more, end - start + PATIENCE.atEnd));
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
        findings = { summary: message.split('\n')[0]!, faults: [message], leftOut: [] };
        verdict = 'failed';
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

function afterMilliseconds(milliseconds: number) {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const give = () =>
      reject(new Error(`no answer from the device for ${Math.round(milliseconds / 1000)} s: given up`));
    timer = setTimeout(give, milliseconds);
  });
  // Where the part fails first, nobody waits for this any more.
  over.catch(() => {});
  return { over, cancel: () => clearTimeout(timer) };
}

const seconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;
