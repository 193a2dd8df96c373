import type { Tensor } from '../../engine/tensor.js';
import type { DecoderConfig } from '../config.js';

/** A door on tensors: how prefix bytes become slots, and stream bytes rows. Rows may be narrower than dim. */
export interface Door {
  /** ids [B, P·K] → [B, P, ≤ dim] */
  slots(ids: Tensor): Tensor;
  /** ids [B, T] → [B, T, ≤ dim] */
  stream(ids: Tensor): Tensor;
}

/** Makes the door of a configuration; a door of your own is one of these. */
export type DoorBuilder = (config: DecoderConfig, parameters: ReadonlyMap<string, Tensor>) => Door;

/** Standard deviation of every matrix at the start. */
export const DEVIATION = 0.02;

/** A parameter of a door. */
export interface DoorParameter {
  /** behind `door.` */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: number | 'zeros';
}

/** A door by name: its parameters, and how it is built from them. */
export interface DoorDefinition {
  readonly parameters: (config: DecoderConfig) => DoorParameter[];
  readonly build: DoorBuilder;
  /** columns of dim that a byte takes in a slot, K of them side by side; undefined where any K up to dim fits */
  readonly columns: (config: DecoderConfig) => number | undefined;
}
