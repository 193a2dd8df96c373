import { Command } from 'commander';
import { InputError } from '../common/errors.js';
import { Decoder } from '../model/decoder.js';
import { path, textOrHex } from './arguments.js';
import { type DeviceFlags, onDevice, withDevice } from './device.js';
import { hexOf, signOf } from './inspect/signs.js';
import { CHECKPOINT_HELP, CONFIG_HELP, chosenWeights } from './weights.js';

/** `byte-to-loss score`: a decoder's loss in bits for each byte of a stream, after a prefix. */
export function scoreCommand(): Command {
  return withDevice(new Command('score').description('print the bits per byte of a stream after a prefix'))
    .option('--checkpoint <file>', CHECKPOINT_HELP, path)
    .option('--config <file>', CONFIG_HELP, path)
    .option('--text <text>', 'text to score')
    .option('--prefix <text>', 'text before it')
    .option('--stream-hex <hex>', 'the bytes to score as hex digits, two each')
    .option('--prefix-hex <hex>', 'the bytes before them as hex digits')
    .option('--json', 'print JSON: { bits_per_byte, bits }')
    .action(async (options: ScoreOptions) => {
      const prefix = textOrHex('--prefix', options.prefix, '--prefix-hex', options.prefixHex);
      const stream = textOrHex('--text', options.text, '--stream-hex', options.streamHex);
      if (stream.length === 0) throw new InputError('there is no byte to score; give --text or --stream-hex');
      const bits = await score(options, prefix, stream);
      const bitsPerByte = bits.reduce((sum, b) => sum + b, 0) / bits.length;
      if (options.json) {
        console.log(JSON.stringify({ bits_per_byte: bitsPerByte, bits }));
        return;
      }
      bits.forEach((b, i) => {
        const id = stream[i]!;
        console.log(`${String(i).padStart(6)}  ${hexOf(id)} ${signOf(id).padEnd(2)}  ${b.toFixed(4)} bits`);
      });
      console.log(`${bitsPerByte.toFixed(4)} bits per byte`);
    });
}

interface ScoreOptions extends DeviceFlags {
  readonly checkpoint?: string;
  readonly config?: string;
  readonly text?: string;
  readonly prefix?: string;
  readonly streamHex?: string;
  readonly prefixHex?: string;
  readonly json?: boolean;
}

function score(options: ScoreOptions, prefix: Uint8Array, stream: Uint8Array): Promise<number[]> {
  const { config, parameters } = chosenWeights(options.checkpoint, options.config);
  return onDevice(options, (device) => new Decoder(device, config, { parameters }).score(prefix, stream));
}
