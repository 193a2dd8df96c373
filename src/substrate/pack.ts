/** Several byte strings of different lengths in one rectangular array, padded with rows of zeros. */
import { InputError } from '../common/errors.js';
import { channelCount } from './channels.js';
import { checkBytes, checkTable, type EmbedOptions, writeChannels, writePhase } from './embed.js';

/** N byte strings, padded to the longest. */
export interface Packed {
  /** [N, maxLength, channels]; rows past a string's end are all zero (a real 0x00 has phase_cos = 1). */
  readonly features: Float32Array;
  /** [N, maxLength], radians; 0 past a string's end. */
  readonly phase: Float32Array;
  /** [N, maxLength], 1 for a byte, 0 past a string's end. */
  readonly mask: Uint8Array;
  /** [N, maxLength, channels] */
  readonly shape: readonly [number, number, number];
}

/**
 * Channels of N byte strings as one batch. Each string starts at the anchor; one longer than `maxLength` is truncated.
 *
 * @param list N byte strings, which may be empty
 * @param maxLength rows per string, at least 1; default the longest string
 * @throws InputError when an item is not a Uint8Array or maxLength is not a positive integer
 */
export function pack(list: readonly Uint8Array[], maxLength?: number, options: EmbedOptions = {}): Packed {
  if (!Array.isArray(list)) throw new InputError('pack: list must be an array of Uint8Array');
  list.forEach((bytes, n) => {
    checkBytes(`pack: item ${n}`, bytes);
  });
  checkTable('pack', options.table);
  const rows = maxLength ?? list.reduce((most, bytes) => Math.max(most, bytes.length), 1);
  if (!Number.isInteger(rows) || rows < 1) {
    throw new InputError(`pack: maxLength must be an integer, at least 1; got ${rows}`);
  }
  const channels = channelCount(options.includeBits);
  const features = new Float32Array(list.length * rows * channels);
  const phase = new Float32Array(list.length * rows);
  const mask = new Uint8Array(list.length * rows);
  list.forEach((ids, n) => {
    const count = Math.min(ids.length, rows);
    const at = n * rows;
    writeChannels({ ids, from: 0, count }, { out: features, at: at * channels, perSlot: 1, stride: channels }, options);
    writePhase(ids, 0, count, phase, at);
    mask.fill(1, at, at + count);
  });
  return { features, phase, mask, shape: [list.length, rows, channels] };
}
