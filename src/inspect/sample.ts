import { integers, normals } from '../common/random.js';
import { sizeOf } from '../common/shape.js';
import { Program } from '../engine/program.js';
import type { OpSample } from '../engine/registry.js';
import type { Tensor } from '../engine/tensor.js';

/** Sizes around the edges of tiles, subgroups and workgroups. */
export const EDGE_SIZES = [1, 7, 8, 9, 31, 32, 33, 63, 64, 65];

/** Random seed of the inputs of samples. */
export const SAMPLE_SEED = 7;

/** A sample recorded at one size, with random numbers for all inputs. */
export interface Recorded {
  readonly program: Program;
  readonly feeds: Map<Tensor, Float32Array | Uint32Array>;
  readonly outputs: readonly Tensor[];
  /** gradients by name of input; empty if nothing is differentiable */
  readonly gradients: readonly { readonly name: string; readonly input: Tensor; readonly gradient: Tensor }[];
  /** outputs weighted by random numbers before summing, so that a wrong sign cannot cancel */
  readonly weights: ReadonlyMap<Tensor, Float32Array>;
  /** number of entries before the gradients */
  readonly forwardEntries: number;
}

/**
 * Record a sample at a size, with all inputs drawn from a seed.
 *
 * @param views true makes inputs and gradients of outputs with two axes or more transposed views
 */
export function recordSample(sample: OpSample, n: number, views = false, seed = SAMPLE_SEED): Recorded {
  const program = new Program();
  const feeds = new Map<Tensor, Float32Array | Uint32Array>();
  const feed = (
    name: string,
    shape: readonly number[],
    data: Float32Array | Uint32Array,
    options: { requiresGradient?: boolean } = {},
  ) => {
    const isView = views && shape.length > 1;
    const lying = isView ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
    const input = program.input(name, lying, data instanceof Uint32Array ? 'u32' : 'f32', options);
    feeds.set(input, data);
    return isView ? input.transpose() : input;
  };
  const tensors: Record<string, Tensor> = {};
  const draw = (name: string, shape: readonly number[]) => {
    const numbers = normals(seed, `${sample.name} ${name}`, sizeOf(shape)).map((x) => x * (sample.scale ?? 1));
    if (sample.positive?.includes(name)) return numbers.map((x) => 0.5 + Math.abs(x));
    return sample.nonnegative?.includes(name) ? numbers.map(Math.abs) : numbers;
  };
  for (const [name, shape] of Object.entries(sample.inputs(n))) {
    tensors[name] = feed(name, shape, draw(name, shape), { requiresGradient: !sample.fixed?.includes(name) });
  }
  for (const [name, { shape, idLimit }] of Object.entries(sample.ids?.(n) ?? {})) {
    tensors[name] = feed(name, shape, integers(seed, `${sample.name} ${name}`, sizeOf(shape), idLimit));
  }
  for (const [name, shape] of Object.entries(sample.states?.(n) ?? {})) {
    tensors[name] = program.state(name, shape);
    feeds.set(tensors[name], draw(name, shape));
  }
  const outputs = sample.call(tensors, n);
  const forwardEntries = program.entries.length;
  const weights = new Map<Tensor, Float32Array>();
  const named = Object.entries(tensors).filter(([, tensor]) => tensor.requiresGradient);
  if (named.length > 0) {
    const isLoss = outputs.length === 1 && outputs[0]!.size === 1;
    if (isLoss) {
      weights.set(outputs[0]!, Float32Array.of(1));
      program.backward(outputs[0]!);
    } else {
      const pairs = outputs.map((output, i) => {
        const numbers = normals(seed, `${sample.name} dY${i}`, output.size);
        weights.set(output, numbers);
        return [output, feed(`dY${i}`, output.shape, numbers)] as const;
      });
      program.backward(pairs);
    }
  }
  const gradients = named.map(([name, input]) => {
    const gradient = program.gradientOf(input);
    if (gradient === undefined) throw new Error(`${sample.name}: ${name} receives no gradient`);
    return { name, input, gradient: program.contiguous(gradient) };
  });
  return { program, feeds, outputs: outputs.map((y) => program.contiguous(y)), gradients, weights, forwardEntries };
}
