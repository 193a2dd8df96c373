import { checkWhole, InputError } from '../common/errors.js';
import { crossEntropy } from '../engine/ops/crossEntropy.js';
import { rotaryTable } from '../engine/ops/rotary.js';
import type { Program } from '../engine/program.js';
import type { Tensor } from '../engine/tensor.js';
import { MASK } from '../substrate/channels.js';
import { decoderBlocks, layer } from './blocks.js';
import { checkConfig, type DecoderConfig, OWN_DOOR } from './config.js';
import { type DoorBuilder, throughDoor } from './door.js';
import { declareParameters } from './parameters.js';

/** Sizes of a batch of windows: `B` windows of `L` prefix bytes and `T` stream bytes. */
export interface BatchSize {
  readonly B: number;
  readonly L: number;
  readonly T: number;
}

/** A recorded forward pass over a batch: the inputs to write before a replay, and the outputs to read after it. */
export interface ForwardPass {
  readonly program: Program;
  readonly size: BatchSize & { readonly P: number };
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** [B, P·K] u32: prefix bytes, the last slot padded with 0x00; undefined if L = 0 */
  readonly prefix: Tensor | undefined;
  /** [B, T] u32: the stream shifted right by one, MASK first */
  readonly stream: Tensor;
  /** [B, T] u32 and f32 */
  readonly targets: Tensor;
  readonly weights: Tensor;
  /** [B, P + T, C], the output of the door */
  readonly x0: Tensor;
  /** [B, T, 258] */
  readonly logits: Tensor;
  /** [B, T], nats of each target */
  readonly nats: Tensor;
  /** [1], weighted mean of nats */
  readonly loss: Tensor;
}

/** Options for recording a forward pass. */
export interface ForwardOptions {
  /** parameters with weight decay. Default 'matrices' */
  readonly decay?: 'matrices' | 'all';
  /** also compute the slots' rows after the last attention, which are only for display. Default false */
  readonly everyRow?: boolean;
  /** a custom door, if `config.door` is `own` */
  readonly door?: DoorBuilder;
}

/**
 * Record the computation from bytes to loss. README.md in this folder has its formulas.
 *
 * @throws InputError when the configuration cannot be built, a batch has no window or a window no stream, or `door` is given and `config.door` names another
 */
export function recordForward(
  program: Program,
  config: DecoderConfig,
  { B, L, T }: BatchSize,
  { decay = 'matrices', everyRow = false, door }: ForwardOptions = {},
): ForwardPass {
  checkConfig(config);
  checkWhole('B, windows in a batch,', B, 1);
  checkWhole('L, bytes of a prefix,', L, 0);
  checkWhole('T, bytes of a stream,', T, 1);
  if (door !== undefined && config.door !== OWN_DOOR) {
    throw new InputError(
      `door: one of your own needs config.door '${OWN_DOOR}', or its weights would be read through the ${config.door} door`,
    );
  }
  const P = Math.ceil(L / config.K);
  const parameters = declareParameters(program, config, decay);
  const prefix = P > 0 ? program.input('prefix', [B, P * config.K], 'u32') : undefined;
  const stream = program.input('stream', [B, T], 'u32');
  const targets = program.input('targets', [B, T], 'u32');
  const weights = program.input('weights', [B, T]);
  const x0 = throughDoor(config, parameters, prefix, stream, door);
  const D = config.dim / config.heads;
  const angles = program.constant('angles', [P + T, D], rotaryTable(P + T, D));
  const position = program.constant('position', [1], new Uint32Array(1));
  const dropRows = everyRow ? 0 : P;
  const x = decoderBlocks(x0, { config, parameters, P, angles, position, dropRows });
  const logits = program.scope('head', () => layer(x.slice(1, P - dropRows), { parameters }, 'head'));
  const { loss, nats } = program.scope('loss', () => crossEntropy(logits, targets, weights));
  return { program, size: { B, L, T, P }, parameters, prefix, stream, targets, weights, x0, logits, nats, loss };
}

/** A batch of windows as ids: `prefix` [B, L], `targets` [B, T], `weights` [B, T]. */
export interface Batch {
  readonly prefix: Uint32Array;
  readonly targets: Uint32Array;
  readonly weights: Float32Array;
}

/**
 * Convert a batch to the layout of the pass: prefixes padded with 0x00 to whole slots, streams shifted right after a
 * MASK.
 *
 * @throws InputError when prefixes or targets have another length; `plan.write` checks the rest
 */
export function toFeeds(pass: ForwardPass, batch: Batch): [Tensor, Uint32Array | Float32Array][] {
  const { B, L, T } = pass.size;
  for (const [name, ids, length] of [['prefix', batch.prefix, L] as const, ['targets', batch.targets, T] as const]) {
    if (ids.length !== B * length) {
      throw new InputError(`batch: ${name} must be [${B}, ${length}], ${B * length} ids; got ${ids.length}`);
    }
  }
  const stream = new Uint32Array(B * T);
  for (let b = 0; b < B; b++) {
    stream[b * T] = MASK;
    stream.set(batch.targets.subarray(b * T, (b + 1) * T - 1), b * T + 1);
  }
  const feeds: [Tensor, Uint32Array | Float32Array][] = [
    [pass.stream, stream],
    [pass.targets, batch.targets],
    [pass.weights, batch.weights],
  ];
  if (pass.prefix !== undefined) {
    const width = pass.prefix.shape[1]!;
    const prefix = new Uint32Array(B * width);
    for (let b = 0; b < B; b++) prefix.set(batch.prefix.subarray(b * L, (b + 1) * L), b * width);
    feeds.push([pass.prefix, prefix]);
  }
  return feeds;
}
