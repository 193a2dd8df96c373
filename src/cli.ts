#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { dataCommand } from './cli/dataInspect.js';
import { devicesCommand } from './cli/devices.js';
import { featuresCommand } from './cli/features.js';
import { generateCommand } from './cli/generate.js';
import { scoreCommand } from './cli/score.js';
import { trainCommand } from './cli/train.js';
import { version } from './cli/version.js';
import { ByteToLossError } from './engine/errors.js';

const commands = [
  trainCommand(),
  scoreCommand(),
  generateCommand(),
  featuresCommand(),
  dataCommand(),
  devicesCommand(),
];

const program = new Command('byte-to-loss')
  .description('from byte to loss: train and inspect a small byte decoder on WebGPU')
  .version(version)
  .showSuggestionAfterError()
  .exitOverride();
for (const command of commands) program.addCommand(command.exitOverride());

/** Exit codes: 0 done, 1 an error, 2 wrong usage, 130 and 143 stopped by Ctrl-C and SIGTERM. */
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed it; help and version are no errors
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const expected = error instanceof ByteToLossError && !process.env.DEBUG;
    console.error(expected ? `error: ${error.message}` : error);
    process.exitCode = 1;
  }
}
