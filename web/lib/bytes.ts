const SIGNS: Readonly<Record<number, string>> = { 9: '»', 10: '¶', 32: '·', 256: 'MASK', 257: 'EOS' };

/** An id for display: printable ASCII unchanged, `·` for a space, `¶` for a line's end, else two hex digits. */
export function glyph(byte: number): string {
  return SIGNS[byte] ?? (byte > 32 && byte < 127 ? String.fromCharCode(byte) : hex(byte));
}

/** `hex(10) // '0a'` */
export function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

const NAMES: Readonly<Record<number, string>> = {
  9: 'tab',
  10: 'line end',
  32: 'space',
  256: 'MASK',
  257: 'EOS, the end',
};

/** A byte in words: `H (hex 48)`, `space (hex 20)`. Ids past 255 by name. */
export function byteName(id: number): string {
  if (id > 255) return NAMES[id]!;
  const name = NAMES[id] ?? glyph(id);
  return name === hex(id) ? `hex ${name}` : `${name} (hex ${hex(id)})`;
}

/** Bits, most significant first: `bitString(72) // '01001000'` */
export function bitString(byte: number): string {
  return byte.toString(2).padStart(8, '0');
}

/** At most four significant digits: `short(0.123456) // '0.1235'` */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** Softmax of one row of logits and its likeliest ids: `[[id, probability], …]`. */
export function likeliest(logits: Float32Array, count: number): [id: number, probability: number][] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = Array.from(logits, (logit) => Math.exp(logit - largest));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const order = weights.map((_, id) => id).sort((a, b) => weights[b]! - weights[a]! || a - b);
  return order.slice(0, count).map((id) => [id, weights[id]! / total]);
}
