import { Command } from 'commander';
import { writeFileAtomic } from '../common/atomicWrite.js';
import { DEFAULT_MINUTES, examine, type Report } from '../doctor/doctor.js';
import { pageOf, resultOf, VERDICTS } from '../doctor/page.js';
import { aboveZero, path } from './arguments.js';
import { colours } from './colours.js';
import { type DeviceFlags, deviceOf, onDevice, withDevice } from './device.js';
import { duration } from './progress.js';
import { StatusLine } from './statusLine.js';
import { onStop } from './stop.js';
import { version } from './version.js';

interface DoctorFlags extends DeviceFlags {
  readonly minutes: number;
  readonly quick?: boolean;
  readonly out?: string;
}

/** `byte-to-loss doctor`: everything there is to know about a device, in one file to send. */
export function doctorCommand(): Command {
  return withDevice(
    new Command('doctor').description(
      'examine this device: every op, channels, gradients, training and times, in one file to send',
    ),
  )
    .option('--minutes <n>', 'time for all of it; what does not fit is left out and named', aboveZero, DEFAULT_MINUTES)
    .option('--quick', 'small sizes: a first look')
    .option(
      '--out <file>',
      'the HTML page (default: doctor-DEVICE.html here); its numbers go into a .json file of the same name',
      path,
    )
    .action(doctor);
}

async function doctor(flags: DoctorFlags): Promise<void> {
  const status = new StatusLine();
  const { green, yellow, red, bold } = colours(process.stdout);
  // A device that is not there, or a name that is none, is an error now and not in every part.
  const name = await onDevice(flags, (device) => device.name);
  const page = /\.html?$/i.test(flags.out ?? '') ? flags.out! : `${flags.out ?? `doctor-${fileName(name)}`}.html`;
  const json = `${page.replace(/\.html?$/i, '')}.json`;
  status.print(`${bold(name)}: at most ${duration(60 * flags.minutes)}`);
  const paint = { passed: green, partly: yellow, failed: red, 'not run': yellow };
  const line = ({ part, verdict, seconds, summary }: Report) =>
    `${part.padEnd(10)} ${paint[verdict](VERDICTS[verdict].padEnd(14))}  ${summary}  (${duration(seconds)})`;
  const stop = onStop({
    print: (text) => status.print(text.replace('this step and saving', 'what runs, then writing the files')),
    end: () => status.end(),
  });
  try {
    const examination = await examine({
      version,
      minutes: flags.minutes,
      isQuick: flags.quick ?? false,
      open: () => deviceOf(flags, { onFallback: () => {} }),
      progress: (text, left) => status.show(() => `${text}  ${duration(Math.max(0, left / 1000))} left at most`),
      stopped: () => stop.signal !== undefined,
      finished(report, soFar) {
        status.print(line(report));
        for (const fault of report.faults.slice(0, MAX_LINES)) status.print(`  ${red('wrong')}: ${fault}`);
        if (report.faults.length > MAX_LINES)
          status.print(`  … and ${report.faults.length - MAX_LINES} more, in the file`);
        for (const left of report.leftOut.slice(0, MAX_LINES)) status.print(`  left out: ${left}`);
        for (const note of report.notes ?? []) status.print(`  note: ${note}`);
        writeFileAtomic(json, `${JSON.stringify(soFar, null, 2)}\n`);
        writeFileAtomic(page, pageOf(soFar));
      },
    });
    status.end();
    const { verdict } = examination;
    const words = (verdict === 'passed' ? green : red)(resultOf(examination));
    console.log(`${words}\nto report on this device, attach ${page} to an issue (its numbers alone: ${json})`);
    if (stop.signal === undefined && verdict === 'failed') process.exitCode = 1;
  } finally {
    status.end();
    stop.off();
  }
}

/** Faults of a part that the terminal shows; the file has all. */
const MAX_LINES = 5;

/** `fileName('NVIDIA H100, driver 1.2') // 'nvidia-h100-driver-1-2'` */
function fileName(device: string): string {
  return device
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
}
