/** MASK stands where there is no byte: padding, all zero at the door. EOS closes a document or a caption, and is predicted like a byte. */
export { EOS, MASK } from '../../substrate/channels.js';

/** Kinds of window; a run is trained on one, two or all of them. */
export const WINDOW_KINDS = ['text', 'audio', 'video'] as const;
/** A kind of window. */
export type WindowKind = (typeof WINDOW_KINDS)[number];

/** The two sides that data is split into: to learn from, and held out. */
export type Split = 'train' | 'validation';

/** Where something a person can look at lies in a prefix or stream: ids `[start, end)`. */
export interface Part {
  readonly name: 'text' | 'frame' | 'audio' | 'caption';
  readonly start: number;
  readonly end: number;
}

/** One training example: a prefix that goes into slots, and a stream that is predicted. */
export interface Window {
  readonly kind: WindowKind;
  /** [L] bytes, or MASK where there is none */
  readonly prefix: Uint32Array;
  /** [T] ids to predict: bytes, EOS, or MASK where there is nothing to predict */
  readonly stream: Uint32Array;
  /** [T] 1 where the id counts in the loss, else 0 */
  readonly weights: Float32Array;
  readonly info: {
    /** the file or generator it came from */
    readonly source: string;
    /** where in the source: a byte, a sample or a frame */
    readonly at: number;
    readonly caption?: string;
    readonly parts: { readonly prefix: readonly Part[]; readonly stream: readonly Part[] };
  };
}

/** How long a window is. */
export interface WindowSize {
  /** L, bytes in a prefix */
  readonly prefix: number;
  /** T, ids in a stream */
  readonly stream: number;
}

/** Data of one input, in pieces. */
export interface Content {
  /** how messages call the input: its path, `digits.jsonl and the recordings in it` */
  readonly name: string;
  readonly pieces: Iterable<Uint8Array | string>;
}

/**
 * A supply of windows of one kind. It holds no position: a window is a function of the seed, the step and its place in the
 * batch, so a resumed run needs nothing but its step.
 */
export interface WindowSource {
  readonly kind: WindowKind;
  readonly name: string;
  readonly size: WindowSize;
  /** how many different windows there are to draw */
  readonly trainCount: number;
  /** the length of the fixed list of held-out windows */
  readonly validationCount: number;
  /** what lies on which side: files, lines of them, or ranges where a file is cut. A run keeps it */
  readonly split?: Readonly<Record<Split, readonly string[]>>;
  /** all that windows are cut from, by the input it came from: a run keeps a hash of each, to notice when one changes */
  readonly contents?: () => Iterable<Content>;
  sample(split: Split, seed: number, step: number, index: number): Window;
  /** the `index`-th of the fixed held-out windows */
  validation(index: number): Window;
  /** a few lines for a person: counts, bytes, the split, what was left out */
  describe(): string;
}
