import { hexOf, signOf } from '../../src/cli/inspect/signs.js';

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
  const name = NAMES[id] ?? signOf(id);
  return name === hexOf(id) ? `hex ${name}` : `${name} (hex ${hexOf(id)})`;
}

/** Bits, most significant first: `bitString(72) // '01001000'` */
export function bitString(byte: number): string {
  return byte.toString(2).padStart(8, '0');
}
