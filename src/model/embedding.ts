import { InputError } from '../common/errors.js';
import { hslFeatures } from '../engine/ops/hslFeatures.js';
import type { Tensor } from '../engine/tensor.js';
import { channelCount, VALUE_CHANNELS } from '../substrate/channels.js';
import { type ControlKind, controlTable } from '../substrate/controls.js';
import { type ChannelGroup, channelIndices } from '../substrate/groups.js';

/** Options of every embedding on tensors. */
export interface EmbeddingOptions {
  /** Prepend the raw bits: 35 columns in place of 27. Default false. */
  readonly includeBits?: boolean;
  /** Scale the two phase columns by r = 1/2 + |v - v_prev|/512. Default false. */
  readonly momentumPhase?: boolean;
  /** Columns to keep; the others are zero. Default all. */
  readonly columns?: readonly number[];
  /** The same as names, in place of `columns`: `['dxor', 'phase']`. */
  readonly groups?: ChannelGroup | readonly ChannelGroup[];
}

/** Options of an embedding with a table of values. */
export interface ControlOptions extends EmbeddingOptions {
  /** Whole number; fixes the table of `learned`, `random` and `permuted`. Default 0. */
  readonly seed?: number;
  /**
   * Name of the parameter of `learned`; embeddings of one program with the same name share it. Default
   * `door.values.weight`.
   */
  readonly name?: string;
}

/**
 * The substrate on tensors with another value table: HSL's frozen one, a trainable one, or a control that shows the
 * value of HSL's meaning. The context columns are exact, and the same for every kind.
 *
 *     const embedding = new ControlEmbedding('permuted', { seed: 3 });
 *     const x = embedding.features(ids);   // [B, L] → [B, L, 27]
 */
export class ControlEmbedding {
  /** 27, or 35 with raw bits. */
  readonly channels: number;
  /** [256, 18], row-major: the values of each byte; the initial ones for `learned`. */
  readonly table: Float32Array;
  /** Kept columns, ascending; undefined for all. */
  readonly columns: readonly number[] | undefined;
  readonly #name: string;

  /**
   * @throws InputError for an unknown kind or group, a seed that is not a whole number, or columns and groups at once
   */
  constructor(
    readonly kind: ControlKind,
    private readonly options: ControlOptions = {},
  ) {
    const { includeBits, columns, groups, seed, name = 'door.values.weight' } = options;
    if (columns !== undefined && groups !== undefined) {
      throw new InputError('embedding: give columns or groups, which name the same thing, not both');
    }
    this.channels = channelCount(includeBits);
    this.columns = groups === undefined ? columns : channelIndices(groups, includeBits);
    this.table = controlTable(kind, seed);
    this.#name = name;
  }

  /**
   * The channels of each id. Every row starts at the anchor; an id above 255 (MASK, EOS) has a row of zeros, and the
   * byte after it starts a new run.
   *
   * @param ids [..., L] u32
   * @returns [..., L, channels]
   * @throws ShapeError when ids are not u32
   */
  features(ids: Tensor): Tensor {
    const { includeBits = false, momentumPhase = false } = this.options;
    const columns = this.columns && { columns: this.columns };
    // HSL's own table is the op's default, and the only one whose scaled phase comes from the exact angle.
    const table = this.kind === 'hsl' ? undefined : { table: this.#tableIn(ids) };
    return hslFeatures(ids, { includeBits, momentumPhase, ...columns, ...table });
  }

  /** Numbers for the parameters that `features` declares, by name, for `Plan.compile`. Empty except for `learned`. */
  parameters(): Map<string, Float32Array> {
    return new Map(this.kind === 'learned' ? [[this.#name, this.table]] : []);
  }

  #tableIn({ program }: Tensor): Tensor {
    const shape = [256, VALUE_CHANNELS];
    if (this.kind !== 'learned') return program.constant(`${this.kind} values`, shape, this.table);
    const declared = program.parameters.find(({ name }) => name === this.#name);
    return declared?.tensor ?? program.parameter(this.#name, shape);
  }
}

/**
 * The substrate on tensors: 27 exact channels per byte, no parameter.
 *
 *     const x = new HslEmbedding().features(ids);   // [B, L] → [B, L, 27]
 */
export class HslEmbedding extends ControlEmbedding {
  constructor(options: EmbeddingOptions = {}) {
    super('hsl', options);
  }
}
