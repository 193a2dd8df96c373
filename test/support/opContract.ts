import { expect } from 'vitest';
import { integers, normals } from '../../src/common/random.js';
import type { Device } from '../../src/device/device.js';
import type { AdapterProfile } from '../../src/engine/kernel.js';
import { type Feeds, ReferenceRun } from '../../src/engine/reference.js';
import type { OpSample } from '../../src/engine/registry.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { sampleParity } from '../../src/inspect/contract.js';
import { recordSample, SEED } from './recordSample.js';

/**
 * A sample with one tensor in every place of one shape: `layerNorm(x, w, w)`.
 *
 * @returns undefined where no two places that a gradient flows to have one shape
 */
export function tied(sample: OpSample): OpSample | undefined {
  /** which place each place shares its tensor with: the first of its shape */
  const sharing = (n: number) => {
    const firsts = new Map<string, string>();
    return Object.entries(sample.inputs(n)).map(([name, shape]): [name: string, first: string] => {
      const key = sample.fixed?.includes(name) ? name : shape.join();
      if (!firsts.has(key)) firsts.set(key, name);
      return [name, firsts.get(key)!];
    });
  };
  if (sharing(9).every(([name, first]) => name === first)) return undefined;
  return {
    ...sample,
    // Its gradient is a sum over the places, in which large parts cancel: attention's q·q is the largest score there is.
    roundings: 4 * (sample.roundings ?? 64),
    inputs: (n) => Object.fromEntries(sharing(n).map(([, first]) => [first, sample.inputs(n)[first]!])),
    call: (x, n) =>
      sample.call({ ...x, ...Object.fromEntries(sharing(n).map(([name, first]) => [name, x[first]!])) }, n),
  };
}

/**
 * Kernels agree with the float64 reference: outputs, everything saved, and every gradient.
 *
 * @param profile what kernels are chosen by, the device itself by default
 * @param views whether the op is given transposed views
 * @returns the shaders that ran
 */
export async function checkParity(
  device: Device,
  sample: OpSample,
  n: number,
  profile: AdapterProfile = device,
  views = false,
): Promise<ReadonlySet<string>> {
  const { faults, compared, shaders } = await sampleParity(device, sample, n, { profile, views, seed: SEED });
  expect(faults, device.name).toEqual([]);
  expect(compared).toBeGreaterThan(0);
  return shaders;
}

/** The reference's gradients agree with central differences, at sampled entries and along one random direction. */
export function checkGradients(sample: OpSample, n: number): void {
  const { program, feeds, gradients, weights, forwardEntries } = recordSample(sample, n);
  const forward = program.entries.slice(0, forwardEntries);
  const loss = (changed: Feeds): number => {
    const run = new ReferenceRun(program, changed).run(forward);
    let sum = 0;
    for (const [output, weight] of weights)
      for (const [i, y] of run.value(output).data.entries()) sum += y * weight[i]!;
    return sum;
  };
  const reference = new ReferenceRun(program, feeds).run();
  for (const { name, input, gradient } of gradients) {
    const data = Float64Array.from(feeds.get(input)!);
    const given = reference.value(gradient).data;
    const differences = (direction: Float64Array): number => {
      const h = 1e-5 * (sample.scale ?? 1);
      const moved = (by: number) => {
        const changed: Map<Tensor, ArrayLike<number>> = new Map(feeds);
        return loss(
          changed.set(
            input,
            data.map((x, i) => x + by * direction[i]!),
          ),
        );
      };
      return (moved(h) - moved(-h)) / (2 * h);
    };
    const check = (what: string, direction: Float64Array) => {
      const expected = differences(direction);
      const received = direction.reduce((sum, d, i) => sum + d * given[i]!, 0);
      const scale = Math.max(1, Math.abs(expected), Math.abs(received));
      expect(
        Math.abs(expected - received) / scale,
        `${sample.name}, n = ${n}: d ${name} ${what}: differences ${expected}, reference ${received}`,
      ).toBeLessThan(2e-6);
    };
    const direction = Float64Array.from(normals(SEED, `${name} direction`, data.length));
    const length = Math.sqrt(direction.reduce((sum, d) => sum + d * d, 0)) || 1;
    check(
      'along a random direction',
      direction.map((d) => d / length),
    );
    for (const at of new Set(integers(SEED, `${name} entries`, 3, Math.max(1, data.length)))) {
      if (data.length === 0) break;
      const unit = new Float64Array(data.length);
      unit[at] = 1;
      check(`at ${at}`, unit);
    }
  }
}
