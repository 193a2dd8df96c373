import type { Memory, Value } from './memory.js';
import type { FunctionDeclaration, Position, Statement, Type } from './tree.js';

/** A size or place in a grid: `[x, y, z]`. */
export type Three = readonly [x: number, y: number, z: number];

/** Why an invocation stopped. */
export type Stop =
  /** before a statement; only where the run is stepped */
  | { readonly kind: 'statement'; readonly statement: Statement }
  /** until every invocation of the workgroup is there */
  | { readonly kind: 'barrier'; readonly name: string; readonly at: Position }
  /** until the lanes of its subgroup that come here are there */
  | {
      readonly kind: 'subgroup';
      readonly name: string;
      /** of the first argument, or of the result where there is none */
      readonly type: Type;
      readonly values: readonly Value[];
      readonly at: Position;
    };

/** A function that an invocation is in. */
export interface Frame {
  readonly function: FunctionDeclaration;
  /** where it stands; undefined before the first statement and where the run is not stepped */
  statement?: Statement;
}

/** One invocation: where it is, and what it has for itself. */
export class Lane {
  /**
   * `let`s and parameters by `Variable.id`. WGSL has no recursion, so a function has at most one frame, and one place for
   * each of its variables is enough.
   */
  readonly values: Value[] = [];
  /**
   * Which of the dynamic instances of a call, loop or stopping operation this is: their numbers in order of evaluation, from
   * the outermost, and after a loop's number that of the iteration. Lanes with equal paths stop together; a lane with a path that
   * comes first can never be joined by one with a later path.
   */
  readonly path: number[] = [];
  /** functions it is in, the entry point first; of plain calls only where the run is stepped */
  readonly frames: Frame[] = [];
  workgroup: Three = [0, 0, 0];
  /** iterations of all its loops until now */
  iterations = 0;
  /** what the last `return` gave */
  returned: Value = 0;
  /** undefined where it can go on, or has ended */
  stop: Stop | undefined;
  /** the answer to `stop`, handed over when it goes on */
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

/** Which of two paths comes first in evaluation: negative, 0 where they are equal, or positive. */
export function comparePaths(a: readonly number[], b: readonly number[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** What watches a run: the checker. */
export interface Observer {
  /** `words` are read, counted from `word`. Workgroup and storage memory only. */
  read(lane: Lane, memory: Memory, word: number, words: readonly number[], at: Position): void;
  /** `words` are about to be written with `value`. */
  write(lane: Lane, memory: Memory, word: number, words: readonly number[], value: Value, at: Position): void;
  /** An index is outside of its array, vector or matrix; the run takes the last element. */
  outOfBounds(lane: Lane, use: Use, name: string, index: number, count: number, at: Position): void;
  /** Only some lanes of a workgroup (subgroup) reached a barrier (subgroup operation). */
  divergence(stop: Exclude<Stop, { kind: 'statement' }>, present: readonly Lane[], absent: readonly Lane[]): void;
  /** All of a workgroup stand at a barrier. */
  barrier(name: string): void;
  /** An invocation went past the limit of iterations. The run ends with an error. */
  endless(lane: Lane, iterations: number, at: Position): void;
}

/** What an address is taken for. */
export type Use = 'read' | 'write' | 'pointer';
