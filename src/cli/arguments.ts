import { InvalidArgumentError } from 'commander';
import { InputError } from '../common/errors.js';
import { checked } from '../train/issues.js';
import { type TrainOptions, trainSchema } from '../train/run/options.js';
import { WINDOW_KINDS } from '../train/windows/window.js';

/** A flag's whole number, as 300 or 1e6. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+(e\d+)?$/i.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** A flag's number, like 0.8 or 1e-3. */
export function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** A flag's number that must be at least so much: `atLeast(1, wholeNumber)`. */
export function atLeast(least: number, parse: (text: string) => number): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value < least) throw new InvalidArgumentError(`It must be at least ${least}.`);
    return value;
  };
}

/** A flag's number that must be above 0. */
export function aboveZero(text: string): number {
  const value = realNumber(text);
  if (value <= 0) throw new InvalidArgumentError('It must be above 0.');
  return value;
}

/**
 * The bytes of a hex string: `hexBytes('--prefix-hex', '48 69') // [72, 105]`
 *
 * @throws InputError with the flag and the error
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

/**
 * The bytes of a text in UTF-8, or of hex digits, whichever of two flags is given; none for neither:
 * `textOrHex('--prompt', 'Hi', '--prompt-hex', undefined) // [72, 105]`
 *
 * @throws InputError if both are given, or as `hexBytes`
 */
export function textOrHex(
  textFlag: string,
  text: string | undefined,
  hexFlag: string,
  hex: string | undefined,
): Uint8Array {
  if (text !== undefined && hex !== undefined) throw new InputError(`give ${textFlag} or ${hexFlag}, not both`);
  return hex === undefined ? new TextEncoder().encode(text ?? '') : hexBytes(hexFlag, hex);
}

/** A flag's path. An empty one, for example from an unset variable, would mean the working folder. */
export function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** The paths of a flag that takes several, and may be repeated. */
export function paths(text: string, before: readonly string[] = []): string[] {
  return [...before, path(text)];
}

/** A flag's list, which may be repeated. `listed('phase,bits', ['dxor']) // ['dxor', 'phase', 'bits']` */
export function listed(text: string, before: readonly string[] = []): string[] {
  return [...new Set([...before, ...text.split(',').map((word) => word.trim())])];
}

/** The help text of `--made`, for every command that has it. */
export const MADE_HELP = 'synthetic windows: sounds, scenes, or both';

/** The values of `--made`, which may be repeated. `made('both') // ['sounds', 'scenes']` */
export function made(text: string, before: readonly string[] = []): string[] {
  return listed(text === 'both' ? 'sounds,scenes' : text, before);
}

/**
 * A parser for the flag of a training option, with the checks of the option's schema: `--batch 0` is as wrong as
 * `--batch -3`, and exits with the same code.
 *
 * @param parse from text; `before` is the flag's value from an earlier occurrence on the command line
 */
export function option<T = string>(name: keyof TrainOptions, parse: (text: string, before?: T) => T = String as never) {
  return (text: string, before?: T): T => {
    const value = parse(text, before);
    const result = checked(trainSchema.shape[name], value);
    if (!result.success) {
      const { path, message } = result.error.issues[0]!;
      // The name of a value within the flag: text.stream. The index in a list does not help a reader.
      const where = path.filter((step) => typeof step === 'string').join('.');
      throw new InvalidArgumentError(`${where || 'It'} ${message}.`);
    }
    return value;
  };
}

/** A flag's window size. `windowSize('1024+32') // { prefix: 1024, stream: 32 }` */
export function windowSize(text: string): { prefix: number; stream: number } {
  const [, prefix, stream] = /^(\d{1,7})\+(\d{1,7})$/.exec(text) ?? [];
  if (prefix === undefined) throw new InvalidArgumentError('It must be prefix and stream, as 1024+32.');
  return { prefix: Number(prefix), stream: Number(stream) };
}

/**
 * A parser for a flag with one value per kind of window: `--share text=0.6 audio=0.4` gives { text: 0.6, audio: 0.4 }.
 */
export function byKind<T>(parse: (text: string) => T) {
  return (text: string, before: Record<string, T> = {}): Record<string, T> => {
    const at = text.indexOf('=');
    if (at < 1) throw new InvalidArgumentError('It must name a kind of window, as text=… or audio=….');
    const kind = text.slice(0, at);
    if (!(WINDOW_KINDS as readonly string[]).includes(kind)) {
      throw new InvalidArgumentError(`There is no kind ${JSON.stringify(kind)}: kinds are ${WINDOW_KINDS.join(', ')}.`);
    }
    if (Object.hasOwn(before, kind)) throw new InvalidArgumentError(`It names ${kind} twice.`);
    return { ...before, [kind]: parse(text.slice(at + 1)) };
  };
}
