import { VALUE_CHANNELS } from '../../substrate/channels.js';
import type { ControlKind } from '../../substrate/controls.js';
import { ControlEmbedding } from '../controlEmbedding.js';
import { zero } from './channels.js';
import { DEVIATION, type DoorDefinition, sideBySide } from './definition.js';

/** As `zero`, with another table in place of HSL's values. */
function zeroWith(kind: ControlKind): DoorDefinition {
  return {
    ...zero,
    build(config) {
      const embedding = new ControlEmbedding(kind, { ...config, seed: config.tableSeed ?? 0 });
      return sideBySide(config, (ids) => embedding.features(ids));
    },
  };
}

/** As `zero`, with a random table of the same column statistics in place of HSL's values. */
export const random: DoorDefinition = zeroWith('random');
/** As `zero`, with HSL's rows given to other bytes. */
export const permuted: DoorDefinition = zeroWith('permuted');
/** As `zero`, with a trainable table in place of HSL's values. */
export const learned: DoorDefinition = {
  ...zeroWith('learned'),
  parameters: () => [{ name: 'values.weight', shape: [256, VALUE_CHANNELS], init: DEVIATION }],
};
