/**
 * The readable reference for WGSL compute programs: one dispatch, invocation by invocation.
 *
 * The invocations of a workgroup run one after another, each until it ends or must wait; subgroup operations and
 * barriers then release them. Workgroups run one after another. Any order gives the same results, unless the program
 * has a race; a seed selects another order.
 *
 * The structure of the program determines the lanes of a subgroup operation: those that took the same branches and
 * iterations. Diverged lanes reconverge after the `if`, `switch`, iteration, loop or call.
 */
import { Closures, type Code } from './closures.js';
import { WgslError } from './errors.js';
import { comparePaths, Lane, type Observer, type Stop, type Three } from './lane.js';
import { sizeOf } from './layout.js';
import { loadOf, Memory, type Value } from './memory.js';
import { subgroupOperation } from './subgroups.js';
import type { Block, BuiltinValue, EntryPoint, FunctionDeclaration, Module, Position, Variable } from './tree.js';

/** Memory of the host for one `@group @binding`. */
export interface BindingMemory {
  readonly group: number;
  readonly binding: number;
  /** read and written in place; its offset in its buffer and its length are multiples of 4 */
  readonly bytes: Uint8Array;
}

/** Subgroup sizes that a run may have, in invocations. */
export const SUBGROUP_SIZES = [4, 8, 16, 32, 64] as const;
/** One of `SUBGROUP_SIZES`. */
export type SubgroupSize = (typeof SUBGROUP_SIZES)[number];

/** How to run a dispatch: its bindings and grid, the subgroup size, and the order of invocations. */
export interface RunOptions {
  readonly bindings: readonly BindingMemory[];
  readonly workgroups: Three;
  /** default 32; subgroups are consecutive invocations by `local_invocation_index` */
  readonly subgroupSize?: SubgroupSize;
  /** seed for the order of workgroups and invocations; default: ascending order */
  readonly seed?: number;
  /** maximum loop iterations of one invocation; default 10 million */
  readonly iterationLimit?: number;
  /** stop before every statement, for `Dispatch.steps` */
  readonly stepping?: boolean;
  /** run only this workgroup; default all */
  readonly only?: Three;
  readonly observer?: Observer;
}

/**
 * Run one dispatch of an entry point to its end. Results are in the bindings' bytes.
 *
 * @throws WgslError when a binding is missing or too small, a loop does not end, or not all invocations reach a barrier
 */
export function run(module: Module, entryPoint: string, options: RunOptions): void {
  const { done } = new Dispatch(module, entryPoint, options).steps().next();
  if (!done) throw new TypeError('run does not step; use Dispatch.steps');
}

/** A dispatch whose state can be inspected while it runs. */
export class Dispatch {
  readonly entryPoint: EntryPoint;
  /** lanes of the running workgroup, by local_invocation_index */
  readonly lanes: readonly Lane[];
  /** uniform, storage and workgroup variables that the entry point uses */
  readonly memories: ReadonlyMap<Variable, Memory>;
  /** the running workgroup */
  workgroup: Three = [0, 0, 0];
  /** invocations that have not run in this round; 0 if the next step begins another round */
  remaining = 0;

  readonly #closures: Closures;
  readonly #body: Code<unknown>;
  readonly #initialise: readonly ((lane: Lane) => void)[];
  readonly #subgroupSize: SubgroupSize;
  readonly #random: (() => number) | undefined;

  constructor(
    readonly module: Module,
    entryPoint: string,
    readonly options: RunOptions,
  ) {
    const found = module.entryPoints.find((candidate) => candidate.function.name === entryPoint);
    if (!found) {
      const names = module.entryPoints.map((candidate) => candidate.function.name).join(', ');
      throw new RangeError(`the module has no entry point ${entryPoint}; it has ${names || 'none'}`);
    }
    this.entryPoint = found;
    this.#subgroupSize = options.subgroupSize ?? 32;
    if (!SUBGROUP_SIZES.includes(this.#subgroupSize)) {
      throw new RangeError(`the subgroup size must be one of ${SUBGROUP_SIZES.join(', ')}; got ${this.#subgroupSize}`);
    }
    this.#random = options.seed === undefined ? undefined : mulberry32(options.seed);
    this.memories = memoriesOf(module, found, options.bindings);
    this.#closures = new Closures({
      memories: new Map([...this.memories].map(([variable, memory]) => [variable.id, memory])),
      observer: options.observer,
      stepping: options.stepping ?? false,
      iterationLimit: options.iterationLimit ?? 1e7,
      text: module.text,
    });
    this.#body = this.#closures.function(found.function).body;
    this.#initialise = found.globals
      .filter(({ space }) => space === 'private')
      .map((variable) => this.#closures.initialise(variable));
    this.lanes = this.#makeLanes(found.workgroupSize);
  }

  #makeLanes([sizeX, sizeY, sizeZ]: Three): Lane[] {
    const bytes = this.#closures.ownWords * 4;
    return Array.from({ length: sizeX * sizeY * sizeZ }, (_, i) => {
      const local: Three = [i % sizeX, Math.floor(i / sizeX) % sizeY, Math.floor(i / (sizeX * sizeY))];
      return new Lane(i, local, new Memory('function', new Uint8Array(bytes)));
    });
  }

  /**
   * Run the dispatch. With `stepping`, yields each invocation in turn, stopped before a statement, at a barrier, or
   * ended; without it, runs to the end.
   */
  *steps(): Generator<Lane, void> {
    const [countX, countY, countZ] = this.options.workgroups;
    const order = this.#ordered(Array.from({ length: countX * countY * countZ }, (_, i) => i));
    for (const i of order) {
      const at = this.options.only;
      if (at && i !== at[0] + countX * (at[1] + countY * at[2])) continue;
      this.workgroup = [i % countX, Math.floor(i / countX) % countY, Math.floor(i / (countX * countY))];
      yield* this.#runWorkgroup();
    }
  }

  *#runWorkgroup(): Generator<Lane, void> {
    for (const [variable, memory] of this.memories) if (variable.space === 'workgroup') memory.u32.fill(0);
    for (const lane of this.lanes) this.#start(lane);
    let ready: readonly Lane[] = this.lanes;
    while (ready.length > 0) {
      const stepped: Lane[] = [];
      this.remaining = ready.length;
      for (const lane of this.#ordered(ready)) {
        this.#resume(lane);
        this.remaining -= 1;
        if (this.options.stepping) yield lane;
        if (lane.stop?.kind === 'statement') stepped.push(lane);
      }
      ready = stepped;
      if (ready.length === 0) ready = this.#exchange();
      if (ready.length === 0) ready = this.#passBarrier();
    }
  }

  #start(lane: Lane): void {
    lane.restart(this.workgroup);
    for (const initialise of this.#initialise) initialise(lane);
    for (const parameter of this.entryPoint.function.parameters) {
      const { type, builtin } = parameter;
      lane.values[parameter.id] = builtin
        ? this.#builtinValue(builtin, lane)
        : type.kind === 'struct'
          ? type.members.map((member) => this.#builtinValue(member.builtin!, lane))
          : 0;
    }
    lane.frames.push({ function: this.entryPoint.function });
    if (this.#body.stops) lane.thread = this.#body.run(lane);
  }

  /** Run an invocation until it stops or ends. */
  #resume(lane: Lane): void {
    if (!this.#body.stops) {
      this.#body.run(lane);
      lane.done = true;
      return;
    }
    const { done, value } = lane.thread!.next(lane.answer);
    lane.done = done === true;
    lane.stop = done ? undefined : (value as Stop);
  }

  /** The waiting lanes that are first in the program, all at one dynamic instance. */
  #first(waiting: readonly Lane[]): Lane[] {
    const first = waiting.reduce((a, b) => (comparePaths(b.path, a.path) < 0 ? b : a));
    return waiting.filter((lane) => comparePaths(lane.path, first.path) === 0);
  }

  /** If all lanes of a subgroup wait, run the subgroup operation of the first ones. Returns the released lanes. */
  #exchange(): Lane[] {
    const size = this.#subgroupSize;
    const ready: Lane[] = [];
    for (let from = 0; from < this.lanes.length; from += size) {
      const subgroup = this.lanes.slice(from, from + size);
      const waiting = subgroup.filter((lane) => !lane.done);
      if (waiting.length === 0) continue;
      const present = this.#first(waiting);
      const stop = present[0]!.stop!;
      if (stop.kind !== 'subgroup') continue;
      if (present.length < subgroup.length) {
        this.options.observer?.divergence(
          stop,
          present,
          subgroup.filter((lane) => !present.includes(lane)),
        );
      }
      const operation = subgroupOperation(stop.name, stop.type)!;
      const participants = present.map((lane) => ({
        lane: lane.index - from,
        values: (lane.stop as typeof stop).values,
      }));
      const results = operation(participants, size);
      present.forEach((lane, i) => {
        lane.answer = results[i]!;
      });
      ready.push(...present);
    }
    return ready;
  }

  /** If all invocations wait at a barrier, release them. Returns the released lanes. */
  #passBarrier(): Lane[] {
    const waiting = this.lanes.filter((lane) => !lane.done);
    if (waiting.length === 0) return [];
    const present = this.#first(waiting);
    const stop = present[0]!.stop!;
    if (stop.kind !== 'barrier') throw new TypeError('lanes wait for nothing');
    if (present.length < this.lanes.length) this.#divergentBarrier(stop, present);
    this.options.observer?.barrier(stop.name);
    return present;
  }

  #divergentBarrier(stop: Extract<Stop, { kind: 'barrier' }>, present: readonly Lane[]): void {
    const absent = this.lanes.filter((lane) => !present.includes(lane));
    if (!this.options.observer) {
      const who = `${present.length} of ${this.lanes.length} invocations`;
      throw new WgslError(
        `${stop.name} is reached by ${who} only; move it to where all of the workgroup come`,
        stop.at,
        this.module.text,
      );
    }
    this.options.observer.divergence(stop, present, absent);
  }

  #builtinValue(name: BuiltinValue, lane: Lane): Value {
    const size = this.entryPoint.workgroupSize;
    const counts = this.options.workgroups;
    const global = lane.localId.map((id, i) => lane.workgroup[i]! * size[i]! + id);
    const flat = ([x, y, z]: readonly number[], [sizeX, sizeY]: readonly number[]) => x! + sizeX! * (y! + sizeY! * z!);
    switch (name) {
      case 'local_invocation_id':
        return lane.localId;
      case 'local_invocation_index':
        return lane.index;
      case 'global_invocation_id':
        return global;
      case 'global_invocation_index':
        // Row by row over the whole grid, for every shape of a workgroup.
        return flat(
          global,
          size.map((width, i) => width * counts[i]!),
        );
      case 'workgroup_id':
        return lane.workgroup;
      case 'workgroup_index':
        return flat(lane.workgroup, counts);
      case 'num_workgroups':
        return counts;
      case 'subgroup_invocation_id':
        return lane.index % this.#subgroupSize;
      case 'subgroup_size':
        return this.#subgroupSize;
      case 'subgroup_id':
        return Math.floor(lane.index / this.#subgroupSize);
      case 'num_subgroups':
        return Math.ceil(this.lanes.length / this.#subgroupSize);
    }
  }

  /** In ascending order, or in the seed's order. */
  #ordered<T>(items: readonly T[]): readonly T[] {
    const random = this.#random;
    if (!random) return items;
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }

  // ---- state for the stepper ----

  /** The value of a variable for an invocation. `lane` is needed only for its own variables. */
  read(variable: Variable, lane: Lane): Value {
    if (variable.kind !== 'var') return lane.values[variable.id]!;
    const memory = this.memories.get(variable);
    return memory
      ? loadOf(variable.type)(memory, 0)
      : loadOf(variable.type)(lane.memory, this.#closures.ownWord(variable));
  }

  /** The variables in scope at an invocation's statement, function by function, the entry point first. */
  variablesOf(lane: Lane): { function: FunctionDeclaration; at: Position; variables: Variable[] }[] {
    return lane.frames.map(({ function: declaration, statement }) => ({
      function: declaration,
      at: statement?.at ?? declaration.at,
      variables: [...declaration.parameters, ...(statement ? (declaredBefore(declaration.body, statement) ?? []) : [])],
    }));
  }
}

/**
 * Variables in scope at a statement: those declared before it in the blocks around it; undefined if it is not inside.
 */
function declaredBefore(block: Block, target: unknown): Variable[] | undefined {
  const declared: Variable[] = [];
  for (const statement of block.statements) {
    if (statement === target) return declared;
    for (const inner of blocksOf(statement)) {
      const found = declaredBefore(inner, target);
      if (found) return [...declared, ...found];
    }
    if (statement.kind === 'loop' && statement.continuing) {
      // `continuing` sees what the body declares.
      const whole = [...statement.body.statements, ...statement.continuing.statements];
      const found = declaredBefore({ statements: whole, at: statement.at }, target);
      if (found) return [...declared, ...found];
    }
    if (statement.kind === 'declare') declared.push(statement.variable);
  }
  return undefined;
}

function blocksOf(statement: Block['statements'][number]): Block[] {
  switch (statement.kind) {
    case 'block':
      return [statement.body];
    case 'if':
      return statement.else ? [statement.then, statement.else] : [statement.then];
    case 'switch':
      return statement.cases.map(({ body }) => body);
    case 'loop':
      return [statement.body];
    default:
      return [];
  }
}

/** Bindings and workgroup memory of an entry point. */
function memoriesOf(
  module: Module,
  { globals }: EntryPoint,
  bindings: readonly BindingMemory[],
): Map<Variable, Memory> {
  const memories = new Map<Variable, Memory>();
  for (const variable of globals) {
    const { space, binding, type, at, name } = variable;
    if (space === 'workgroup') {
      memories.set(variable, new Memory(space, new Uint8Array(sizeOf(type)), variable));
    } else if (binding) {
      const place = `@group(${binding.group}) @binding(${binding.binding}) ${name}`;
      const given = bindings.find((each) => each.group === binding.group && each.binding === binding.binding);
      if (!given) throw new WgslError(`${place} has no memory bound to it`, at, module.text);
      if (given.bytes.byteLength < sizeOf(type)) {
        const rule = `${place} needs ${sizeOf(type)} bytes; ${given.bytes.byteLength} are bound`;
        throw new WgslError(rule, at, module.text);
      }
      memories.set(variable, new Memory(space, given.bytes, variable));
    }
  }
  return memories;
}

/** Random numbers from 0 to 1 by Tommy Ettinger's mulberry32. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
