import { InputError } from '../common/errors.js';
import { gatherRows } from '../engine/ops/gatherRows.js';
import { join } from '../engine/ops/join.js';
import { linear } from '../engine/ops/linear.js';
import type { Tensor } from '../engine/tensor.js';
import { type DecoderConfig, OWN_DOOR } from './config.js';
import { ControlEmbedding } from './embedding.js';
import { sideBySide, ZeroInput } from './zeroInput.js';

/** A door on tensors: how prefix bytes become slots, and stream bytes rows. Rows may be narrower than dim. */
export interface Door {
  /** ids [B, P·K] → [B, P, ≤ dim] */
  slots(ids: Tensor): Tensor;
  /** ids [B, T] → [B, T, ≤ dim] */
  stream(ids: Tensor): Tensor;
}

/** Makes the door of a configuration; a door of your own is one of these. */
export type DoorBuilder = (config: DecoderConfig, parameters: ReadonlyMap<string, Tensor>) => Door;

/**
 * The door of a configuration, with its parameters by name.
 *
 * | door                          | slots                                             | stream              |
 * |-------------------------------|---------------------------------------------------|---------------------|
 * | zero                          | K rows of channels side by side                   | one row of channels |
 * | projected                     | those through a linear layer                      | likewise            |
 * | bytes                         | the first ⌊dim/K⌋ columns of each byte's embedding | its whole embedding |
 * | learned, random, permuted     | as zero, with another table of value columns      | likewise            |
 *
 * @throws InputError for `own`: such a door is known to the program that has it, and to no other
 */
export function doorOf(config: DecoderConfig, parameters: ReadonlyMap<string, Tensor>): Door {
  const { door, dim, K } = config;
  if (door === OWN_DOOR) {
    throw new InputError(
      'door: these weights belong to a door of their own; hand it to recordForward or Trainer.create as `door`',
    );
  }
  const parameter = (name: string) => parameters.get(`door.${name}`)!;
  if (door === 'bytes') {
    const table = parameter('embedding.weight');
    return {
      slots: (ids) => sideBySide(gatherRows(table, ids, Math.floor(dim / K)), K),
      stream: (ids) => gatherRows(table, ids),
    };
  }
  const { includeBits = false, momentumPhase = false, columns, tableSeed = 0 } = config;
  const options = { includeBits, momentumPhase, seed: tableSeed, ...(columns && { columns }) };
  if (door === 'projected') {
    const embedding = new ControlEmbedding('hsl', options);
    const layer = (name: string, x: Tensor) => linear(x, parameter(`${name}.weight`), parameter(`${name}.bias`));
    return {
      slots: (ids) => layer('slots', sideBySide(embedding.features(ids), K)),
      stream: (ids) => layer('stream', embedding.features(ids)),
    };
  }
  const kind = door === 'zero' ? 'hsl' : door;
  const zero = new ZeroInput({ ...options, K, dim, kind });
  return { slots: (ids) => zero.slots(ids), stream: (ids) => zero.features(ids) };
}

/**
 * The decoder's input from ids: slots above stream, [B, P + T, dim].
 *
 * @param prefix [B, P·K] u32, undefined where there are no slots   @param stream [B, T] u32, undefined where there is none
 */
export function throughDoor(
  config: DecoderConfig,
  parameters: ReadonlyMap<string, Tensor>,
  prefix: Tensor | undefined,
  stream: Tensor | undefined,
  builder: DoorBuilder = doorOf,
): Tensor {
  const { program } = (prefix ?? stream)!;
  const B = (prefix ?? stream)!.shape[0]!;
  const door = builder(config, parameters);
  const nothing = () => program.constant('no rows', [B, 0, 1], new Float32Array(0));
  return program.scope('door', () =>
    join(prefix ? door.slots(prefix) : nothing(), stream ? door.stream(stream) : nothing(), config.dim),
  );
}
