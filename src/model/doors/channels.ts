import { hslFeatures } from '../../engine/ops/hslFeatures.js';
import { channelCount } from '../../substrate/channels.js';
import { embedIds } from '../../substrate/embed.js';
import { layer } from '../blocks.js';
import type { DecoderConfig } from '../config.js';
import { DEVIATION, type DoorDefinition, packSlots, sideBySide } from './definition.js';

/** HSL's channels, without a parameter. */
export const zero: DoorDefinition = {
  parameters: () => [],
  columns: ({ includeBits }) => channelCount(includeBits),
  build: (config) => sideBySide(config, (ids) => hslFeatures(ids, config)),
};

/** As `zero`, multiplied by two constants, so that slots and stream rows have a root mean square of 1 over dim. */
export const zeroScaled: DoorDefinition = {
  ...zero,
  build(config, parameters) {
    const { slots, stream } = zero.build(config, parameters);
    const factor = unitScale(config);
    return {
      slots: (ids) => slots(ids).mul(factor / Math.sqrt(config.K)),
      stream: (ids) => stream(ids).mul(factor),
    };
  },
};

/**
 * The factor that gives a row of one byte's channels, padded with zeros to dim, a root mean square of 1, on average
 * over all pairs of a byte and its predecessor: `√(dim / mean |row|²)`. K such rows side by side need `1/√K` of this
 * factor.
 */
export function unitScale(config: DecoderConfig): number {
  const kept = config.columns && new Set(config.columns);
  let squares = 0;
  for (let before = 0; before < 256; before++) {
    // `before` alternates with its successors: the channels at odd positions are those of the byte after `before`.
    const ids = Uint32Array.from({ length: 512 }, (_, i) => (i % 2 === 0 ? before : i >> 1));
    const { features, channels } = embedIds(ids, config);
    for (const [i, value] of features.entries()) {
      if (Math.floor(i / channels) % 2 === 1 && (!kept || kept.has(i % channels))) squares += value * value;
    }
  }
  return Math.sqrt(config.dim / (squares / 2 ** 16));
}

/** HSL's channels through a learned linear layer, one for slots and one for the stream. */
export const projected: DoorDefinition = {
  parameters: (config) => {
    const { dim: C, K } = config;
    const channels = channelCount(config.includeBits);
    return [
      { name: 'slots.weight', shape: [C, K * channels], init: DEVIATION },
      { name: 'slots.bias', shape: [C], init: 'zeros' },
      { name: 'stream.weight', shape: [C, channels], init: DEVIATION },
      { name: 'stream.bias', shape: [C], init: 'zeros' },
    ];
  },
  columns: () => 0,
  build(config, parameters) {
    return {
      slots: (ids) => layer(packSlots(hslFeatures(ids, config), config.K), { parameters }, 'door.slots'),
      stream: (ids) => layer(hslFeatures(ids, config), { parameters }, 'door.stream'),
    };
  },
};
