import type { StoredTensor } from './safetensorsFormat.js';

/**
 * A stored tensor's numbers as float32: F32 as they are, F16 and BF16 exactly, F64 rounded. Undefined for other dtypes,
 * which weights do not use.
 *
 *     widen({ dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3fc0) }) // [1.5]
 */
export function widen({ dtype, data }: StoredTensor): Float32Array | undefined {
  switch (dtype) {
    case 'F32':
      return data as Float32Array;
    case 'F64':
      return Float32Array.from(data as Float64Array);
    case 'BF16': // the upper half of a float32
      return new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer);
    case 'F16':
      return Float32Array.from(data as Uint16Array, halfOf);
    default:
      return undefined;
  }
}

/** [1 bit sign] [5 bits exponent + 15] [10 bits fraction]. `halfOf(0x3e00) // 1.5` */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24; // subnormal: no leading 1
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
