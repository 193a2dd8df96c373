import { InputError } from '../common/errors.js';
import { formatShape, type Shape } from '../common/shape.js';
import { type AnyOp, type Attributes, nameOf, type OutputKind, outputKind, type Value } from '../engine/op.js';
import type { Plan, ReplayOptions } from '../engine/plan.js';
import type { Entry, Phase } from '../engine/program.js';
import type { DType, Role, Tensor } from '../engine/tensor.js';
import { viewOf } from '../engine/values.js';
import { runEntries } from './entryRun.js';
import { type Comparison, compareWithReference } from './parity.js';
import { type Statistics, statisticsOf } from './statistics.js';

/** A tensor of a traced run. */
export interface TensorTrace {
  readonly id: number;
  /** unique: the label, with the shape for a view, and a number for a repeated label */
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly role: Role;
  /** statistics of its numbers after the run */
  readonly statistics: Statistics;
  /** entries that wrote it and that read it, by index */
  readonly writers: readonly number[];
  readonly readers: readonly number[];
}

/** An input or output: its name in the op, and its tensor. */
export interface Operand {
  readonly name: string;
  readonly tensor: number;
}

/** An output of an entry, compared with its reference. */
export interface WrittenOperand extends Operand {
  readonly kind: OutputKind;
  /** absent for views, which compute nothing */
  readonly parity?: Comparison;
}

/** One dispatch as it ran. */
export interface DispatchTrace {
  /** file name in shaders/ without `.wgsl` */
  readonly shader: string;
  /** the WGSL that ran, constants included */
  readonly text: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, number>>;
  readonly extensions: readonly string[];
  readonly workgroups: readonly [number, number, number];
  /** GPU time; undefined where the device has no timestamps */
  readonly nanoseconds: number | undefined;
}

/** One entry as it ran. */
export interface EntryTrace {
  readonly index: number;
  readonly op: AnyOp;
  readonly scope: string;
  readonly phase: Phase;
  readonly attributes: Attributes;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly WrittenOperand[];
  readonly dispatches: readonly DispatchTrace[];
  /** for gradient entries: the entry they differentiate */
  readonly forward: number | undefined;
  /** the gradient entries of this one */
  readonly backward: readonly number[];
  /** entries whose outputs this one reads, and entries that read its outputs */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** One run of a program with every number kept. */
export class Trace {
  readonly #ids: ReadonlyMap<Tensor, number>;

  constructor(
    readonly entries: readonly EntryTrace[],
    readonly tensors: readonly TensorTrace[],
    private readonly recorded: readonly Tensor[],
    private readonly memory: ReadonlyMap<number, Float32Array | Uint32Array>,
  ) {
    this.#ids = new Map(recorded.map((tensor, id) => [tensor, id]));
  }

  /** The trace of a tensor of the program. */
  of(tensor: Tensor): TensorTrace {
    const id = this.#ids.get(tensor);
    if (id === undefined) throw new InputError(`trace: ${tensor} is read or written by no entry`);
    return this.tensors[id]!;
  }

  /** Numbers of a tensor after the run, row-major. */
  value(tensor: Tensor | number): Value {
    return numbersOf(typeof tensor === 'number' ? this.recorded[tensor]! : tensor, this.memory);
  }

  /**
   * A tensor by its name.
   *
   * @throws InputError when there is none, with names that contain it
   */
  find(name: string): TensorTrace {
    const found = this.tensors.find((tensor) => tensor.name === name);
    if (found !== undefined) return found;
    const near = this.tensors.filter((tensor) => tensor.name.includes(name)).map((tensor) => tensor.name);
    const hint = near.length > 0 ? near.slice(0, 8) : this.tensors.slice(0, 8).map((tensor) => tensor.name);
    throw new InputError(
      `there is no tensor ${JSON.stringify(name)} in this run. ${near.length > 0 ? 'Names with that in them' : 'Names look like'}: ` +
        `${hint.join('; ')}${near.length > 8 ? `; and ${near.length - 8} more` : ''}`,
    );
  }
}

/**
 * Run a plan once, entry by entry, and keep everything: numbers, kernels, times, and the difference of each result from
 * the float64 reference for the same inputs.
 *
 * @param plan compiled with `keep: 'all'`, its inputs written   @param progress called after each entry that ran
 * @param options entries that a replay with these options skips are in the trace, without dispatches
 */
export async function trace(
  plan: Plan,
  progress: (done: number, of: number) => void = () => {},
  options: ReplayOptions = {},
): Promise<Trace> {
  const { program } = plan;
  const ran = new Map<Entry, { dispatches: DispatchTrace[]; parity: Comparison[] }>();
  for await (const run of runEntries(plan, options)) {
    const dispatches = run.prepared.map(({ dispatch, text }, i) => ({
      shader: dispatch.shader,
      text,
      constants: dispatch.constants ?? {},
      params: dispatch.params ?? {},
      extensions: dispatch.extensions ?? [],
      workgroups: dispatch.workgroups,
      nanoseconds: run.nanoseconds?.[i],
    }));
    ran.set(run.entry, { dispatches, parity: compareWithReference(run) });
    progress(run.entry.index + 1, program.entries.length);
  }
  const recorded = [...new Set(program.entries.flatMap((entry) => [...entry.inputs, ...entry.outputs]))];
  const storages = [...new Set(recorded.map((tensor) => tensor.storage))];
  const numbers = await plan.readback(storages);
  const memory = new Map(storages.map((storage, i) => [storage.id, numbers[i]!]));
  const ids = new Map(recorded.map((tensor, id) => [tensor, id]));
  const links = linksOf(program.entries);
  const entries = program.entries.map((entry): EntryTrace => {
    const { op, index, scope, phase, attributes } = entry;
    const run = ran.get(entry);
    const outputs = entry.outputs.map((tensor, i) => {
      const [name, kind] = [op.outputs[i]!, outputKind(op, i)];
      return { name, kind, tensor: ids.get(tensor)!, ...(run && { parity: run.parity[i]! }) };
    });
    const inputs = entry.inputs.map((tensor, i) => ({ name: nameOf(op.inputs[i]!), tensor: ids.get(tensor)! }));
    const backward = program.entries.filter((other) => other.forward === entry).map((other) => other.index);
    const { from, to } = links[index]!;
    const forward = entry.forward?.index;
    const dispatches = run?.dispatches ?? [];
    return { index, op, scope, phase, attributes, inputs, outputs, dispatches, forward, backward, from, to };
  });
  return new Trace(entries, describeTensors(recorded, entries, memory), recorded, memory);
}

/** Link the entries that write a tensor with those that read it. */
function linksOf(entries: readonly Entry[]): { from: number[]; to: number[] }[] {
  const links = entries.map(() => ({ from: [] as number[], to: [] as number[] }));
  // A view has its own entry, so tensors come first; accumulated or shared memory is found by its storage.
  const byTensor = new Map<Tensor, number>();
  const byStorage = new Map<number, number>();
  for (const { index, inputs, outputs } of entries) {
    const from = inputs.map((tensor) => byTensor.get(tensor) ?? byStorage.get(tensor.storage.id));
    for (const maker of new Set(from)) {
      if (maker === undefined) continue;
      links[index]!.from.push(maker);
      links[maker]!.to.push(index);
    }
    for (const tensor of outputs) {
      byTensor.set(tensor, index);
      byStorage.set(tensor.storage.id, index);
    }
  }
  return links;
}

function describeTensors(
  recorded: readonly Tensor[],
  entries: readonly EntryTrace[],
  memory: ReadonlyMap<number, Float32Array | Uint32Array>,
): TensorTrace[] {
  const writers = recorded.map((): number[] => []);
  const readers = recorded.map((): number[] => []);
  for (const { index, inputs, outputs } of entries) {
    for (const { tensor } of inputs) readers[tensor]!.push(index);
    for (const { tensor } of outputs) writers[tensor]!.push(index);
  }
  const named = new Map<string, number>();
  const first = new Set<number>();
  return recorded.map((tensor, id) => {
    const { label, shape, dtype, storage } = tensor;
    const isView = first.has(storage.id);
    first.add(storage.id);
    const base = isView ? `${label} as ${formatShape(shape)}` : label;
    const times = (named.get(base) ?? 0) + 1;
    named.set(base, times);
    return {
      id,
      name: times === 1 ? base : `${base} #${times}`,
      shape,
      dtype,
      role: storage.role,
      statistics: statisticsOf(numbersOf(tensor, memory).data),
      writers: writers[id]!,
      readers: readers[id]!,
    };
  });
}

function numbersOf(tensor: Tensor, memory: ReadonlyMap<number, Float32Array | Uint32Array>): Value {
  return viewOf(tensor, Float64Array.from(memory.get(tensor.storage.id)!));
}
