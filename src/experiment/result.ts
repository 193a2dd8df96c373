import { z } from 'zod';
import { FileError } from '../common/errors.js';
import { readJsonFile, WRITTEN } from '../common/jsonFile.js';
import { checked, issuesOf } from '../train/issues.js';

const numbers = z.record(z.string(), z.number());

const resultSchema = z.object({
  arm: z.string(),
  K: z.number(),
  seed: z.number(),
  steps: z.number(),
  /** highest learning rate */
  lr: z.number(),
  measures: numbers,
  /** the same window by window, for the sampling error of the windows */
  scores: z.record(z.string(), z.object({ sums: z.array(z.number()), weights: z.array(z.number()) })),
  /**
   * the reason that there are no measures: the non-finite number, and the step. The weights are then those before it
   */
  non_finite: z.string().exactOptional(),
  parameters: z.object({ all: z.number(), door: z.number() }),
  /** SHA-256 of the last weights, without metadata: the same seeds on the same adapter give the same hash */
  weights_sha256: z.string(),
  /** hashes of the data, by input */
  data_sha256: z.array(z.object({ name: z.string(), sha256: z.string() })),
  /** commit of the code; absent outside a git checkout */
  commit: z.string().exactOptional(),
  /** floating-point operations of all updates, as `estimateCell` counts them */
  flops: z.number(),
  /** prefix and stream bytes per second, over all training steps, without validation and saving */
  bytes_per_second: z.number(),
  /** milliseconds of all training steps */
  training_milliseconds: z.number(),
  /** seconds from opening the data to the last validation, in the attempt that finished */
  seconds: z.number(),
  /** peak memory of the process in bytes, including a software driver's buffers */
  peak_memory_bytes: z.number(),
  /** number of skipped lines and files of the data */
  left_out: z.number(),
  /** the reasons, each with its file and line: the first hundred of each kind */
  left_out_reasons: z.array(z.string()).readonly(),
  order0_entropy: z.number().exactOptional(),
  /** bits per caption byte of a decoder that knows the frequency of each held-out caption and ignores the audio */
  caption_floor: z.number().exactOptional(),
  adapter: z.string(),
});

/** The result of a finished cell, in result.json of its run folder. */
export type CellResult = Readonly<z.output<typeof resultSchema>>;

/** A finished cell that was kept without its run has its validations too, as `curve`. */
const keptSchema = resultSchema.extend({
  curve: z.array(z.object({ step: z.number(), measures: numbers })).exactOptional(),
});

/** Read a result from a run folder, or a kept one. @throws FileError when it cannot be read, or is none */
export function readResult(path: string): z.output<typeof keptSchema> {
  const hint = 'remove it, and the cell is run again';
  let value: unknown;
  try {
    value = readJsonFile(path, WRITTEN);
  } catch (error) {
    throw new FileError(`${(error as Error).message}; ${hint}`);
  }
  const result = checked(keptSchema, value);
  if (!result.success) throw new FileError(`${path}: is no result of a cell; ${hint}: ${issuesOf(result.error, '')}`);
  return result.data;
}
