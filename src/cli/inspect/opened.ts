/** The decoder and the text that a page of the explorer opens on. */
export interface Opened {
  /** the decoder's name in a sentence */
  readonly name: string;
  /** that of the package, another that has learned, or one that has not */
  readonly kind: 'package' | 'trained' | 'fresh';
  /** a checkpoint file, base64 */
  readonly checkpoint: string;
  readonly text: string;
  /** bytes of the text that are given; the others are predicted */
  readonly before: number;
  /** bytes of a recording that are given instead: the text is its caption, which EOS closes */
  readonly recording?: readonly number[];
}

/**
 * The text of a page that names none: the end of Moby-Dick (Herman Melville, 1851; public domain), which is not in the
 * training data of the decoder of models/.
 */
export const FIRST_TEXT =
  'a sullen white surf beat against its steep sides; then all collapsed, and the great shroud of the sea rolled on as it rolled five thousand years ago.';
