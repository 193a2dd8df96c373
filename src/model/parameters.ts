import { InputError } from '../common/errors.js';
import { normals } from '../common/random.js';
import { type Shape, sizeOf } from '../common/shape.js';
import type { Program } from '../engine/program.js';
import type { Tensor } from '../engine/tensor.js';
import { VOCABULARY } from '../substrate/channels.js';
import { checkConfig, type DecoderConfig, OWN_DOOR } from './config.js';
import { DEVIATION } from './doors/definition.js';
import { DOORS } from './doors/index.js';

/** A parameter of the decoder: its name in a PyTorch state_dict, its shape, and its initial numbers. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  /** standard deviation of its initial normals; 'zeros' and 'ones' for biases and norm weights */
  readonly init: number | 'zeros' | 'ones';
}

/**
 * Every parameter, in the order of the flat buffers: the door, the blocks, the final norm, the head. Linear weights are
 * `[out, in]`, as in PyTorch.
 */
export function parameterSpecs(config: DecoderConfig): ParameterSpec[] {
  const { dim: C, layers } = config;
  const linear = (name: string, out: number, from: number, init = DEVIATION): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [out, from], init },
    { name: `${name}.bias`, shape: [out], init: 'zeros' },
  ];
  const norm = (name: string): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [C], init: 'ones' },
    { name: `${name}.bias`, shape: [C], init: 'zeros' },
  ];
  // The matrices that add to the residual stream start smaller, so that the sum keeps its size at any depth.
  const residual = DEVIATION / Math.sqrt(2 * layers);
  const blocks = Array.from({ length: layers }, (_, i) => `blocks.${i}`).flatMap((block) => [
    ...norm(`${block}.norm1`),
    ...linear(`${block}.attention.qkv`, 3 * C, C),
    ...linear(`${block}.attention.out`, C, C, residual),
    ...norm(`${block}.norm2`),
    ...linear(`${block}.mlp.up`, 4 * C, C),
    ...linear(`${block}.mlp.down`, C, 4 * C, residual),
  ]);
  return [...doorSpecs(config), ...blocks, ...norm('norm'), ...linear('head', VOCABULARY, C)];
}

/** The door's parameters: none for the zero door. */
export function doorSpecs(config: DecoderConfig): ParameterSpec[] {
  if (config.door === OWN_DOOR) return [];
  return DOORS[config.door].parameters(config).map(({ name, ...spec }) => ({ name: `door.${name}`, ...spec }));
}

/** Number of parameters in the specs. `countParameters(doorSpecs(zero)) // 0` */
export function countParameters(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/**
 * The initial numbers of training: a function of the seed and each parameter's name.
 *
 * @param doorDeviation standard deviation of the door's matrices, if it differs from that of the others
 * @throws InputError when the configuration cannot be built
 */
export function initialParameters(
  config: DecoderConfig,
  seed: number,
  doorDeviation?: number,
): Map<string, Float32Array> {
  checkConfig(config);
  return new Map(
    parameterSpecs(config).map(({ name, shape, init }) => {
      const size = sizeOf(shape);
      if (typeof init === 'number') {
        const deviation = name.startsWith('door.') ? (doorDeviation ?? init) : init;
        return [name, normals(seed, name, size).map((z) => z * deviation)];
      }
      return [name, new Float32Array(size).fill(init === 'ones' ? 1 : 0)];
    }),
  );
}

/**
 * Numbers for a program's parameters. A plan sets missing ones to 0, with which no decoder can be trained or scored.
 *
 * @throws InputError when some are missing
 */
export function checkComplete(program: Program, numbers: ReadonlyMap<string, Float32Array>): void {
  const missing = program.parameters.filter(({ name }) => !numbers.has(name)).map(({ name }) => name);
  if (missing.length === 0) return;
  const named =
    missing.length > 3 ? `${missing.slice(0, 3).join(', ')} and ${missing.length - 3} more` : missing.join(', ');
  throw new InputError(`parameters: ${named} left out; initialParameters(config, seed) gives all of them`);
}

/** Declare every parameter in a program; returns them by name. Weight decay applies to matrices, or to all of them. */
export function declareParameters(
  program: Program,
  config: DecoderConfig,
  decay: 'matrices' | 'all' = 'matrices',
): ReadonlyMap<string, Tensor> {
  return new Map(
    parameterSpecs(config).map(({ name, shape }) => [
      name,
      program.parameter(name, shape, { decay: decay === 'all' || shape.length > 1 }),
    ]),
  );
}
