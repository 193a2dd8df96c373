import { z } from 'zod';
import { InputError } from '../../engine/errors.js';
import { checkConfig, type DecoderConfig, DOOR_KINDS, SIZES, type SizeName } from '../../model/config.js';

const whole = (least: number) => z.number().int().min(least);

/**
 * What a training run can be told, in a configuration file or by flags of the same names. Everything has a default; sizes
 * left out come from `size`.
 */
export const trainSchema = z.strictObject({
  /** text or JSONL files; none means the default text */
  text: z.array(z.string()).default([]),
  size: z.enum(Object.keys(SIZES) as [SizeName, ...SizeName[]]).default('tiny'),
  door: z.enum(DOOR_KINDS).default('zero'),
  K: whole(1).optional(),
  dim: whole(1).optional(),
  layers: whole(1).optional(),
  heads: whole(1).optional(),
  /** bytes of prefix and stream in a window */
  prefix: whole(0).default(128),
  stream: whole(1).default(128),
  /** windows per batch, and batches per update */
  batch: whole(1).default(8),
  accumulate: whole(1).default(1),
  steps: whole(0).default(300),
  lr: z.number().positive().default(2e-3),
  warmup: whole(0).default(20),
  decay: z.enum(['matrices', 'all']).default('matrices'),
  seed: whole(0).default(0),
  evalEvery: whole(0).default(100),
  saveEvery: whole(0).default(100),
  /** run folder; the default is named after the time */
  out: z.string().optional(),
  device: z.string().optional(),
});

/** What was told, defaults filled in. */
export type TrainOptions = z.output<typeof trainSchema>;
export type TrainInput = z.input<typeof trainSchema>;

/**
 * Check options of any origin and fill the defaults in.
 *
 * @param from names the origin in messages: a file, or the command line
 * @throws InputError with a line per thing that is wrong
 */
export function resolveTrainOptions(input: unknown, from: string): TrainOptions {
  const result = trainSchema.safeParse(input);
  if (!result.success) throw new InputError(`${from}: ${z.prettifyError(result.error)}`);
  checkConfig(decoderConfigOf(result.data));
  return result.data;
}

/** The decoder that the options describe: a named size, with single numbers replaced. */
export function decoderConfigOf(options: TrainOptions): DecoderConfig {
  const { dim, layers, heads, K } = { ...SIZES[options.size], ...given(options) };
  return { door: options.door, dim, layers, heads, K };
}

function given({ dim, layers, heads, K }: TrainOptions) {
  return Object.fromEntries(Object.entries({ dim, layers, heads, K }).filter(([, value]) => value !== undefined)) as {
    [name in 'dim' | 'layers' | 'heads' | 'K']?: number;
  };
}
