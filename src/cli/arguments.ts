import { InvalidArgumentError } from 'commander';
import { InputError } from '../engine/errors.js';

/** A flag's whole number. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** A flag's number, like 0.8 or 1e-3. */
export function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/**
 * The bytes of a hex string: `hexBytes('--prefix-hex', '48 69') // [72, 105]`
 *
 * @throws InputError naming the flag and what is wrong
 */
export function hexBytes(flag: string, text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  const odd = /[^0-9a-fA-F]/.exec(digits);
  if (odd)
    throw new InputError(`${flag}: '${odd[0]}' is not a hex digit; give two of 0-9 a-f for each byte, like 4869`);
  if (digits.length % 2 !== 0) {
    throw new InputError(`${flag}: a byte has two hex digits; got ${digits.length}, an odd number`);
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** A flag's list. `listed('dxor,phase') // ['dxor', 'phase']` */
export function listed(text: string): string[] {
  return text.split(',').map((word) => word.trim());
}

/** A flag's window size. `windowSize('1024+32') // { prefix: 1024, stream: 32 }` */
export function windowSize(text: string): { prefix: number; stream: number } {
  const [, prefix, stream] = /^(\d{1,7})\+(\d{1,7})$/.exec(text) ?? [];
  if (prefix === undefined) throw new InvalidArgumentError('It must be prefix and stream, as 1024+32.');
  return { prefix: Number(prefix), stream: Number(stream) };
}

/** A parser for a flag whose values go with kinds of windows: `--share text=0.6 audio=0.4` gives { text: 0.6, audio: 0.4 }. */
export function byKind<T>(parse: (text: string) => T) {
  return (text: string, before: Record<string, T> = {}): Record<string, T> => {
    const at = text.indexOf('=');
    if (at < 1) throw new InvalidArgumentError('It must name a kind of window, as text=… or audio=….');
    return { ...before, [text.slice(0, at)]: parse(text.slice(at + 1)) };
  };
}
