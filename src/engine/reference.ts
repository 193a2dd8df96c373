import { InputError } from './errors.js';
import { outputOf, type Value } from './op.js';
import { permute, reshape, stridedIndex } from './ops/view.js';
import type { Entry, Program } from './program.js';
import type { Storage, Tensor } from './tensor.js';

/** Numbers by tensor: what a reference run starts from. */
export type Feeds = ReadonlyMap<Tensor, ArrayLike<number>>;

/** Stands for the numbers before of an output that is written whole, or added into. */
export const NOTHING_BEFORE: Value = { shape: [0], data: new Float64Array(0) };

/**
 * The float64 twin of a plan: the same program, entry by entry, through each op's reference loops. It decides who is
 * right. Slow and simple: every storage is one Float64Array; the flat buffers are one each, and parameters look into them.
 */
export class ReferenceRun {
  readonly #memory = new Map<number, Float64Array>();
  readonly #parameters: Float64Array;
  readonly #gradients: Float64Array;

  constructor(
    readonly program: Program,
    feeds: Feeds,
  ) {
    this.#parameters = new Float64Array(program.flatLength);
    this.#gradients = new Float64Array(program.flatLength);
    for (const [tensor, data] of feeds) {
      const memory = this.#of(tensor.storage);
      if (data.length !== memory.length) {
        throw new InputError(`reference: ${tensor} takes ${memory.length} numbers; got ${data.length}`);
      }
      for (let i = 0; i < memory.length; i++) memory[i] = data[i]!;
    }
  }

  /** Run entries in order, all of them by default. */
  run(entries: readonly Entry[] = this.program.entries): this {
    for (const entry of entries) this.runEntry(entry);
    return this;
  }

  /** Run one entry: its outputs are written, added into or updated, as its op says. */
  runEntry(entry: Entry): void {
    // A view's output is its input's storage: nothing to compute.
    if (entry.op === reshape || entry.op === permute) return;
    const results = entry.op.reference(
      entry.inputs.map((input) => this.value(input)),
      entry.attributes,
      entry.op.outputs.map((output, i) =>
        outputOf(output)[1] === 'updates' ? this.value(entry.outputs[i]!) : NOTHING_BEFORE,
      ),
    );
    entry.outputs.forEach((output, i) => {
      const memory = this.#of(output.storage);
      const result = results[i]!;
      if (outputOf(entry.op.outputs[i]!)[1] === 'adds') {
        for (const [at, value] of result.entries()) memory[at]! += value;
      } else {
        memory.set(result);
      }
    });
  }

  /** A tensor's numbers now, row-major. */
  value(tensor: Tensor): Value {
    const memory = this.#of(tensor.storage);
    if (tensor.isContiguous) return { shape: tensor.shape, data: memory };
    const { shape, strides } = tensor;
    const data = Float64Array.from({ length: tensor.size }, (_, i) => memory[stridedIndex(i, shape, strides)]!);
    return { shape, data };
  }

  #of(storage: Storage): Float64Array {
    const known = this.#memory.get(storage.id);
    if (known !== undefined) return known;
    const memory = this.#make(storage);
    this.#memory.set(storage.id, memory);
    return memory;
  }

  #make({ flatOffset, role, length, data }: Storage): Float64Array {
    if (flatOffset !== undefined) {
      const flat = role === 'gradient' ? this.#gradients : this.#parameters;
      return flat.subarray(flatOffset, flatOffset + length);
    }
    return data === undefined ? new Float64Array(length) : Float64Array.from(data);
  }
}
