/**
 * The common form of a value over the four lanes of a gang.
 *
 * A gang is four invocations with consecutive indices, one for each lane of a SIMD register. A value is *uniform* if
 * all lanes hold the same number: it is computed once, as a scalar. It is *linear* if lane k holds base + k * stride:
 * only the base is computed, and an access at such an index is one load of 16 bytes. Everything else varies, and is a
 * vector. An index stays linear through `i % 32u`, and `i / 32u` is uniform, since a gang begins at a multiple of 4.
 *
 * If a condition varies, both sides run, each for its lanes. A region of control flow is *masked* if some lanes wait at
 * its end while others continue. A variable that is set in it and read after it must keep its old number in the waiting
 * lanes.
 */

import {
  childrenOf,
  type Expr,
  expressionsOf,
  type Frame,
  type Kernel,
  type Local,
  type Memory,
  type Stmt,
  statementsIn,
} from './ir.js';

/** A stride (0: uniform), or varying: every lane holds its own number. */
export type Shape = number | 'varying';

/** Shapes and masks of a kernel. */
export class Shapes {
  readonly #shapes = new Map<Local, Shape>();
  readonly #scopes = new Map<Local, Frame>();
  /** frames at whose ends some lanes wait for others */
  readonly #waits = new Set<Frame>();
  /** frames inside which some lanes may have left */
  readonly #masked = new Set<Frame>();
  /** branches with a varying condition */
  readonly #split = new Set<Frame>();
  /** locals, and whether their number in lane 0 is always a multiple of 4: true until a number is found that is not */
  readonly #multiples = new Map<Local, boolean>();
  #changed = true;

  constructor(readonly kernel: Kernel) {
    for (const local of kernel.builtins) {
      const shape = builtinShape(local, kernel.workgroupSize);
      this.#shapes.set(local, shape);
      this.#multiples.set(local, shape === 1); // counted along the gang, whose first index is a multiple of 4
    }
    for (const stmt of statementsIn(kernel.body)) {
      if (stmt.kind === 'set' && !this.#multiples.has(stmt.local)) this.#multiples.set(stmt.local, true);
      if (stmt.kind === 'subgroup') this.#multiples.set(stmt.local, false);
    }
    for (const { local } of kernel.preloads) this.#shapes.set(local, 0);
    this.#findScopes();
    while (this.#changed) {
      this.#changed = false;
      this.#visit(kernel.body, [kernel.root]);
    }
  }

  /** Form of a local that is never set: uniform, since it is zero in every lane. */
  ofLocal(local: Local): Shape {
    return this.#shapes.get(local) ?? 0;
  }

  /** A new local that is set once, to `value`. */
  declare(local: Local, value: Expr): void {
    this.#shapes.set(local, this.of(value));
    this.#multiples.set(local, this.#isMultiple(value));
  }

  of(expr: Expr): Shape {
    return this.#shape(expr) ?? 0;
  }

  /** Do lanes wait at the end of this block or loop while others continue inside? */
  waits(frame: Frame): boolean {
    return this.#waits.has(frame);
  }

  masked(frame: Frame): boolean {
    return this.#masked.has(frame);
  }

  /** Are some lanes that will read this again inactive here? `path` leads from the root to here. */
  blends(local: Local, path: readonly Frame[]): boolean {
    return this.#blendsIn(this.#scopes.get(local) ?? local.frame, path);
  }

  blendsMemory(memory: Memory, path: readonly Frame[]): boolean {
    return memory.kind === 'private' && this.#blendsIn(memory.frame, path);
  }

  #blendsIn(scope: Frame, path: readonly Frame[]): boolean {
    return path.some(
      (frame) =>
        (this.#split.has(frame) || this.#waits.has(frame)) && !encloses(frame.isLast ? frame.parent! : frame, scope),
    );
  }

  /** undefined while the form of a part is unknown. */
  #shape(expr: Expr): Shape | undefined {
    switch (expr.kind) {
      case 'constant':
        return 0;
      case 'read':
        return this.#shapes.get(expr.local);
      case 'addressed':
        return expr.mode === 'splat' ? 0 : 'varying';
      case 'load': {
        const index = this.#shape(expr.index);
        if (index === undefined) return undefined;
        return index === 0 && expr.memory.kind !== 'private' ? 0 : 'varying';
      }
      case 'operation': {
        const { operator, operands, type } = expr;
        if (operator === 'extract' || operator === 'address' || operator === 'byteLength') return 0;
        const shapes = operands.map((operand) => this.#shape(operand));
        if (shapes.includes(undefined)) return undefined;
        const [a, b] = shapes as Shape[];
        if (shapes.every((shape) => shape === 0)) return 0;
        if ((type !== 'i32' && type !== 'u32') || shapes.includes('varying')) return 'varying';
        const [x, y] = [a as number, b as number];
        const second = operands[1];
        switch (operator) {
          case 'add':
            return (x + y) | 0;
          case 'sub':
            return (x - y) | 0;
          case 'mul':
            return second?.kind === 'constant' ? Math.imul(x, second.value) : 'varying';
          case 'shl':
            return second?.kind === 'constant' ? x << second.value : 'varying';
          case 'bits':
            return x;
          case 'div':
          case 'rem':
            // Lane 0's number and the divisor are multiples of 4, so all four lanes have the same quotient.
            if (type !== 'u32' || x !== 1 || second?.kind !== 'constant' || second.value === 0) return 'varying';
            if (!operands.every((operand) => this.#isMultiple(operand))) return 'varying';
            return operator === 'div' ? 0 : 1;
          default:
            return 'varying';
        }
      }
    }
  }

  /** Is lane 0's number a multiple of 4 in every gang? */
  #isMultiple(expr: Expr): boolean {
    if (expr.type !== 'u32' && expr.type !== 'i32') return false;
    if (expr.kind === 'constant') return expr.value % 4 === 0;
    if (expr.kind === 'read') return this.#multiples.get(expr.local) ?? false;
    if (expr.kind !== 'operation') return false;
    const [a, b] = expr.operands;
    switch (expr.operator) {
      case 'bits':
        return this.#isMultiple(a!);
      case 'add':
      case 'sub':
      case 'rem':
        return this.#isMultiple(a!) && this.#isMultiple(b!);
      case 'mul':
        return this.#isMultiple(a!) || this.#isMultiple(b!);
      default:
        return false;
    }
  }

  #visit(list: readonly Stmt[], path: readonly Frame[]): void {
    for (const stmt of list) {
      switch (stmt.kind) {
        case 'set': {
          const shape = this.#shape(stmt.value);
          if (shape !== undefined) this.#join(stmt.local, this.blends(stmt.local, path) ? 'varying' : shape);
          if (this.#multiples.get(stmt.local) && !this.#isMultiple(stmt.value)) {
            this.#multiples.set(stmt.local, false);
            this.#changed = true;
          }
          break;
        }
        case 'subgroup': {
          const same = ['reduce', 'broadcast', 'first', 'ballot'].includes(stmt.operator.kind);
          this.#join(stmt.local, same ? 0 : 'varying');
          break;
        }
        case 'if':
          if ((this.#shape(stmt.condition) ?? 0) !== 0) {
            this.#mark(this.#split, stmt.yesFrame);
            this.#mark(this.#split, stmt.noFrame);
          }
          this.#visit(stmt.yes, [...path, stmt.yesFrame]);
          this.#visit(stmt.no, [...path, stmt.noFrame]);
          break;
        case 'block':
        case 'loop':
          this.#visit(stmt.body, [...path, stmt.frame]);
          break;
        case 'leave': {
          const inside = path.slice(path.indexOf(stmt.frame) + 1);
          // If no lane waits inside, all active lanes leave together, and need not be recorded.
          if (!inside.some((frame) => this.#split.has(frame) || this.#waits.has(frame))) break;
          this.#mark(this.#waits, stmt.frame);
          for (const frame of [stmt.frame, ...inside]) this.#mark(this.#masked, frame);
          break;
        }
        default:
      }
    }
  }

  #mark(set: Set<Frame>, frame: Frame): void {
    if (set.has(frame)) return;
    set.add(frame);
    this.#changed = true;
  }

  #join(local: Local, shape: Shape): void {
    const before = this.#shapes.get(local);
    const joined = before === undefined || before === shape ? shape : 'varying';
    if (joined === before) return;
    this.#shapes.set(local, joined);
    this.#changed = true;
  }

  /**
   * The frame outside which a local is never read: a counter that only its loop reads need not keep its number in lanes
   * that have left the loop. Never inside the innermost loop, whose next iteration reads the numbers of this one.
   */
  #findScopes(): void {
    const readers = new Map<Local, Frame>();
    const note = (expr: Expr, frame: Frame): void => {
      if (expr.kind === 'read') {
        const before = readers.get(expr.local);
        readers.set(expr.local, before === undefined ? frame : meeting(before, frame));
      }
      for (const child of childrenOf(expr)) note(child, frame);
    };
    const visit = (list: readonly Stmt[], frame: Frame): void => {
      for (const stmt of list) {
        for (const expr of expressionsOf(stmt)) note(expr, frame);
        if (stmt.kind === 'if') {
          visit(stmt.yes, stmt.yesFrame);
          visit(stmt.no, stmt.noFrame);
        } else if (stmt.kind === 'block' || stmt.kind === 'loop') visit(stmt.body, stmt.frame);
      }
    };
    visit(this.kernel.body, this.kernel.root);
    for (const [local, frame] of readers) {
      let scope = local.frame;
      for (const next of pathTo(frame, local.frame)) {
        scope = next;
        if (next.kind === 'loop') break;
      }
      this.#scopes.set(local, scope);
    }
  }
}

/** Is `inner` equal to `outer` or inside it? */
function encloses(outer: Frame, inner: Frame): boolean {
  let frame: Frame | undefined = inner;
  while (frame !== undefined && frame.depth > outer.depth) frame = frame.parent;
  return frame === outer;
}

/** The innermost frame that encloses both. */
function meeting(a: Frame, b: Frame): Frame {
  let frame = a;
  while (!encloses(frame, b)) frame = frame.parent!;
  return frame;
}

/** Frames below `from` on the way to `to`, outermost first; none if `from` does not enclose `to`. */
function pathTo(to: Frame, from: Frame): Frame[] {
  if (!encloses(from, to)) return [];
  const path: Frame[] = [];
  for (let frame = to; frame !== from; frame = frame.parent!) path.unshift(frame);
  return path;
}

/** `local_invocation_id.x` is linear if a gang never wraps around a row. */
function builtinShape({ builtin }: Local, [sx, sy, sz]: readonly [number, number, number]): Shape {
  switch (builtin) {
    case 'index':
    case 'lane':
      return 1;
    case 'local.x':
      if (sx === 1) return 0;
      return sx % 4 === 0 || sy * sz === 1 ? 1 : 'varying';
    case 'local.y':
      if (sy === 1 || sx % 4 === 0) return 0;
      return sx === 1 && (sy % 4 === 0 || sz === 1) ? 1 : 'varying';
    case 'local.z':
      if (sz === 1 || (sx * sy) % 4 === 0) return 0;
      return sx * sy === 1 ? 1 : 'varying';
    default:
      return 0;
  }
}
