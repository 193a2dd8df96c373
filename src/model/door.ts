import { InputError } from '../common/errors.js';
import { concatPad } from '../engine/ops/concatPad.js';
import type { Tensor } from '../engine/tensor.js';
import { type DecoderConfig, OWN_DOOR } from './config.js';
import type { Door, DoorBuilder } from './doors/definition.js';
import { DOORS } from './doors/index.js';

export type { Door, DoorBuilder } from './doors/definition.js';

/**
 * The door of a configuration, with its parameters by name; `doors/index.ts` lists them.
 *
 * @throws InputError for `own`: only the program that defines such a door knows it
 */
export function doorOf(config: DecoderConfig, parameters: ReadonlyMap<string, Tensor>): Door {
  if (config.door === OWN_DOOR) {
    throw new InputError(
      'door: these weights belong to a custom door; pass it to recordForward or Trainer.create as `door`',
    );
  }
  return DOORS[config.door].build(config, parameters);
}

/**
 * The decoder's input from ids: slots above stream, [B, P + T, dim], times `doorScale`.
 *
 * @param prefix [B, P·K] u32, undefined without slots   @param stream [B, T] u32, undefined without a stream
 */
export function throughDoor(
  config: DecoderConfig,
  parameters: ReadonlyMap<string, Tensor>,
  prefix: Tensor | undefined,
  stream: Tensor | undefined,
  builder: DoorBuilder = doorOf,
): Tensor {
  const { program } = (prefix ?? stream)!;
  const B = (prefix ?? stream)!.shape[0]!;
  const door = builder(config, parameters);
  const nothing = () => program.constant('no rows', [B, 0, 1], new Float32Array(0));
  const { dim, doorScale = 1 } = config;
  return program.scope('door', () => {
    const x = concatPad(prefix ? door.slots(prefix) : nothing(), stream ? door.stream(stream) : nothing(), dim);
    return doorScale === 1 ? x : x.mul(doorScale);
  });
}
