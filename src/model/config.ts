import { checkWhole, InputError } from '../common/errors.js';
import { DOORS } from './doors/index.js';

/** A kind of input embedding, by its name in `doors/index.ts`. */
export type DoorKind = keyof typeof DOORS;
/** The zero-parameter door, learned doors, and the controls. */
export const DOOR_KINDS = Object.keys(DOORS) as DoorKind[];

/** The value of `config.door` for a custom door, so that its weights are not loaded with another door by mistake. */
export const OWN_DOOR = 'own';

/** Everything that determines the shapes and the meaning of a decoder's parameters. */
export interface DecoderConfig {
  /** the input embedding; `own` for a custom `DoorBuilder` */
  readonly door: DoorKind | typeof OWN_DOOR;
  /** C, columns of every position */
  readonly dim: number;
  readonly layers: number;
  /** H; dim must be divisible by it, into heads of even width */
  readonly heads: number;
  /** bytes per slot */
  readonly K: number;
  /** prepend the raw bits: 35 channels in place of 27 */
  readonly includeBits?: boolean;
  /** scale the two phase columns by the step from the byte before */
  readonly momentumPhase?: boolean;
  /** columns to keep, the others are zero; default all */
  readonly columns?: readonly number[];
  /** seed of the `random` and `permuted` tables */
  readonly tableSeed?: number;
  /** constant factor of all rows of the door; default 1 */
  readonly doorScale?: number;
}

/** Sizes by name. `lean` is that of the run this project began with: 25.2 M parameters in its blocks. */
export const SIZES = {
  tiny: { dim: 128, layers: 2, heads: 4, K: 4 },
  small: { dim: 256, layers: 4, heads: 4, K: 8 },
  lean: { dim: 512, layers: 8, heads: 8, K: 8 },
} as const;
/** One of the names in `SIZES`. */
export type SizeName = keyof typeof SIZES;

/** Maximum sizes; a file with larger ones is damaged or malicious. */
export const MAX_SIZES = { dim: 65_536, layers: 1024, heads: 4096, K: 4096 } as const;

/**
 * Refuse a configuration that cannot be built.
 *
 * @throws InputError with the rule, and a value that would fit
 */
export function checkConfig(config: DecoderConfig): void {
  const { door, dim, layers, heads, K } = config;
  for (const [name, value] of Object.entries({ dim, layers, heads, K })) {
    checkWhole(name, value, 1);
    const largest = MAX_SIZES[name as keyof typeof MAX_SIZES];
    if (value > largest) throw new InputError(`${name} must be at most ${largest}; got ${value}`);
  }
  const doors = [...DOOR_KINDS, OWN_DOOR];
  if (!doors.includes(door)) throw new InputError(`door must be one of ${doors.join(', ')}; got ${door}`);
  if (dim % heads !== 0) {
    const fitting = [...Array(dim).keys()].map((i) => i + 1).filter((h) => dim % h === 0 && (dim / h) % 2 === 0);
    const near = fitting.sort((a, b) => Math.abs(a - heads) - Math.abs(b - heads))[0];
    throw new InputError(
      `dim must be divisible by heads; got dim ${dim}, heads ${heads}${near ? `. heads ${near} would fit` : ''}`,
    );
  }
  if ((dim / heads) % 2 !== 0) {
    throw new InputError(
      `heads must have an even width, for rotary positions; got dim ${dim} / heads ${heads} = ${dim / heads}`,
    );
  }
  const { doorScale = 1 } = config;
  if (!(doorScale > 0 && doorScale < Infinity))
    throw new InputError(`doorScale must be above 0 and finite; got ${doorScale}`);
  if (door === OWN_DOOR) return; // a custom door has its own rows
  const columns = DOORS[door].columns(config);
  if (columns === undefined) {
    if (K > dim) throw new InputError(`K must be at most dim for the ${door} door; got K ${K}, dim ${dim}`);
  } else if (K * columns > dim) {
    const largest = Math.floor(dim / columns);
    throw new InputError(
      `K·${columns} must be at most dim; got K ${K}, so ${K * columns} > dim ${dim}` +
        (largest > 0 ? `. The largest K for this dim is ${largest}` : `. dim must be at least ${columns}`),
    );
  }
}
