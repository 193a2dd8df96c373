import { DeviceError } from '../common/errors.js';
import { normals } from '../common/random.js';
import type { Device } from '../device/device.js';
import type { AdapterProfile, Precision } from './kernel.js';
import { matmul } from './ops/matmul.js';
import { Plan } from './plan.js';
import { Program } from './program.js';
import { matrixUnitsOf } from './tiling.js';

/**
 * The input of the choice of kernels at a precision: the device itself, or the device with half-precision factors of
 * matrix products allowed. Sums, loss, parameters and everything else stay float32.
 *
 * @throws DeviceError when `mixed` is requested on a device without the matrix units for it
 */
export function profileFor(device: Device, precision: Precision): AdapterProfile {
  if (precision === 'full') return device;
  if (!device.f16 || matrixUnitsOf(device) === undefined) {
    throw new DeviceError(
      `--precision mixed: ${device.name} has no subgroup matrices of f16 with f32 sums; take --precision full`,
    );
  }
  return { ...device, precision };
}

/**
 * How far a product of numbers rounded to f16 may be from the float32 one, as a share of its length. Rounding both factors to 11
 * bits makes about 3e-4 of it; a wrong product is about as far away as it is long.
 */
const F16_TOLERANCE = 5e-3;

const checks = new WeakMap<Device, Promise<void>>();

/**
 * Multiply in mixed precision on the device itself, forward and backward, and compare with its float32 kernels; once a device.
 * Dawn hides f16 on NVIDIA's drivers below 615.71, which get some of it wrong, and we show it again.
 *
 * @param mixed the profile of `profileFor`
 * @throws DeviceError when the products disagree: with how much, and what to do
 */
export function checkMixed(device: Device, mixed: AdapterProfile): Promise<void> {
  const known = checks.get(device) ?? compareProducts(device, mixed);
  checks.set(device, known);
  return known;
}

async function compareProducts(device: Device, mixed: AdapterProfile): Promise<void> {
  const full = await productsOf(device, device);
  const half = await productsOf(device, mixed);
  for (const [name, want] of full) {
    const away = distance(half.get(name)!, want);
    if (away <= F16_TOLERANCE) continue;
    throw new DeviceError(
      `--precision mixed: ${device.name} multiplies f16 matrices wrong: ${name} of a product is ${away.toPrecision(2)} of its ` +
        `length away from float32, allowed ${F16_TOLERANCE}. Take --precision full, or update the driver (NVIDIA: 615.71 or newer)`,
    );
  }
}

/** y = x·weightᵀ and both gradients, of sizes that fill several tiles and leave a part of one over. */
async function productsOf(device: Device, profile: AdapterProfile): Promise<Map<string, Float32Array>> {
  const program = new Program();
  const x = program.input('x', [200, 72], 'f32', { requiresGradient: true });
  const weight = program.input('weight', [136, 72], 'f32', { requiresGradient: true });
  const dY = program.input('dY', [200, 136]);
  const y = matmul(x, weight.transpose());
  program.backward([[y, dY]]);
  const plan = await Plan.compile(program, device, { keep: 'all', profile });
  try {
    for (const input of [x, weight]) plan.write(input, normals(5, input.label, input.size));
    // Gradients are small: without their scale most of their bits would be lost in f16.
    plan.write(
      dY,
      normals(5, 'dY', dY.size).map((value) => 1e-4 * value),
    );
    await plan.replay();
    const products = { y, dX: program.gradientOf(x)!, dWeight: program.gradientOf(weight)! };
    const numbers = new Map<string, Float32Array>();
    for (const [name, tensor] of Object.entries(products)) {
      const [data] = await plan.readback([tensor.storage]);
      numbers.set(name, data as Float32Array);
    }
    return numbers;
  } finally {
    plan.free();
  }
}

/** The length of the difference as a share of the length wanted; not a number where either is not finite. */
function distance(got: Float32Array, want: Float32Array): number {
  let difference = 0;
  let length = 0;
  for (const [i, value] of want.entries()) {
    difference += (got[i]! - value) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference / length);
}
