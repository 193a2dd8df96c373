import { InputError, kindOf, ShapeError } from '../common/errors.js';
import { normals } from '../common/random.js';
import { checkShape, type Shape, sameShape, sizeOf, stridesOf } from '../common/shape.js';
import type { Device } from '../device/device.js';
import { type Fill, fromNested, type Nested, toData } from './numbers.js';
import {
  type AnyOp,
  type Attributes,
  calledName,
  checkIds,
  checkInputs,
  nameOf,
  type Op,
  type OutputSpec,
} from './op.js';
import { addInto } from './ops/addInto.js';
import { add } from './ops/binary.js';
import { contiguous } from './ops/view.js';
import { Runner } from './runner.js';
import { type DType, type Role, type Storage, Tensor } from './tensor.js';

/** Parameters start at multiples of 64 floats: 256 bytes, the binding alignment every adapter accepts. */
export const PARAMETER_ALIGNMENT = 64;

/** One call of one op: its inputs, outputs and attributes. */
export interface Entry {
  readonly index: number;
  readonly op: AnyOp;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
  /** `blocks.0.attention`: its scope in the model */
  readonly scope: string;
  readonly phase: Phase;
  /** for gradient entries: the forward entry they differentiate */
  readonly forward?: Entry;
}

/** Options of a program. */
export interface ProgramOptions {
  /** the device of `Tensor.value` and the optimisers; a plan compiled by hand has its own */
  readonly device?: Device;
  /** random seed of parameters with a `std`, and of dropout. Default 0 */
  readonly seed?: number;
  /** initial numbers of parameters, by name: those of a checkpoint */
  readonly parameters?: ReadonlyMap<string, Float32Array>;
  /**
   * names of ops whose outputs need a gradient even without a parameter before them: `inspect` uses it to attribute the
   * loss to channels
   */
  readonly attribute?: readonly string[];
}

/** Options of a parameter. */
export interface ParameterOptions {
  /** true applies weight decay; default: true for matrices, false for vectors */
  readonly decay?: boolean;
  /**
   * its initial numbers, unless program or plan give others: these, or normals of this standard deviation. Default 0
   */
  readonly init?: Fill | { readonly std: number };
}

/** Options of an input. */
export interface InputOptions {
  /** true requests the gradient of the loss with respect to it; numbers only */
  readonly requiresGradient?: boolean;
}

/** `replay` entries run at every replay; `update` entries only when asked, after the last micro-batch. */
export type Phase = 'replay' | 'update';

/** One row of the parameter table. */
export interface ParameterEntry {
  readonly name: string;
  /** true if weight decay applies */
  readonly decay: boolean;
  readonly tensor: Tensor;
  /** its initial numbers, unless the plan gives others; default 0 */
  readonly init?: Float32Array;
}

/**
 * The record of a computation: entries in the order they were called. Gradients are entries too, appended by walking
 * them backwards. Nothing runs here: `Plan.compile` turns a program into a plan, and the plan is what replays.
 */
export class Program {
  readonly entries: Entry[] = [];
  readonly storages: Storage[] = [];
  readonly parameters: ParameterEntry[] = [];
  /** The phase that entries are recorded in from now on. */
  phase: Phase = 'replay';
  /** Elements in each flat buffer: all parameters so far, each padded to PARAMETER_ALIGNMENT. */
  flatLength = 0;
  #scope = '';
  #differentiating: Entry | undefined;
  /** gradient of the loss with respect to each tensor visited so far in reverse mode */
  readonly #gradients = new Map<Tensor, Tensor>();
  /** those of them that accumulate; a gradient passed on to another tensor does not belong to the first */
  readonly #totals = new Map<Tensor, Tensor>();

  readonly #device: Device | undefined;
  readonly #attribute: readonly string[];
  readonly #given: ReadonlyMap<string, Float32Array>;
  /** random seed of parameters and dropout */
  readonly seed: number;
  /** every tensor that is written before a replay */
  readonly inputs: Tensor[] = [];
  #runner: Runner | undefined;
  #step: Tensor | undefined;

  constructor({ device, seed = 0, parameters = new Map(), attribute = [] }: ProgramOptions = {}) {
    this.#device = device;
    this.seed = seed;
    this.#attribute = attribute;
    this.#given = parameters;
  }

  /**
   * The runner of this program for `Tensor.value` and the optimisers.
   *
   * @throws InputError when the program was created without a device
   */
  get runner(): Runner {
    if (this.#device === undefined) {
      throw new InputError('this program has no device to run on: new Program({ device: await openDevice() })');
    }
    this.#runner ??= new Runner(this, this.#device);
    return this.#runner;
  }

  // ---- tensors ----

  /**
   * A tensor written from TypeScript before each replay.
   *
   * @throws InputError when there is no such dtype, or a gradient by ids is requested
   */
  input(label: string, shape: Shape, dtype: DType = 'f32', { requiresGradient = false }: InputOptions = {}): Tensor {
    if (requiresGradient && dtype === 'u32') throw new InputError(`input ${label}: ids (u32) have no gradient`);
    const input = this.#create('input', label, shape, { dtype }, requiresGradient);
    this.inputs.push(input);
    return input;
  }

  /**
   * A tensor whose numbers are fixed when the plan is compiled: data, tables of angles, the substrate's value table.
   *
   *     program.constant('x', [[0, 0], [0, 1]])             // [2, 2], numbers
   *     program.constant('ids', [3], Uint32Array.of(5, 0, 2))
   *
   * @throws ShapeError when `data` does not fill the shape   @throws InputError when it is another kind of array, or ragged
   */
  constant(label: string, numbers: Nested): Tensor;
  /** As above, from row-major numbers or ids. */
  constant(label: string, shape: Shape, data: Float32Array | Uint32Array): Tensor;
  /** As above. */
  constant(label: string, given: Shape | Nested, ...numbers: [] | [Float32Array | Uint32Array]): Tensor {
    const { shape, data } =
      numbers.length === 0
        ? fromNested(`constant ${label}`, given as Nested)
        : { shape: given as Shape, data: numbers[0] };
    checkShape('constant', label, shape);
    if (!(data instanceof Float32Array || data instanceof Uint32Array)) {
      throw new InputError(`constant ${label}: needs a Float32Array, or a Uint32Array for ids; got ${kindOf(data)}`);
    }
    if (data.length !== sizeOf(shape)) {
      throw new ShapeError('constant', 'data must fill the shape', { [label]: shape, data: [data.length] });
    }
    const dtype: DType = data instanceof Uint32Array ? 'u32' : 'f32';
    return this.#create('constant', label, shape, { dtype, data });
  }

  /** A tensor that survives replays and is changed in place: key/value caches. Starts as zeros. */
  state(label: string, shape: Shape, dtype: DType = 'f32'): Tensor {
    return this.#create('state', label, shape, { dtype });
  }

  /**
   * A trainable tensor: a range of the flat parameter buffer.
   *
   *     program.parameter('weight', [2, 8], { init: { std: 0.5 } })   // normals, drawn by name from the program's seed
   *
   * @throws InputError when there is a parameter of that name
   */
  parameter(name: string, shape: Shape, options: ParameterOptions = {}): Tensor {
    if (this.parameters.some((entry) => entry.name === name)) throw new InputError(`parameter ${name} exists already`);
    const offset = this.flatLength;
    const tensor = this.#create('parameter', name, shape, { flatOffset: offset }, true);
    this.flatLength = offset + Math.ceil(tensor.size / PARAMETER_ALIGNMENT) * PARAMETER_ALIGNMENT;
    const first = this.#given.get(name) ?? options.init;
    const init = first === undefined ? undefined : this.#initial(name, shape, first);
    const decay = options.decay ?? shape.length > 1;
    this.parameters.push({ name, decay, tensor, ...(init && { init }) });
    return tensor;
  }

  #initial(name: string, shape: Shape, init: NonNullable<ParameterOptions['init']>): Float32Array {
    const size = sizeOf(shape);
    if (typeof init === 'object' && 'std' in init) return normals(this.seed, name, size).map((x) => init.std * x);
    const data = toData(`parameter ${name}`, shape, 'f32', init);
    if (!(data instanceof Float32Array) || data.length !== size) {
      throw new InputError(
        `parameter ${name}: init takes ${size} f32 numbers; got ${data.length} in a ${kindOf(data)}`,
      );
    }
    return data;
  }

  /** The number of the training step, [1] u32, for ops that draw: 0 where the program is only evaluated. */
  get step(): Tensor {
    this.#step ??= this.state('training step', [1], 'u32');
    return this.#step;
  }

  /** Does an op read `step`? */
  get hasStep(): boolean {
    return this.#step !== undefined;
  }

  /** A whole flat buffer as one tensor `[flatLength]`. Call it after the last parameter. */
  flat(role: 'parameter' | 'gradient'): Tensor {
    const label = role === 'parameter' ? 'parameters' : 'gradients';
    return this.#create(role, label, [this.flatLength], { flatOffset: 0 });
  }

  // ---- recording ----

  /** Entries recorded inside `body` carry `name` in their scope: `blocks.0`, then `blocks.0.attention`. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#scope;
    this.#scope = outer === '' ? name : `${outer}.${name}`;
    try {
      return body();
    } finally {
      this.#scope = outer;
    }
  }

  /**
   * Record one call of an op and return its output tensors. Views that are not row-major are copied first, unless the op is
   * `strided`.
   *
   * @param outputs existing tensors for outputs that are added into or updated in place, in the order of such outputs
   * @throws InputError when an input is missing or belongs to another program, `outputs` lacks one, or a constant has an
   *   id that is out of range
   * @throws ShapeError when an input has another dtype, the op's shape rule refuses the inputs, or one of `outputs` has
   *   another shape
   */
  record<A extends Attributes>(
    op: Op<A>,
    inputs: readonly Tensor[],
    attributes: A,
    outputs: readonly Tensor[] = [],
  ): Tensor[] {
    checkInputs(op, inputs, this);
    const specs = op.shape(inputs, attributes);
    this.#checkIds(op, inputs, attributes);
    const read = op.strided ? inputs : inputs.map((input) => this.contiguous(input));
    const existing = [...outputs];
    const behind = inputs.some((input) => input.requiresGradient) && op.backward !== undefined;
    const wants = behind || this.#attribute.includes(op.name);
    const written = specs.map((spec, i) => {
      const name = op.outputs[i]!;
      if (op.existing?.[name] === undefined) {
        const label = [this.#scope, op.name, name].filter(Boolean).join(' ');
        return this.#create('activation', label, spec.shape, { dtype: spec.dtype ?? 'f32' }, wants);
      }
      const target = existing.shift();
      this.#checkTarget(op, name, target, spec);
      return target;
    });
    checkAliases(op, read, written);
    this.#append(op, read, written, attributes);
    return written;
  }

  /** An existing tensor for an output must match its shape, dtype and layout. */
  #checkTarget(
    op: AnyOp,
    name: string,
    target: Tensor | undefined,
    { shape, dtype = 'f32' }: OutputSpec,
  ): asserts target is Tensor {
    if (target === undefined) throw new InputError(`${op.name}: needs a tensor for its output ${name}`);
    if (target.program !== this) {
      throw new InputError(`${op.name}: ${target} belongs to another program; record both ops in one program`);
    }
    if (!sameShape(target.shape, shape)) {
      throw new ShapeError(op.name, `${name} must match`, { [name]: target.shape, expected: shape });
    }
    if (target.dtype !== dtype) {
      throw new ShapeError(op.name, `${name} must be ${dtype}, not ${target.dtype}`, { [name]: target });
    }
    if (!target.isContiguous) {
      throw new InputError(`${op.name}: ${target} is a strided view; ${name} is written in place`);
    }
  }

  /** A view: an entry without dispatches whose output shares its input's storage. */
  view(op: AnyOp, x: Tensor, shape: Shape, strides: readonly number[], attributes: Attributes = {}): Tensor {
    const y = new Tensor(this, x.storage, shape, strides, x.label, x.requiresGradient);
    this.#append(op, [x], [y], attributes);
    return y;
  }

  /** The tensor itself if its elements are in row-major order, else a recorded copy. */
  contiguous(x: Tensor): Tensor {
    return x.isContiguous ? x : this.record(contiguous, [x], {})[0]!;
  }

  // ---- reverse mode ----

  /**
   * Append the entries that compute gradients, by walking the tape backwards from `from`.
   *
   * @param from the loss, a scalar whose gradient is 1; or pairs of tensors and the gradients to start from
   * @throws ShapeError when the loss is not one number, or a gradient has another shape than its tensor
   * @throws InputError when the loss depends on no parameter, or on one through an op that has no `backward`; or when
   * gradients are already recorded
   */
  backward(from: Tensor | readonly (readonly [Tensor, Tensor])[]): void {
    this.#checkLoss(from);
    const one = { data: Float32Array.of(1) };
    const pairs = from instanceof Tensor ? [[from, this.#create('constant', 'dLoss', from.shape, one)] as const] : from;
    this.#checkDifferentiable(pairs.map(([y]) => y));
    for (const [y, dY] of pairs) this.#addGradient(y, dY);
    const outer = this.#scope;
    for (const entry of [...this.entries].reverse()) {
      const { op, inputs, outputs, attributes, scope } = entry;
      const gradients = outputs.map((output) => this.#gradients.get(output));
      if (gradients.every((gradient) => gradient === undefined)) continue;
      if (op.backward === undefined || !inputs.some((input) => input.requiresGradient)) continue;
      this.#differentiating = entry;
      this.#scope = scope;
      const totals: [Tensor, Tensor][] = [];
      op.backward({
        inputs,
        outputs,
        attributes,
        gradients,
        addGradient: (input, gradient) => this.#addGradient(input, gradient),
        accumulator: (input) => {
          // A kernel cannot add to one buffer under two names: an input that occurs twice has a second total, added below.
          const isSecond = totals.some(([known]) => known === input);
          const total = isSecond
            ? this.#create('accumulator', `d ${input.label}`, input.shape)
            : this.#accumulator(input);
          totals.push([input, total]);
          return total;
        },
      });
      for (const [input, total] of totals) if (total !== this.#totals.get(input)) this.#addGradient(input, total);
    }
    this.#scope = outer;
    this.#differentiating = undefined;
  }

  /** Gradient of the loss with respect to a tensor, once `backward` has been recorded. */
  gradientOf(x: Tensor): Tensor | undefined {
    return this.#gradients.get(x);
  }

  /** A loss is one number, and a program has one backward pass. */
  #checkLoss(from: Tensor | readonly unknown[]): void {
    if (from instanceof Tensor && from.size !== 1) {
      throw new ShapeError('backward', 'the loss must be one number', { loss: from });
    }
    if (this.#gradients.size > 0) {
      throw new InputError(
        'backward: this program has its gradients already; for several losses, give all of them at once: backward([[loss, dLoss], …])',
      );
    }
  }

  /** Walk back from the loss through all its dependencies, with or without a gradient. */
  #checkDifferentiable(from: readonly Tensor[]): void {
    const reached = new Set(from);
    for (const { op, inputs, outputs } of [...this.entries].reverse()) {
      if (!outputs.some((output) => reached.has(output))) continue;
      for (const input of inputs) reached.add(input);
      const wanting = inputs.find((input) => input.requiresGradient);
      if (op.backward !== undefined || wanting === undefined) continue;
      throw new InputError(
        `backward: the loss depends on ${wanting} through ${op.name}, which has no backward; give the op one, ` +
          'an empty one where no gradient should flow',
      );
    }
    if (!from.some((y) => y.requiresGradient)) {
      throw new InputError(`backward: ${from[0]} depends on no parameter, so there is no gradient to record`);
    }
  }

  #addGradient(x: Tensor, gradient: Tensor): void {
    checkGradient(x, gradient);
    const before = this.#gradients.get(x);
    if (this.#isParameter(x) || this.#totals.has(x)) this.record(addInto, [gradient], {}, [this.#accumulator(x)]);
    else this.#gradients.set(x, before === undefined ? gradient : add(before, gradient));
  }

  /** A parameter itself; a view of one has a gradient of its own, which its backward passes on. */
  #isParameter(x: Tensor): boolean {
    return this.parameters.some(({ tensor }) => tensor === x);
  }

  #accumulator(x: Tensor): Tensor {
    const known = this.#totals.get(x);
    if (known !== undefined) return known;
    const before = this.#gradients.get(x);
    const total = this.#isParameter(x)
      ? this.#create('gradient', `d ${x.label}`, x.shape, { flatOffset: x.storage.flatOffset! })
      : this.#create('accumulator', `d ${x.label}`, x.shape);
    this.#gradients.set(x, total);
    this.#totals.set(x, total);
    if (before !== undefined) this.record(addInto, [before], {}, [total]);
    return total;
  }

  #append(op: AnyOp, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: Attributes): void {
    const forward = this.#differentiating;
    this.entries.push({
      index: this.entries.length,
      op,
      inputs,
      outputs,
      attributes,
      scope: this.#scope,
      phase: this.phase,
      ...(forward && { forward }),
    });
  }

  /**
   * Remember the bounds on ids, for the storages that they were copied from too, and check those of constants, which are
   * already known.
   */
  #checkIds<A extends Attributes>(op: Op<A>, inputs: readonly Tensor[], attributes: A): void {
    op.inputs.forEach((spec, i) => {
      if (typeof spec === 'string' || spec.idLimit === undefined) return;
      const below = spec.idLimit(inputs, attributes);
      for (let input = inputs[i]; input !== undefined; input = this.#copiedFrom(input)) {
        const { storage } = input;
        storage.idLimit = Math.min(storage.idLimit ?? below, below);
        if (storage.data !== undefined) checkIds(calledName(op), storage, storage.data);
      }
    });
  }

  #copiedFrom({ storage }: Tensor): Tensor | undefined {
    return this.entries.find(({ op, outputs }) => op.copies && outputs[0]!.storage === storage)?.inputs[0];
  }

  /** A tensor that covers a new storage. */
  #create(role: Role, label: string, shape: Shape, more: Partial<Storage> = {}, requiresGradient = false): Tensor {
    checkShape('tensor', label, shape);
    const length = sizeOf(shape);
    const storage: Storage = { dtype: 'f32', ...more, id: this.storages.length, role, label, length };
    checkType(storage);
    this.storages.push(storage);
    return new Tensor(this, storage, shape, stridesOf(shape), label, requiresGradient);
  }
}

function checkType({ label, dtype }: Storage): void {
  if (dtype !== 'f32' && dtype !== 'u32') throw new InputError(`${label}: dtype must be f32 or u32; got ${dtype}`);
}

/**
 * The device refuses a dispatch that binds a written buffer under two names. So two outputs, or an output and an input
 * of another name, must be different tensors.
 */
function checkAliases(op: AnyOp, inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
  const written = outputs.map(({ storage }, i) => ({ storage, name: op.outputs[i]! }));
  const read = inputs.map(({ storage }, i) => ({ storage, name: nameOf(op.inputs[i]!) }));
  for (const [i, { storage, name }] of written.entries()) {
    const others = [...written.slice(i + 1), ...read.filter((input) => input.name !== name)];
    const other = others.find((binding) => binding.storage === storage);
    if (other !== undefined) {
      throw new InputError(
        `${op.name}: ${name} and ${other.name} are both ${storage.label}; a tensor written in place must be distinct`,
      );
    }
  }
}

function checkGradient(x: Tensor, gradient: Tensor): void {
  if (!sameShape(x.shape, gradient.shape)) {
    throw new ShapeError('backward', 'a gradient must have the shape of its tensor', { [x.label]: x, gradient });
  }
}
