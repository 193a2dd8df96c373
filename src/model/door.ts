import { gatherRows } from '../engine/ops/gatherRows.js';
import { type HslOptions, hslFeatures } from '../engine/ops/hslFeatures.js';
import { join } from '../engine/ops/join.js';
import { linear } from '../engine/ops/linear.js';
import type { Tensor } from '../engine/tensor.js';
import { VALUE_CHANNELS } from '../substrate/channels.js';
import { controlTable } from '../substrate/controls.js';
import { channelsOf, type DecoderConfig } from './config.js';

/** A door on tensors: how prefix bytes become slots, and stream bytes rows. Rows may be narrower than dim. */
export interface Door {
  /** ids [B, P·K] → [B, P, ≤ dim] */
  slots(ids: Tensor): Tensor;
  /** ids [B, T] → [B, T, ≤ dim] */
  stream(ids: Tensor): Tensor;
}

/**
 * The door of a configuration, with its parameters by name.
 *
 * | door                          | slots                                             | stream              |
 * |-------------------------------|---------------------------------------------------|---------------------|
 * | zero                          | K rows of channels side by side                   | one row of channels |
 * | projected                     | those through a linear layer                      | likewise            |
 * | bytes                         | the first ⌊dim/K⌋ columns of each byte's embedding | its whole embedding |
 * | learned, random, permuted     | as zero, with another table of value columns      | likewise            |
 */
export function doorOf(config: DecoderConfig, parameters: ReadonlyMap<string, Tensor>): Door {
  const { door, dim, K } = config;
  const parameter = (name: string) => parameters.get(`door.${name}`)!;
  if (door === 'bytes') {
    const table = parameter('embedding.weight');
    return {
      slots: (ids) => sideBySide(gatherRows(table, ids, Math.floor(dim / K)), K),
      stream: (ids) => gatherRows(table, ids),
    };
  }
  const features = (ids: Tensor) => hslFeatures(ids, hslOptionsOf(config, parameters, ids));
  if (door === 'projected') {
    return {
      slots: (ids) => linear(sideBySide(features(ids), K), parameter('slots.weight'), parameter('slots.bias')),
      stream: (ids) => linear(features(ids), parameter('stream.weight'), parameter('stream.bias')),
    };
  }
  return { slots: (ids) => sideBySide(features(ids), K), stream: features };
}

/** [B, P·K, width] → [B, P, K·width]: byte k of a slot owns columns k·width .. (k+1)·width - 1. */
function sideBySide(rows: Tensor, K: number): Tensor {
  const [B, bytes, width] = rows.shape as [number, number, number];
  return rows.reshape([B, bytes / K, K * width]);
}

function hslOptionsOf(config: DecoderConfig, parameters: ReadonlyMap<string, Tensor>, ids: Tensor): HslOptions {
  const { door, includeBits = false, momentumPhase = false, columns, tableSeed = 0 } = config;
  const options = { includeBits, momentumPhase, ...(columns && { columns }) };
  if (door === 'learned') return { ...options, table: parameters.get('door.values.weight')! };
  if (door === 'random' || door === 'permuted') {
    const table = controlTable(door, tableSeed);
    return { ...options, table: ids.program.constant(`${door} values`, [256, VALUE_CHANNELS], table) };
  }
  return options;
}

/** Columns that a slot of this configuration fills, before zeros. */
export function slotWidth(config: DecoderConfig): number {
  if (config.door === 'projected') return config.dim;
  const perByte = config.door === 'bytes' ? Math.floor(config.dim / config.K) : channelsOf(config);
  return perByte * config.K;
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
): Tensor {
  const { program } = (prefix ?? stream)!;
  const B = (prefix ?? stream)!.shape[0]!;
  const door = doorOf(config, parameters);
  const nothing = () => program.constant('no rows', [B, 0, 1], new Float32Array(0));
  return program.scope('door', () =>
    join(prefix ? door.slots(prefix) : nothing(), stream ? door.stream(stream) : nothing(), config.dim),
  );
}
