/**
 * The substrate's public names, see README.md for the reading order.
 *
 * @module
 */
export {
  CHANNELS,
  CHANNELS_WITH_BITS,
  channelCount,
  channelNames,
  EOS,
  MASK,
  VALUE_CHANNELS,
  VOCABULARY,
} from './channels.js';
export { decode, encode, type Frame } from './codec.js';
export { CONTROL_KINDS, type ControlKind, controlOrder, controlTable } from './controls.js';
export { type Embedding, type EmbedOptions, embed, embedIds, type Ids, type OutOptions } from './embed.js';
export { type ChannelGroup, channelGroups, channelIndices, selectChannels } from './groups.js';
export { type Packed, pack } from './pack.js';
export { type Tail, type ZeroInputOptions, zeroInput } from './slots.js';
export { packedTable, valueTable } from './table.js';
