import type { Program } from '../engine/program.js';
import type { Tensor } from '../engine/tensor.js';
import { VALUE_CHANNELS } from '../substrate/channels.js';
import { type ControlKind, controlTable } from '../substrate/controls.js';
import { type EmbeddingOptions, HslEmbedding } from './embedding.js';

/** Options of an embedding with a table of values. */
export interface ControlOptions extends EmbeddingOptions {
  /** Whole number; fixes the table of `learned`, `random` and `permuted`. Default 0. */
  readonly seed?: number;
  /**
   * Name of the parameter of `learned`; embeddings of one program with the same name share it. Default
   * `door.values.weight`.
   */
  readonly name?: string;
}

/**
 * The substrate on tensors with another value table: a trainable one, or a control that shows the value of HSL's
 * meaning. The context columns are exact, and the same for every kind.
 *
 *     const embedding = new ControlEmbedding('permuted', { seed: 3 });
 *     const x = embedding.features(ids);   // [B, L] → [B, L, 27]
 */
export class ControlEmbedding extends HslEmbedding {
  /** [256, 18], row-major: the values of each byte; the initial ones for `learned`. */
  readonly table: Float32Array;
  readonly #name: string;

  /**
   * @throws InputError for an unknown kind or group, a seed that is not a whole number, or columns and groups at once
   */
  constructor(
    readonly kind: ControlKind,
    { seed, name = 'door.values.weight', ...options }: ControlOptions = {},
  ) {
    super(options);
    this.table = controlTable(kind, seed);
    this.#name = name;
  }

  /** Numbers for the parameters that `features` declares, by name, for `Plan.compile`. Empty except for `learned`. */
  parameters(): Map<string, Float32Array> {
    return new Map(this.kind === 'learned' ? [[this.#name, this.table]] : []);
  }

  protected override tableIn(program: Program): Tensor | undefined {
    // HSL's own is the op's default, and the only one whose scaled phase comes from the exact angle.
    if (this.kind === 'hsl') return undefined;
    const shape = [256, VALUE_CHANNELS];
    if (this.kind !== 'learned') return program.constant(`${this.kind} values`, shape, this.table);
    const declared = program.parameters.find(({ name }) => name === this.#name);
    return declared?.tensor ?? program.parameter(this.#name, shape);
  }
}
