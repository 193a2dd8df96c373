import type { Shape } from '../../src/common/shape.js';
import type { Device } from '../../src/device/device.js';
import type { Numbers } from '../../src/engine/numbers.js';
import { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';

/** Numbers that an op is tried on. */
export interface Given {
  readonly shape: Shape;
  readonly data: Float32Array | Uint32Array;
}

/** Run ops once, on constants of the given names, and give the memory back. */
export async function evaluate<Name extends string>(
  device: Device,
  given: Readonly<Record<Name, Given>>,
  body: (tensors: Readonly<Record<Name, Tensor>>) => Tensor,
): Promise<Numbers> {
  const program = new Program({ device });
  const constants = Object.entries<Given>(given).map(([name, { shape, data }]) => [
    name,
    program.constant(name, shape, data),
  ]);
  try {
    return await body(Object.fromEntries(constants) as Record<Name, Tensor>).value();
  } finally {
    program.runner.free();
  }
}
