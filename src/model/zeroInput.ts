import { padOrCrop } from '../engine/ops/padOrCrop.js';
import type { Tensor } from '../engine/tensor.js';
import { slotCount, type Tail } from '../substrate/slots.js';
import { packSlots } from './doors/definition.js';
import { type EmbeddingOptions, HslEmbedding } from './embedding.js';

/** Options of a zero-pad on tensors. */
export interface ZeroDoorOptions extends EmbeddingOptions {
  /** Bytes per slot. Default 8. */
  readonly K?: number;
  /** Width of a slot, C of the decoder; at least channels·K. Default 512. */
  readonly dim?: number;
  /** Handling of an incomplete last slot: pad it with 0x00, or drop it. Default 'pad'. */
  readonly tail?: Tail;
}

/**
 * The zero door on tensors: K bytes per slot, their channels side by side, zeros up to the width of the model.
 * `zeroInput` does the same on plain arrays.
 *
 *     const zero = new ZeroInput({ K: 8, dim: 256 });
 *     const slots = zero.forward(ids);   // [B, 300] → [B, 38, 256]
 */
export class ZeroInput {
  readonly embedding: HslEmbedding;
  readonly K: number;
  readonly dim: number;
  readonly tail: Tail;

  /**
   * @throws InputError when K·channels > dim (it names the largest K), or an option is invalid
   */
  constructor({ K = 8, dim = 512, tail = 'pad', ...options }: ZeroDoorOptions = {}) {
    this.embedding = new HslEmbedding(options);
    slotCount(0, K, dim, tail, this.embedding.channels); // checks them
    this.K = K;
    this.dim = dim;
    this.tail = tail;
  }

  /** [B, L] → [B, L, channels] */
  features(ids: Tensor): Tensor {
    return this.embedding.features(ids);
  }

  /** [B, L] → [B, P, dim]: byte k of a slot owns columns channels·k .. channels·(k + 1) - 1, the rest is zero. */
  forward(ids: Tensor): Tensor {
    return padOrCrop(this.slots(ids), this.dim);
  }

  /** [B, T] → [B, T, dim]: a row per byte, the rest zero. */
  stream(ids: Tensor): Tensor {
    return padOrCrop(this.features(ids), this.dim);
  }

  /** As `forward`, before the zeros: [B, L] → [B, P, K·channels]. */
  slots(ids: Tensor): Tensor {
    const { K, dim, tail, embedding } = this;
    const L = ids.shape.at(-1) ?? 0;
    const P = slotCount(L, K, dim, tail, embedding.channels);
    // Ids are padded with 0, the byte 0x00, or cut at the last whole slot.
    return packSlots(this.features(padOrCrop(ids, P * K)), K);
  }
}
