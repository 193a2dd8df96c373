/** Number literals: `12`, `0x1Fu`, `1.5e3f`, `0x1.8p-3`. */
import { ConstantError, MAX_F32, represent, type ScalarValue } from './constants.js';
import { ABSTRACT_FLOAT, ABSTRACT_INT, type AnyScalar, F32, I32, U32 } from './types.js';

/** @throws ConstantError when the number does not fit its type */
export function parseNumber(text: string): { type: AnyScalar; value: ScalarValue } {
  const isHex = /^0x/i.test(text);
  const isFloat = isHex ? /[.p]/i.test(text) : /[.e]|[fh]$/i.test(text);
  const suffix = (isHex && !isFloat ? /[iu]$/ : isHex ? /(?<=p.*)[fh]$/i : /[iufh]$/).exec(text)?.[0] ?? '';
  const digits = text.slice(0, text.length - suffix.length);
  if (suffix === 'h') throw new ConstantError(`'${text}' is an f16, which is not supported; write ${digits}f`);
  if (!isHex && /^0[0-9]+$/.test(digits))
    throw new ConstantError(`'${text}' has a leading zero; write ${Number(digits)}`);
  if (isFloat) return parseFloating(text, digits, isHex, suffix === 'f' ? F32 : ABSTRACT_FLOAT);
  const type = suffix === 'i' ? I32 : suffix === 'u' ? U32 : ABSTRACT_INT;
  const value = represent(BigInt(digits), type);
  return { type, value: type === ABSTRACT_INT ? value : Number(value) };
}

function parseFloating(text: string, digits: string, isHex: boolean, type: AnyScalar) {
  const exact = isHex ? parseHexFloat(digits) : Number(digits);
  const isSmall = Math.abs(exact) <= (type === F32 ? MAX_F32 : Number.MAX_VALUE);
  if (!isSmall) throw new ConstantError(`value ${text} cannot be represented as '${type.name}'`);
  const value = type === F32 ? Math.fround(exact) : exact;
  if (isHex && type === F32 && (value !== exact || !isExact(digits))) {
    throw new ConstantError(`value ${text} cannot be exactly represented as 'f32'`);
  }
  return { type, value };
}

/** The digits as one integer, and the power of two of its factor. `0x1.8p3` → 24, -1 */
function hexParts(digits: string): { mantissa: bigint; exponent: number } {
  const [, whole = '', fraction = '', power = '0'] = /^0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i.exec(digits)!;
  return { mantissa: BigInt(`0x${whole}${fraction}`), exponent: Number(power) - 4 * fraction.length };
}

function parseHexFloat(digits: string): number {
  const { mantissa, exponent } = hexParts(digits);
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  // In two steps, since 2^exponent alone may be 0 or infinite when the product is neither.
  const half = Math.trunc((exponent + bits) / 2);
  return Number(mantissa) * 2 ** -bits * 2 ** half * 2 ** (exponent + bits - half);
}

/** Does a float64 hold all digits? */
function isExact(digits: string): boolean {
  const { mantissa } = hexParts(digits);
  return mantissa.toString(2).replace(/0+$/, '').length <= 53;
}
