import type { Memory, Value } from './memory.js';
import type { FunctionDeclaration, Position, Statement, Type } from './tree.js';

/** A size or position in a grid: `[x, y, z]`. */
export type Three = readonly [x: number, y: number, z: number];

/** The reason that an invocation stopped. */
export type Stop =
  /** before a statement; only in a stepped run */
  | { readonly kind: 'statement'; readonly statement: Statement }
  /** until every invocation of the workgroup reaches it */
  | { readonly kind: 'barrier'; readonly name: string; readonly at: Position }
  /** until the participating lanes of its subgroup reach it */
  | {
      readonly kind: 'subgroup';
      readonly name: string;
      /** type of the first argument, or of the result if there is none */
      readonly type: Type;
      readonly values: readonly Value[];
      readonly at: Position;
    };

/** A function that an invocation is in. */
export interface Frame {
  readonly function: FunctionDeclaration;
  /** its present statement; undefined before the first statement and in a run that is not stepped */
  statement?: Statement;
}

/** One invocation: its position in the program, and its own memory. */
export class Lane {
  /**
   * `let`s and parameters by `Variable.id`. WGSL has no recursion, so a function has at most one frame, and one storage
   * location for each of its variables is enough.
   */
  readonly values: Value[] = [];
  /**
   * The dynamic instance of the present call, loop or stopping operation: their numbers in order of evaluation, from
   * the outermost, and after a loop's number that of the iteration. Lanes with equal paths stop together; a lane with a
   * later path can never join one with an earlier path.
   */
  readonly path: number[] = [];
  /** functions it is in, the entry point first; plain calls only in a stepped run */
  readonly frames: Frame[] = [];
  workgroup: Three = [0, 0, 0];
  /** iterations of all its loops so far */
  iterations = 0;
  /** result of the last `return` */
  returned: Value = 0;
  /** undefined if it can continue, or has ended */
  stop: Stop | undefined;
  /** the answer to `stop`, passed when it continues */
  answer: Value = 0;
  done = false;
  thread: Generator<Stop, unknown, Value> | undefined;

  constructor(
    /** local_invocation_index */
    readonly index: number,
    readonly localId: Three,
    /** its private and function variables */
    readonly memory: Memory,
  ) {}

  /** Ready to run in another workgroup. */
  restart(workgroup: Three): void {
    this.workgroup = workgroup;
    this.path.length = 0;
    this.frames.length = 0;
    this.iterations = 0;
    this.stop = undefined;
    this.done = false;
    this.thread = undefined;
  }
}

/** Compare two paths in order of evaluation: negative, 0 if equal, or positive. */
export function comparePaths(a: readonly number[], b: readonly number[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** An observer of a run: the checker. */
export interface Observer {
  /** `words` are read, counted from `word`. Workgroup and storage memory only. */
  read(lane: Lane, memory: Memory, word: number, words: readonly number[], at: Position): void;
  /** `words` are about to be written with `value`. */
  write(lane: Lane, memory: Memory, word: number, words: readonly number[], value: Value, at: Position): void;
  /** An index is outside its array, vector or matrix; the run takes the last element. */
  outOfBounds(lane: Lane, use: Use, name: string, index: number, count: number, at: Position): void;
  /** Only some lanes of a workgroup (subgroup) reached a barrier (subgroup operation). */
  divergence(stop: Exclude<Stop, { kind: 'statement' }>, present: readonly Lane[], absent: readonly Lane[]): void;
  /** All invocations of a workgroup are at a barrier. */
  barrier(name: string): void;
  /** An invocation went past the limit of iterations. The run ends with an error. */
  endless(lane: Lane, iterations: number, at: Position): void;
}

/** The purpose of an address. */
export type Use = 'read' | 'write' | 'pointer';
