import { InputError } from '../common/errors.js';
import { calledName, checkIds, outputKind, type Value } from './op.js';
import { isView } from './ops/view.js';
import type { Entry, Program } from './program.js';
import type { Storage, Tensor } from './tensor.js';
import { viewOf } from './values.js';

/** Initial numbers of a reference run, by tensor. */
export type Feeds = ReadonlyMap<Tensor, ArrayLike<number>>;

/** Placeholder for the previous numbers of an overwritten or accumulated output. */
export const NOTHING_BEFORE: Value = { shape: [0], data: new Float64Array(0) };

/**
 * One entry in its op's float64 loops: the value of each output, or the amount added to it.
 *
 * @throws InputError when an id of any origin is out of range
 */
export function referenceOf(entry: Entry, inputs: readonly Value[], before: readonly Value[]): Float64Array[] {
  for (const [i, { storage }] of entry.inputs.entries()) checkIds(calledName(entry.op), storage, inputs[i]!.data);
  return entry.op.reference(inputs, entry.attributes, before);
}

/**
 * The float64 reference of a plan: the same program, entry by entry, in each op's reference loops. It defines the
 * correct result. Slow and simple: every storage is one Float64Array; the flat buffers are one array each, and
 * parameters are views of them.
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
      checkIds('reference', tensor.storage, data);
      for (let i = 0; i < memory.length; i++) memory[i] = data[i]!;
    }
  }

  /** Run entries in order, all of them by default. */
  run(entries: readonly Entry[] = this.program.entries): this {
    for (const entry of entries) this.runEntry(entry);
    return this;
  }

  /** Run one entry: overwrite, add to or update its outputs, by the op's declaration. */
  runEntry(entry: Entry): void {
    // A view's output is its input's storage: nothing to compute.
    if (isView(entry.op)) return;
    const inputs = entry.inputs.map((input) => this.value(input));
    const before = entry.outputs.map((output, i) =>
      outputKind(entry.op, i) === 'inPlace' ? this.value(output) : NOTHING_BEFORE,
    );
    const results = referenceOf(entry, inputs, before);
    entry.outputs.forEach((output, i) => {
      const memory = this.#of(output.storage);
      const result = results[i]!;
      if (outputKind(entry.op, i) === 'accumulates') {
        for (const [at, value] of result.entries()) memory[at]! += value;
      } else {
        memory.set(result);
      }
    });
  }

  /** A tensor's numbers now, row-major. */
  value(tensor: Tensor): Value {
    const memory = this.#of(tensor.storage);
    return viewOf(tensor, memory);
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
