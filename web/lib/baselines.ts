import card from '../../models/moby-dick.json';
import { MASK } from '../../src/substrate/channels.js';
import { order0Entropy } from '../../src/train/windows/textWindow.js';

/** Bits per byte of one way to predict a text. */
export interface Baseline {
  readonly name: string;
  readonly bits: number;
  /** a decoder's, not a yardstick */
  readonly isModel?: boolean;
}

/** Bits per byte of `gzip` on a text. */
async function gzipBits(bytes: Uint8Array): Promise<number> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip'));
  return (8 * (await new Response(stream).arrayBuffer()).byteLength) / bytes.length;
}

/** The loss of a text's bytes without a decoder: gzip's of all, the others' of those from L on. */
export async function baselinesOf(ids: Uint32Array, L: number): Promise<Baseline[]> {
  const bytes = Uint8Array.from(ids.filter((id) => id < MASK));
  return [
    { name: 'guessing among 258 ids', bits: Math.log2(258) },
    { name: 'gzip of this text', bits: await gzipBits(bytes) },
    { name: 'its byte frequencies (order 0)', bits: order0Entropy(bytes.subarray(L)) },
  ];
}

/** The same on the text that was held out when the decoder of the package was trained, from its card. */
export const HELD_OUT: readonly Baseline[] = [
  { name: 'guessing among 258 ids', bits: card.baselines.uniform },
  { name: 'its byte frequencies (order 0)', bits: card.baselines.order0 },
  { name: 'gzip -9 of all of it', bits: card.baselines.gzip },
  { name: 'the trained decoder', bits: card.heldOut.float16, isModel: true },
];
