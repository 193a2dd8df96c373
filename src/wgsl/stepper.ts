/**
 * One workgroup of a dispatch, run statement by statement, for the explorer's stepper. The interpreter runs it, so the
 * numbers are those of a run.
 */
import { WgslError } from './errors.js';
import { type BindingMemory, Dispatch, type RunOptions } from './interpret.js';
import type { Lane, Observer, Three } from './lane.js';
import type { Memory, Value } from './memory.js';
import type { FunctionDeclaration, Module, Position, Variable } from './tree.js';

/** How to step a dispatch: the options of a run, and the workgroup to step. */
export interface StepperOptions
  extends Pick<RunOptions, 'bindings' | 'workgroups' | 'subgroupSize' | 'iterationLimit'> {
  /** default [0, 0, 0]; other workgroups do not run */
  readonly workgroup?: Three;
}

/** One read or write of a word of workgroup or storage memory. */
export interface Touch {
  /** local_invocation_index */
  readonly lane: number;
  readonly use: 'read' | 'write';
  readonly variable: Variable;
  readonly word: number;
  readonly at: Position;
}

/** The state of an invocation. */
export type LaneState = 'runs' | 'waits at a barrier' | 'waits for its subgroup' | 'has ended';

/** A bit of `touched`: the word was read, or written. */
export const READ = 1;
/** A bit of `touched`: the word was read, or written. */
export const WRITTEN = 2;

/** Maximum number of recorded accesses of one round. */
const MAX_TOUCHES = 4096;

/**
 * Steps a workgroup in rounds: in each, every invocation that can continue runs one statement. A GPU promises no order
 * between barriers; this one is easy to follow.
 */
export class Stepper {
  /** accesses of the last round */
  touches: Touch[] = [];
  /** by memory, READ and WRITTEN for each word, since the last move began */
  readonly touched: Map<Variable, Uint8Array> = new Map();
  /** like `touched`, since the first statement */
  readonly everTouched: Map<Variable, Uint8Array> = new Map();
  /** the error, if the run cannot continue */
  error: WgslError | undefined;
  /** rounds so far; the first brings every invocation to its first statement */
  rounds = 0;

  #dispatch!: Dispatch;
  #steps!: Iterator<Lane, void>;
  #ended = false;

  /** @throws RangeError or WgslError as `run`: no such entry point, or a binding that is missing or too small */
  constructor(
    readonly module: Module,
    readonly entryPoint: string,
    readonly options: StepperOptions,
  ) {
    this.restart();
  }

  /** Back to the first statement, with the memory that the bindings hold. */
  restart(): void {
    const bindings = this.options.bindings.map(
      (binding): BindingMemory => ({ ...binding, bytes: binding.bytes.slice() }),
    );
    const { workgroup = [0, 0, 0], ...options } = this.options;
    const observer: Observer = {
      read: (lane, memory, word, words, at) => this.#touch('read', lane, memory, word, words, at),
      write: (lane, memory, word, words, _, at) => this.#touch('write', lane, memory, word, words, at),
      outOfBounds: () => {},
      divergence: () => {},
      barrier: () => {},
      endless: () => {},
    };
    this.#dispatch = new Dispatch(this.module, this.entryPoint, {
      ...options,
      bindings,
      only: workgroup,
      stepping: true,
      observer,
    });
    this.#steps = this.#dispatch.steps();
    this.#ended = false;
    this.error = undefined;
    this.everTouched.clear();
    this.rounds = 0;
    this.#move(() => true);
  }

  // ---- moves: each is one or more rounds ----

  /** Every invocation that can continue runs one statement. */
  line(): void {
    this.#move(() => true);
  }

  /** Until an invocation begins another iteration of one of its loops, or the workgroup ends. */
  iteration(lane: number): void {
    const { iterations } = this.lanes[lane]!;
    this.#move(() => this.lanes[lane]!.iterations > iterations || this.lanes[lane]!.done);
  }

  /** Until all that have not ended wait at a barrier, or the workgroup ends. */
  barrier(): void {
    this.#move(() => this.atBarrier);
  }

  /** To the end of the workgroup. */
  finish(): void {
    this.#move(() => false);
  }

  /** Until an invocation is before a statement of a line, or the workgroup ends. */
  toLine(lane: number, line: number): void {
    this.#move(() => this.lineOf(lane) === line);
  }

  /** Until a round has an access that fits, or the workgroup ends. */
  toTouch(fits: (touch: Touch) => boolean): void {
    this.#move(() => this.touches.some(fits));
  }

  /** One round back: restart, and run one round less. */
  back(): void {
    const target = this.rounds - 1;
    if (target < 1) return;
    this.restart();
    while (this.rounds < target && !this.#ended) this.#move(() => true);
  }

  #move(stop: () => boolean): void {
    this.touched.clear();
    do this.#round();
    while (!this.#ended && !stop());
  }

  #round(): void {
    if (this.#ended) return;
    this.touches = [];
    try {
      do {
        if (this.#steps.next().done) this.#ended = true;
      } while (!this.#ended && this.#dispatch.remaining > 0);
    } catch (error) {
      if (!(error instanceof WgslError)) throw error;
      this.error = error;
      this.#ended = true;
    }
    this.rounds += 1;
    if (this.lanes.every(({ done }) => done)) this.#ended = true;
  }

  #touch(use: Touch['use'], lane: Lane, memory: Memory, word: number, words: readonly number[], at: Position): void {
    const variable = memory.variable!;
    const flags = [this.touched, this.everTouched].map((by) => {
      const known = by.get(variable) ?? new Uint8Array(memory.words);
      by.set(variable, known);
      return known;
    });
    for (const offset of words) {
      for (const each of flags) each[word + offset]! |= use === 'read' ? READ : WRITTEN;
      if (this.touches.length < MAX_TOUCHES) {
        this.touches.push({ lane: lane.index, use, variable, word: word + offset, at });
      }
    }
  }

  // ---- state ----

  /** Invocations of the workgroup, by local_invocation_index. */
  get lanes(): readonly Lane[] {
    return this.#dispatch.lanes;
  }

  /** The workgroup has ended, or cannot continue. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Every invocation that has not ended waits at a barrier. */
  get atBarrier(): boolean {
    const live = this.lanes.filter(({ done }) => !done);
    return live.length > 0 && live.every(({ stop }) => stop?.kind === 'barrier');
  }

  /** Uniform, storage and workgroup memory as it is now. */
  get memories(): ReadonlyMap<Variable, Memory> {
    return this.#dispatch.memories;
  }

  /** The state of an invocation. */
  stateOf(lane: number): LaneState {
    const { done, stop } = this.lanes[lane]!;
    if (done) return 'has ended';
    if (stop?.kind === 'barrier') return 'waits at a barrier';
    return stop?.kind === 'subgroup' ? 'waits for its subgroup' : 'runs';
  }

  /** The line of the statement that an invocation runs next, or waits in; undefined if it has ended. */
  lineOf(lane: number): number | undefined {
    const { done, stop, frames } = this.lanes[lane]!;
    if (done) return undefined;
    if (stop?.kind === 'barrier' || stop?.kind === 'subgroup') return stop.at.line;
    return frames.at(-1)?.statement?.at.line;
  }

  /** Invocations by the line that they are at. */
  get lines(): ReadonlyMap<number, readonly number[]> {
    const lines = new Map<number, number[]>();
    for (const { index } of this.lanes) {
      const line = this.lineOf(index);
      if (line !== undefined) lines.set(line, [...(lines.get(line) ?? []), index]);
    }
    return lines;
  }

  /** The names in scope at an invocation's statement, function by function, the entry point first. */
  variablesOf(lane: number): { function: FunctionDeclaration; variables: { variable: Variable; value: Value }[] }[] {
    const at = this.lanes[lane]!;
    if (at.done) return [];
    return this.#dispatch.variablesOf(at).map(({ function: declaration, variables }) => ({
      function: declaration,
      variables: variables.map((variable) => ({ variable, value: this.#dispatch.read(variable, at) })),
    }));
  }
}
