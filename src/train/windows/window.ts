/**
 * MASK fills positions without a byte: padding, all zero at the door. EOS closes a document or a caption, and is
 * predicted like a byte.
 */
export { EOS, MASK } from '../../substrate/channels.js';

/** Kinds of window; a run uses one, two or all of them. */
export const WINDOW_KINDS = ['text', 'audio', 'video'] as const;
/** A kind of window. */
export type WindowKind = (typeof WINDOW_KINDS)[number];

/** The two sides of the split: training and held-out data. */
export type Split = 'train' | 'validation';

/** The position of a displayable part in a prefix or stream: ids `[start, end)`. */
export interface Part {
  readonly name: 'text' | 'frame' | 'audio' | 'caption';
  readonly start: number;
  readonly end: number;
}

/** One training example: a prefix that goes into slots, and a stream that is predicted. */
export interface Window {
  readonly kind: WindowKind;
  /** [L] bytes, or MASK for none */
  readonly prefix: Uint32Array;
  /** [T] ids to predict: bytes, EOS, or MASK for nothing to predict */
  readonly stream: Uint32Array;
  /** [T] 1 if the id counts in the loss, else 0 */
  readonly weights: Float32Array;
  readonly info: {
    /** its file or generator */
    readonly source: string;
    /** offset in the source: a byte, a sample or a frame */
    readonly at: number;
    readonly caption?: string;
    readonly parts: { readonly prefix: readonly Part[]; readonly stream: readonly Part[] };
  };
}

/** The size of a window. */
export interface WindowSize {
  /** L, bytes in a prefix */
  readonly prefix: number;
  /** T, ids in a stream */
  readonly stream: number;
}

/** Data of one input, in pieces. */
export interface Content {
  /** its name in messages: its path, `digits.jsonl and the recordings in it` */
  readonly name: string;
  readonly pieces: Iterable<Uint8Array | string>;
}

/**
 * A source of windows of one kind. It keeps no position: a window is a function of the seed, the step and its index in
 * the batch, so a resumed run needs only its step.
 */
export interface WindowSource {
  readonly kind: WindowKind;
  readonly name: string;
  readonly size: WindowSize;
  /** number of different training windows */
  readonly trainCount: number;
  /** the length of the fixed list of held-out windows */
  readonly validationCount: number;
  /** the split: files, lines of them, or ranges if a file is cut. Stored in the run folder */
  readonly split?: Readonly<Record<Split, readonly string[]>>;
  /** all data of the windows, by input: a run keeps a hash of each, to detect changes */
  readonly contents?: () => Iterable<Content>;
  sample(split: Split, seed: number, step: number, index: number): Window;
  /** the `index`-th of the fixed held-out windows */
  validation(index: number): Window;
  /** a few lines of text: counts, bytes, the split, the skipped items */
  describe(): string;
}
