import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { FileError, InputError } from '../engine/errors.js';

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

/** A JSON file of at most a megabyte. @throws FileError when it is missing or is not JSON */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new FileError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (text.length > 1 << 20) throw new FileError(`${path}: is longer than a configuration can be (1 MiB)`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FileError(`${path}: is not JSON: ${(error as Error).message}`);
  }
}
