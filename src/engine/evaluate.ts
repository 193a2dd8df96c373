import type { Device } from './device.js';
import { type CompileOptions, Plan } from './plan.js';
import { Program } from './program.js';
import type { Shape } from './shape.js';
import type { Tensor } from './tensor.js';

/** Numbers with their shape, row-major. */
export interface Numbers {
  readonly shape: Shape;
  readonly data: Float32Array | Uint32Array;
}

/**
 * Run ops once: record them, replay, bring the result back, and free everything.
 *
 *     const x = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
 *     const y = await evaluate(device, { x }, ({ x }) => gelu(x));   // { shape: [2, 3], data: … }
 *
 * @param inputs numbers by name
 * @param body records ops on the tensors of those names, and returns the one to read
 * @param parameters numbers for the parameters that `body` declares
 */
export async function evaluate<Name extends string>(
  device: Device,
  inputs: Readonly<Record<Name, Numbers>>,
  body: (tensors: Readonly<Record<Name, Tensor>>) => Tensor,
  parameters: NonNullable<CompileOptions['parameters']> = new Map(),
): Promise<Numbers> {
  const program = new Program();
  const given = Object.entries<Numbers>(inputs);
  const tensors = given.map(([name, { shape, data }]) =>
    program.input(name, shape, data instanceof Uint32Array ? 'u32' : 'f32'),
  );
  const result = body(Object.fromEntries(given.map(([name], i) => [name, tensors[i]])) as Record<Name, Tensor>);
  const y = program.contiguous(result);
  const plan = await Plan.compile(program, device, { keep: [y], parameters });
  try {
    given.forEach(([, { data }], i) => {
      plan.write(tensors[i]!, data);
    });
    await plan.replay();
    return { shape: y.shape, data: y.dtype === 'u32' ? await plan.readIds(y) : await plan.read(y) };
  } finally {
    plan.free();
  }
}
