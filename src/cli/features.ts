import { Command } from 'commander';
import { InputError } from '../common/errors.js';
import { channelNames } from '../substrate/channels.js';
import { embed } from '../substrate/embed.js';
import { hexBytes } from './arguments.js';
import { featuresTable } from './featuresTable.js';

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
    .description('print the channels of each byte, by name')
    .option('--text <text>', 'bytes as text')
    .option('--hex <hex>', 'bytes as hex digits')
    .option('--bits', 'put the eight raw bits first')
    .option('--momentum', 'scale the phase by the step from the previous byte')
    .option('--json', 'print JSON: one object of named channels per byte, every digit of each float32')
    .action((flags: FeatureFlags) => {
      if ((flags.text === undefined) === (flags.hex === undefined)) throw new InputError('give --text or --hex');
      const bytes = flags.hex === undefined ? new TextEncoder().encode(flags.text) : hexBytes('--hex', flags.hex);
      const includeBits = flags.bits ?? false;
      const { features, channels } = embed(bytes, { includeBits, momentumPhase: flags.momentum ?? false });
      if (flags.json) console.log(featuresJson(bytes, features, channelNames(includeBits)));
      else console.log(featuresTable(bytes, features, channels, process.stdout));
    });
}

/**
 * `[{"byte":72,"channels":{"dxor0":0,…}}]`. Written out because JSON.stringify would drop the sign of -0, which JSON
 * has.
 */
export function featuresJson(bytes: Uint8Array, features: Float32Array, names: readonly string[]): string {
  const rows = Array.from(bytes, (byte, t) => {
    const channels = names.map((name, c) => {
      const value = features[t * names.length + c]!;
      return `"${name}":${Object.is(value, -0) ? '-0' : value}`;
    });
    return `{"byte":${byte},"channels":{${channels.join()}}}`;
  });
  return `[${rows.join(',\n ')}]`;
}
