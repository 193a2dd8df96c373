import { EOS, MASK, type Window, type WindowSize } from './window.js';

/**
 * Bytes that belong together. `closed`: the text ends here, so an EOS follows; the front part of a cut text does not
 * end.
 */
export interface TextDocument {
  readonly source: string;
  /** byte offset in its source; 0 except for the end of a cut text */
  readonly from?: number;
  readonly bytes: Uint8Array;
  readonly closed: boolean;
}

/** Every position at which a window can start in some documents, numbered from 0. */
export class Positions {
  readonly count: number;
  /** starts[d]: number of the first position in document d */
  private readonly starts: number[] = [];

  constructor(
    private readonly documents: readonly TextDocument[],
    private readonly size: WindowSize,
  ) {
    let count = 0;
    for (const document of documents) {
      this.starts.push(count);
      const { first, last } = this.range(document);
      count += last - first + 1;
    }
    this.count = count;
  }

  /**
   * Where a stream may begin in a document of n ids (its EOS included): prefix and stream must be full, `[L, n - T]`;
   * in a document too short for that, as many ids as possible are predicted.
   */
  private range({ bytes, closed }: TextDocument): { first: number; last: number } {
    const { prefix, stream } = this.size;
    const ids = bytes.length + (closed ? 1 : 0);
    return {
      first: Math.min(prefix, Math.max(0, ids - stream)),
      last: Math.max(Math.min(prefix, ids - 1), ids - stream),
    };
  }

  window(position: number): Window {
    let low = 0; // the last document that starts at or before the position
    for (let high = this.starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= position) low = middle;
      else high = middle;
    }
    const document = this.documents[low]!;
    const at = this.range(document).first + position - this.starts[low]!;
    return textWindow(document, at, this.size);
  }
}

/** The window whose stream begins at byte `at` of a document. */
export function textWindow({ source, bytes, closed }: TextDocument, at: number, size: WindowSize): Window {
  const prefix = new Uint32Array(size.prefix).fill(MASK);
  const before = bytes.subarray(Math.max(0, at - size.prefix), at);
  prefix.set(before, size.prefix - before.length); // the available bytes are next to the stream
  const stream = new Uint32Array(size.stream).fill(MASK);
  const after = bytes.subarray(at, at + size.stream);
  stream.set(after);
  let length = after.length;
  if (closed && length < size.stream) stream[length++] = EOS;
  return {
    kind: 'text',
    prefix,
    stream,
    weights: new Float32Array(size.stream).fill(1, 0, length),
    info: {
      source,
      at,
      parts: {
        prefix: [{ name: 'text', start: size.prefix - before.length, end: size.prefix }],
        stream: [{ name: 'text', start: 0, end: after.length }],
      },
    },
  };
}

/**
 * Entropy of bytes by their frequencies alone, in bits per byte: `-Σ p·log2 p`. All parts are counted together.
 *
 *     order0Entropy(Uint8Array.of(1, 1, 2, 2)) // 1
 */
export function order0Entropy(...parts: readonly Uint8Array[]): number {
  const counts = new Float64Array(256);
  let total = 0;
  for (const bytes of parts) {
    for (const byte of bytes) counts[byte]!++;
    total += bytes.length;
  }
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / total) * Math.log2(count / total);
  return bits;
}
