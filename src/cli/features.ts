import { Command } from 'commander';
import { InputError } from '../engine/errors.js';
import { channelNames } from '../substrate/channels.js';
import { embed } from '../substrate/embed.js';
import { hexBytes } from './arguments.js';

interface FeatureFlags {
  readonly text?: string;
  readonly hex?: string;
  readonly bits?: boolean;
  readonly momentum?: boolean;
  readonly json?: boolean;
}

/** `byte-to-loss features`: the channels of each byte, by name. */
export function featuresCommand(): Command {
  return new Command('features')
    .description('the channels of each byte, by name')
    .option('--text <text>', 'bytes as text')
    .option('--hex <hex>', 'bytes as hex digits')
    .option('--bits', 'with the eight raw bits in front')
    .option('--momentum', 'phase scaled by the step from the byte before')
    .option('--json', 'print JSON: one object of named channels per byte')
    .action((flags: FeatureFlags) => {
      if ((flags.text === undefined) === (flags.hex === undefined)) throw new InputError('give --text or --hex');
      const bytes = flags.hex === undefined ? new TextEncoder().encode(flags.text) : hexBytes('--hex', flags.hex);
      const includeBits = flags.bits ?? false;
      const { features, channels } = embed(bytes, { includeBits, momentumPhase: flags.momentum ?? false });
      const names = channelNames(includeBits);
      const rows = Array.from(bytes, (byte, i) => ({
        byte,
        channels: Object.fromEntries(names.map((name, c) => [name, features[i * channels + c]!])),
      }));
      if (flags.json) console.log(JSON.stringify(rows));
      else for (const row of rows) console.log(describeRow(row));
    });
}

function describeRow({ byte, channels }: { byte: number; channels: Record<string, number> }): string {
  const shown = byte >= 32 && byte < 127 ? `'${String.fromCharCode(byte)}'` : '   ';
  const head = `${shown} ${byte.toString(16).padStart(2, '0')} ${byte.toString(2).padStart(8, '0')}`;
  const pairs = Object.entries(channels).map(([name, value]) => `  ${name.padEnd(10)} ${value}`);
  return [head, ...pairs].join('\n');
}
