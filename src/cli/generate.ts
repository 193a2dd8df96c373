import { Command } from 'commander';
import { Decoder } from '../model/decoder.js';
import { atLeast, path, realNumber, textOrHex, wholeNumber } from './arguments.js';
import { type DeviceFlags, onDevice, withDevice } from './device.js';
import { outputError } from './output.js';
import { CHECKPOINT_HELP, CONFIG_HELP, chosenWeights } from './weights.js';

interface GenerateFlags extends DeviceFlags {
  readonly checkpoint?: string;
  readonly config?: string;
  readonly prompt?: string;
  readonly promptHex?: string;
  readonly bytes: number;
  readonly temperature: number;
  readonly topK: number;
  readonly seed: number;
}

/** `byte-to-loss generate`: raw bytes to stdout, as they are generated. */
export function generateCommand(): Command {
  return withDevice(new Command('generate').description('write the bytes that follow a prompt, raw, to stdout'))
    .option('--checkpoint <file>', CHECKPOINT_HELP, path)
    .option('--config <file>', CONFIG_HELP, path)
    .option('--prompt <text>', 'text to continue')
    .option('--prompt-hex <hex>', 'prompt as hex digits')
    .option('--bytes <n>', 'maximum number of bytes; the decoder may stop earlier', wholeNumber, 200)
    .option('--temperature <x>', 'sampling temperature; 0 always picks the likeliest byte', atLeast(0, realNumber), 0.8)
    .option('--top-k <n>', 'sample from the k likeliest bytes; 0 keeps all', wholeNumber, 40)
    .option('--seed <n>', 'random seed', wholeNumber, 0)
    .action(async (flags: GenerateFlags) => {
      const prompt = textOrHex('--prompt', flags.prompt, '--prompt-hex', flags.promptHex);
      const { config, parameters, prefix, stream } = chosenWeights(flags.checkpoint, flags.config);
      await onDevice(flags, async (device) => {
        const decoder = new Decoder(device, config, { parameters, window: { prefix, stream } });
        for await (const byte of decoder.generate(prompt, flags)) {
          if (outputError() !== undefined) break;
          process.stdout.write(Uint8Array.of(byte));
        }
      });
    });
}
