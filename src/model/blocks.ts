import { addLayerNorm } from '../engine/ops/addLayerNorm.js';
import { attention } from '../engine/ops/attention.js';
import { gelu } from '../engine/ops/gelu.js';
import { layerNorm } from '../engine/ops/layerNorm.js';
import { linear } from '../engine/ops/linear.js';
import { type Heads, rotary } from '../engine/ops/rotary.js';
import type { Tensor } from '../engine/tensor.js';
import type { DecoderConfig } from './config.js';

/** Inputs shared by all blocks of one forward pass. */
export interface DecoderPass {
  readonly config: DecoderConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** slots, which every position sees */
  readonly P: number;
  /** [positions, D] from `rotaryTable` */
  readonly angles: Tensor;
  /** [1] u32: position of the first row */
  readonly position: Tensor;
  /**
   * Number of leading rows that are not read: slots, after the last attention has seen them. Its block continues
   * without them. Default 0
   */
  readonly dropRows?: number;
  /** replaces `rotary` in a block: generation has caches of keys and values */
  readonly toHeads?: (qkv: Tensor, block: number) => Heads;
}

/**
 * The pre-norm transformer: for each block `x += out(attention(norm1(x)))`, `x += down(gelu(up(norm2(x))))`, then the
 * final norm. A residual connection and the norm after it are one op, so each block passes on its sum and, separately,
 * the term that is still to be added.
 *
 * @param x [B, S, C], from the door
 * @returns [B, S - unread, C], normalised; `head` turns stream rows into logits
 * @see Radford et al. 2019 (GPT-2) for pre-norm; Raffel et al. 2020, arXiv:1910.10683 for the prefix-LM mask
 */
export function decoderBlocks(x: Tensor, pass: DecoderPass): Tensor {
  const { parameters, config, dropRows = 0 } = pass;
  const pair = (name: string) => [parameters.get(`${name}.weight`)!, parameters.get(`${name}.bias`)!] as const;
  const scope = <T>(name: string, body: () => T) => x.program.scope(name, body);
  let residual = x; // [B, S, C]
  let delta: Tensor | undefined; // the term that the previous block adds to it
  for (let i = 0; i < config.layers; i++) {
    const block = `blocks.${i}`;
    let normed: Tensor;
    [residual, normed] = scope(`${block}.norm1`, () => addNorm(residual, delta, ...pair(`${block}.norm1`)));
    const skipped = i === config.layers - 1 ? dropRows : 0; // from here on x is [B, S - skipped, C]
    delta = scope(`${block}.attention`, () => attentionLayer(normed, pass, i, skipped));
    residual = scope(`${block}.norm2`, () => residual.slice(1, skipped));
    [residual, normed] = scope(`${block}.norm2`, () => addNorm(residual, delta, ...pair(`${block}.norm2`)));
    delta = scope(`${block}.mlp`, () => mlp(normed, pass, i));
  }
  return scope('norm', () => addNorm(residual, delta, ...pair('norm'))[1]);
}

/** sum = x + delta and its norm; before the first block there is no delta. */
function addNorm(x: Tensor, delta: Tensor | undefined, weight: Tensor, bias: Tensor): [sum: Tensor, y: Tensor] {
  return delta === undefined ? [x, layerNorm(x, weight, bias)] : addLayerNorm(x, delta, weight, bias);
}

/** The first `skipped` rows are only keys and values: they get no output. */
function attentionLayer(x: Tensor, pass: DecoderPass, block: number, skipped: number): Tensor {
  const { config, P, angles, position } = pass;
  const { toHeads = (qkv) => rotary(qkv, angles, position, config.heads) } = pass;
  const inner = (part: string, x: Tensor) =>
    x.program.scope(part, () => layer(x, pass, `blocks.${block}.attention.${part}`));
  const qkv = inner('qkv', x); // [B, S, 3C]
  const { q, k, v } = toHeads(qkv, block); // each [B, H, S, D]
  const y = attention(q, k, v, position, P); // [B, S, C], heads concatenated again
  return inner('out', y.slice(1, skipped)); // [B, S - skipped, C]
}

/** down(gelu(up(x))), four times as wide in between. */
function mlp(x: Tensor, pass: DecoderPass, block: number): Tensor {
  const inner = (part: string, x: Tensor) => x.program.scope(part, () => layer(x, pass, `blocks.${block}.mlp.${part}`));
  return inner('down', gelu(inner('up', x)));
}

/** The linear layer with the parameters `name.weight` and `name.bias`. */
export function layer(x: Tensor, { parameters }: Pick<DecoderPass, 'parameters'>, name: string): Tensor {
  return linear(x, parameters.get(`${name}.weight`)!, parameters.get(`${name}.bias`)!);
}
