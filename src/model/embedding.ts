import { InputError } from '../common/errors.js';
import { hslFeatures } from '../engine/ops/hslFeatures.js';
import type { Program } from '../engine/program.js';
import type { Tensor } from '../engine/tensor.js';
import { channelCount } from '../substrate/channels.js';
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

/**
 * The substrate on tensors: 27 exact channels per byte, no parameter.
 *
 *     const x = new HslEmbedding().features(ids);   // [B, L] → [B, L, 27]
 */
export class HslEmbedding {
  /** 27, or 35 with raw bits. */
  readonly channels: number;
  /** Kept columns, ascending; undefined for all. */
  readonly columns: readonly number[] | undefined;

  /** @throws InputError for an unknown group, or columns and groups at once */
  constructor(private readonly options: EmbeddingOptions = {}) {
    const { includeBits, columns, groups } = options;
    if (columns !== undefined && groups !== undefined) {
      throw new InputError('embedding: give columns or groups, which name the same thing, not both');
    }
    this.channels = channelCount(includeBits);
    this.columns = groups === undefined ? columns : channelIndices(groups, includeBits);
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
    const table = this.tableIn(ids.program);
    return hslFeatures(ids, { includeBits, momentumPhase, ...columns, ...(table && { table }) });
  }

  /** A table of values [256, 18] in place of HSL's own, which is the op's default. */
  protected tableIn(_program: Program): Tensor | undefined {
    return undefined;
  }
}
