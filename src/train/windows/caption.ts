import { EOS, MASK } from './window.js';

/**
 * A caption as ids: its bytes, EOS, then MASK up to `length`. Undefined when it does not fit.
 *
 *     captionIds('hi', 5) // { ids: [104, 105, 257, 256, 256], used: 3 }
 */
export function captionIds(caption: string, length: number): { ids: Uint32Array; used: number } | undefined {
  const bytes = new TextEncoder().encode(caption);
  if (bytes.length + 1 > length) return undefined;
  const ids = new Uint32Array(length).fill(MASK);
  ids.set(bytes);
  ids[bytes.length] = EOS;
  return { ids, used: bytes.length + 1 };
}

/** The reason for skipping a caption. */
export function tooLong(caption: string, length: number): string {
  const bytes = new TextEncoder().encode(caption).length;
  return `the caption is ${bytes} bytes, with its EOS ${bytes + 1}; there is room for ${length}`;
}
