import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InputError } from '../common/errors.js';
import { type DecoderConfig, DOOR_KINDS } from '../model/config.js';
import { checked, issuesOf } from '../train/issues.js';
import {
  CHANNEL_GROUPS,
  decoderConfigOf,
  resolveTrainOptions,
  type TrainOptions,
  trainSchema,
} from '../train/run/options.js';

const whole = (least: number) => z.number().int().min(least);
/** One number or several, each different. */
const axis = (least: number) =>
  z
    .preprocess(
      (values) => (values === undefined || Array.isArray(values) ? values : [values]),
      z.array(whole(least)).min(1),
    )
    .refine((values) => new Set(values).size === values.length, 'a number occurs twice');

/** One of some names; the error for another one lists them. */
const oneOf = <const T extends readonly string[]>(what: string, names: T) =>
  z.enum(names, {
    error: ({ input }) =>
      `${input === undefined ? `a ${what} is needed` : `no ${what} is called ${JSON.stringify(input)}`}; there are ${names.join(', ')}`,
  });

const arm = z.strictObject({
  /** name in the report; default the door and its channels */
  name: z.string().min(1).exactOptional(),
  door: oneOf('door', DOOR_KINDS),
  channels: z.array(oneOf('channel group', CHANNEL_GROUPS)).min(1).exactOptional(),
  bits: z.boolean().exactOptional(),
  /** learning rate, initial deviation of the door's matrices, and factor of its rows, if this arm has its own */
  lr: z.number().positive().exactOptional(),
  doorDeviation: z.number().positive().exactOptional(),
  doorScale: z.number().positive().exactOptional(),
});

const gridSchema = z.strictObject({
  name: z.string().regex(/^[\w-]+$/, 'must be letters, digits, - and _'),
  /** a sentence or two for the report's reader */
  about: z.string().default(''),
  /** doors, or doors with channels */
  arms: z.array(z.preprocess((each) => (typeof each === 'string' ? { door: each } : each), arm)).min(1),
  K: axis(1).optional(),
  seeds: axis(0),
  /** the budget: updates of each run */
  steps: axis(1),
  /** learning rates to tune over, each arm with each of them */
  lr: z.array(z.number().positive()).min(1).optional(),
  /** settings of all cells: any option of `train` */
  settings: z.record(z.string(), z.unknown()).default({}),
});

/** One run of a grid. */
export interface Cell {
  /** its number in the grid, from 0 */
  readonly index: number;
  /** name of its folder: the hash of its configuration */
  readonly id: string;
  readonly arm: string;
  readonly K: number;
  readonly seed: number;
  readonly steps: number;
  readonly lr: number;
  readonly options: TrainOptions;
  readonly decoder: DecoderConfig;
}

/** An experiment: its arms, and a cell for each run. */
export interface Grid {
  readonly name: string;
  readonly about: string;
  /** in the order of the file */
  readonly arms: readonly { readonly name: string; readonly door: string; readonly channels?: readonly string[] }[];
  /** true if each arm runs with each of several learning rates */
  readonly tunesRate: boolean;
  /** by seed, then K, steps, learning rate and arm, so that compared runs are consecutive */
  readonly cells: readonly Cell[];
}

/** Maximum number of cells: a longer list is a mistake. */
const MAX_CELLS = 10_000;

/** Options that do not change the result of a run. */
const WITHOUT_EFFECT = new Set(['out', 'device', 'threads', 'saveEvery', 'keep', 'strict']);

/**
 * Check a grid and expand its cells.
 *
 * @param from names the grid in messages: its file
 * @throws InputError with a line per error: an unknown arm, no cells, or options that `train` would refuse
 */
export function readGrid(input: unknown, from: string): Grid {
  const result = checked(gridSchema, input);
  if (!result.success) throw new InputError(issuesOf(result.error, from));
  const { name, about, K, seeds, steps, lr: rates, settings } = result.data;
  for (const key of ['door', 'channels', 'bits', 'K', 'seed', 'steps', 'out', 'device']) {
    if (key in settings) throw new InputError(`${from}: settings.${key} is set by the grid itself; leave it out`);
  }
  for (const key of Object.keys(settings)) {
    if (!(key in trainSchema.shape)) throw new InputError(`${from}: settings.${key} is no option of train`);
  }
  for (const { lr } of result.data.arms) {
    if (lr !== undefined && rates !== undefined)
      throw new InputError(`${from}: give lr to the grid or to its arms, not both`);
  }
  const count = result.data.arms.length * (K?.length ?? 1) * seeds.length * steps.length * (rates?.length ?? 1);
  if (count > MAX_CELLS) {
    throw new InputError(
      `${from}: ${count.toLocaleString('en-US')} cells; a grid has ${MAX_CELLS.toLocaleString('en-US')} at most`,
    );
  }
  const arms = result.data.arms.map((each) => ({ ...each, name: nameOf(each) }));
  const twice = arms.find(({ name }, i) => arms.findIndex((other) => other.name === name) !== i);
  if (twice) throw new InputError(`${from}: two arms are called ${twice.name}; give one of them another name`);

  const cells: Cell[] = [];
  for (const [seed, k, budget, rate] of combinations(seeds, K ?? [undefined], steps, rates ?? [undefined])) {
    for (const { name: arm, ...door } of arms) {
      const axes = { ...(k !== undefined && { K: k }), ...(rate !== undefined && { lr: rate }), seed, steps: budget };
      const options = resolveTrainOptions({ ...settings, ...door, ...axes }, `${from}: arm ${arm}`);
      const decoder = decoderConfigOf(options);
      const id = hashOf({ ...options, ...decoder });
      cells.push({ index: cells.length, id, arm, K: decoder.K, seed, steps: budget, lr: options.lr, options, decoder });
    }
  }
  return { name, about, arms, tunesRate: rates !== undefined, cells };
}

/** Every combination of one of each, the last changing fastest. */
function* combinations<A, B, C, D>(
  a: readonly A[],
  b: readonly B[],
  c: readonly C[],
  d: readonly D[],
): Generator<[A, B, C, D]> {
  for (const x of a) for (const y of b) for (const z of c) for (const w of d) yield [x, y, z, w];
}

type Arm = z.output<typeof arm>;

/** zero, or zero:value, or zero+bits:dxor,phase */
function nameOf({ name, door, channels, bits }: Arm): string {
  return name ?? `${door}${bits ? '+bits' : ''}${channels ? `:${channels.join(',')}` : ''}`;
}

/**
 * The first twelve hex digits of the SHA-256 of everything that determines a run's result. Options at their defaults
 * are omitted, so that an option added later renames no folder; keys are sorted.
 */
function hashOf(options: object): string {
  const defaults: Record<string, unknown> = trainSchema.parse({});
  const entries = Object.entries(options).filter(
    ([key, value]) => !WITHOUT_EFFECT.has(key) && JSON.stringify(value) !== JSON.stringify(defaults[key]),
  );
  const text = JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
