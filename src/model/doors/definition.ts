import type { Tensor } from '../../engine/tensor.js';
import type { DecoderConfig } from '../config.js';

/**
 * A door on tensors: two functions, from prefix bytes to slots and from stream bytes to rows. Rows may be narrower than
 * dim.
 */
export interface Door {
  /** ids [B, P·K] → [B, P, ≤ dim] */
  slots(ids: Tensor): Tensor;
  /** ids [B, T] → [B, T, ≤ dim] */
  stream(ids: Tensor): Tensor;
}

/** Creates the door of a configuration; a custom door is one of these. */
export type DoorBuilder = (config: DecoderConfig, parameters: ReadonlyMap<string, Tensor>) => Door;

/** Initial standard deviation of every matrix. */
export const DEVIATION = 0.02;

/** A parameter of a door. */
export interface DoorParameter {
  /** name after `door.` */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: number | 'zeros';
}

/** A door by name: its parameters, and the function that builds it from them. */
export interface DoorDefinition {
  readonly parameters: (config: DecoderConfig) => DoorParameter[];
  readonly build: DoorBuilder;
  /** columns of dim that a byte takes in a slot, K of them side by side; undefined if any K up to dim fits */
  readonly columns: (config: DecoderConfig) => number | undefined;
}

/** The door whose slots are the rows of K bytes side by side; `rows` makes [B, L, width] of ids [B, L]. */
export function sideBySide({ K }: DecoderConfig, rows: (ids: Tensor) => Tensor): Door {
  return { slots: (ids) => packSlots(rows(ids), K), stream: rows };
}

/** [..., P·K, width] → [..., P, K·width]: byte k of a slot owns columns k·width .. (k + 1)·width - 1. */
export function packSlots(rows: Tensor, K: number): Tensor {
  const batch = rows.shape.slice(0, -2);
  const [bytes, width] = rows.shape.slice(-2) as [number, number];
  return rows.reshape([...batch, bytes / K, K * width]);
}
