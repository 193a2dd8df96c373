import { InputError } from '../../common/errors.js';
import type { DType } from '../../engine/tensor.js';

/**
 * A tensor as a NumPy file, version 1.0: a magic word, the length of a header that is a Python literal, and the numbers in
 * row-major order.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function npyBytes(shape: readonly number[], dtype: DType, data: ArrayLike<number>): Uint8Array {
  const size = shape.reduce((product, n) => product * n, 1);
  if (data.length !== size)
    throw new InputError(`npy: shape [${shape.join(', ')}] needs ${size} numbers; got ${data.length}`);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${dtype === 'f32' ? '<f4' : '<u4'}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Magic, version, length and header fill whole blocks of 64 bytes, the last of them a newline.
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length + 4 * size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]);
  view.setUint16(8, length, true);
  bytes.set(new TextEncoder().encode(`${header.padEnd(length - 1)}\n`), 10);
  for (let i = 0; i < size; i++) {
    if (dtype === 'f32') view.setFloat32(10 + length + 4 * i, data[i]!, true);
    else view.setUint32(10 + length + 4 * i, data[i]!, true);
  }
  return bytes;
}
