/** Channels by group: the columns of each group, and their selection. */
import { InputError } from '../common/errors.js';
import { channelCount, channelNames } from './channels.js';

/** The six groups of columns, and two larger ones composed of them. */
export type ChannelGroup = 'bits' | 'dxor' | 'd2xor' | 'boundary' | 'fourier' | 'phase' | 'value' | 'context';

const PREFIXES: Readonly<Record<string, RegExp>> = {
  bits: /^bit/,
  dxor: /^dxor/,
  d2xor: /^d2xor/,
  boundary: /^boundary/,
  fourier: /^fft/,
  phase: /^phase/,
  value: /^(bit|dxor|fft|phase)/,
  context: /^(d2xor|boundary)/,
};

/**
 * Columns of every group, ascending. `value` has the columns that depend on the byte alone, `context` those that also
 * depend on earlier bytes. `bits` exists only with `includeBits`.
 *
 *     channelGroups().phase       // [25, 26]
 *     channelGroups(true).phase   // [33, 34]
 */
export function channelGroups(includeBits = false): Partial<Record<ChannelGroup, number[]>> {
  const names = channelNames(includeBits);
  const columns = (pattern: RegExp) => names.flatMap((name, at) => (pattern.test(name) ? [at] : []));
  const groups = Object.entries(PREFIXES).map(([group, pattern]) => [group, columns(pattern)] as const);
  return Object.fromEntries(groups.filter(([, at]) => at.length > 0));
}

/**
 * The columns of one or more groups, ascending, each once.
 *
 *     channelIndices(['phase', 'boundary'])   // [16, 25, 26]
 *
 * @throws InputError for an unknown group, or for `bits` without `includeBits`
 */
export function channelIndices(groups: ChannelGroup | readonly ChannelGroup[], includeBits = false): number[] {
  const all = channelGroups(includeBits);
  const columns = [groups].flat().flatMap((group) => {
    const at = Object.hasOwn(all, group) ? all[group] : undefined;
    if (at) return at;
    if (group === 'bits') throw new InputError('channelIndices: bits are among the channels only with includeBits');
    throw new InputError(`channelIndices: unknown group ${String(group)}; groups are ${Object.keys(all).join(', ')}`);
  });
  return [...new Set(columns)].sort((a, b) => a - b);
}

/**
 * The columns of some groups from rows of features.
 *
 * @param features [length, channels]
 * @param channels 27, or 35 with raw bits
 * @returns [length, channelIndices(groups).length], a copy
 * @throws InputError when `features` is not whole rows of 27 or 35, or for an unknown group
 */
export function selectChannels(
  features: Float32Array,
  channels: number,
  groups: ChannelGroup | readonly ChannelGroup[],
): Float32Array {
  if (channels !== channelCount() && channels !== channelCount(true)) {
    throw new InputError(`selectChannels: channels must be 27 or 35; got ${channels}`);
  }
  if (features.length % channels !== 0) {
    throw new InputError(
      `selectChannels: features must be whole rows of ${channels} channels; got ${features.length} entries`,
    );
  }
  const columns = channelIndices(groups, channels === channelCount(true));
  const length = features.length / channels;
  const selected = new Float32Array(length * columns.length);
  for (let t = 0, to = 0; t < length; t++) {
    for (const column of columns) selected[to++] = features[t * channels + column]!;
  }
  return selected;
}
