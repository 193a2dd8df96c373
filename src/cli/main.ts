import { Command, CommanderError } from 'commander';
import { ByteToLossError, FileError, UsageError } from '../common/errors.js';
import { benchCommand } from './bench.js';
import { untilBug } from './bugs.js';
import { dataCommand } from './dataInspect.js';
import { devicesCommand } from './devices.js';
import { doctorCommand } from './doctor.js';
import { experimentCommand } from './experiment.js';
import { featuresCommand } from './features.js';
import { generateCommand } from './generate.js';
import { graphCommand } from './graph.js';
import { inspectCommand } from './inspect.js';
import { outputClosed, outputError, outputSettled, printableLines, watchOutput } from './output.js';
import { reportCommand } from './report.js';
import { scoreCommand } from './score.js';
import { trainCommand } from './train.js';
import { verifyCommand } from './verify.js';
import { version } from './version.js';
import { walkCommand } from './walk.js';

/** Every command, in the order in which a newcomer needs them. */
export const COMMANDS = [
  trainCommand,
  experimentCommand,
  scoreCommand,
  generateCommand,
  featuresCommand,
  inspectCommand,
  graphCommand,
  walkCommand,
  reportCommand,
  verifyCommand,
  dataCommand,
  benchCommand,
  devicesCommand,
  doctorCommand,
];

/**
 * Run one command line.
 *
 * @param argv words after `byte-to-loss`
 * @returns the exit code: 0 done, 1 an error that was printed as one line, 2 wrong usage, 130, 143 or 129 stopped by a signal
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('byte-to-loss')
    .description('from byte to loss: train and inspect a small byte decoder on WebGPU')
    .version(version)
    .exitOverride();
  for (const command of COMMANDS) program.addCommand(command());
  for (const command of [...program.commands, ...program.commands.flatMap((each) => each.commands)]) {
    command.exitOverride().showSuggestionAfterError();
  }
  process.exitCode = 0;
  watchOutput();
  try {
    await untilBug(() => program.parseAsync(argv, { from: 'user' }));
    await outputSettled();
    // A reader that has read enough is no error; a run that it interrupts reports that itself.
    const unprinted = outputClosed() ? undefined : outputError();
    if (unprinted !== undefined) throw new FileError(unprinted);
    return Number(process.exitCode ?? 0); // a stopped run has set it
  } catch (error) {
    // commander has printed its own message; help and version are no errors
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const expected = error instanceof ByteToLossError && !process.env.DEBUG;
    console.error(expected ? `error: ${printableLines(error.message)}` : error);
    return error instanceof UsageError ? 2 : 1;
  }
}
