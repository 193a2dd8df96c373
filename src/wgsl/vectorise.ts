/**
 * What four lanes that run together have in common.
 *
 * A gang is four invocations with consecutive indices, one for each lane of a SIMD register. A value is *uniform* where all lanes hold
 * the same number: it is computed once, as a scalar. It is *linear* where lane k holds base + k * stride: only the base is computed, and
 * an access at such an index is one load of 16 bytes. Everything else varies, and is a vector.
 *
 * Where a condition varies, both sides run, each for its lanes. A region of control flow in which some lanes wait at its end while others
 * go on is *masked*. A variable that is set there and read behind it must keep its old number in the lanes that wait.
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
} from './ir.js';

/** A stride (0: uniform), or that every lane holds a number of its own. */
export type Shape = number | 'varying';

/** Shapes and masks of a kernel. */
export class Shapes {
  readonly #shapes = new Map<Local, Shape>();
  readonly #scopes = new Map<Local, Frame>();
  /** at whose ends some lanes wait for others */
  readonly #waits = new Set<Frame>();
  /** inside of which some lanes may be gone */
  readonly #masked = new Set<Frame>();
  /** branches of a condition that varies */
  readonly #split = new Set<Frame>();
  #changed = true;

  constructor(readonly kernel: Kernel) {
    for (const local of kernel.builtins) this.#shapes.set(local, builtinShape(local, kernel.workgroupSize));
    for (const { local } of kernel.preloads) this.#shapes.set(local, 0);
    this.#findScopes();
    while (this.#changed) {
      this.#changed = false;
      this.#visit(kernel.body, [kernel.root]);
    }
  }

  /** Of a local that nothing sets: uniform, it is zero in every lane. */
  ofLocal(local: Local): Shape {
    return this.#shapes.get(local) ?? 0;
  }

  declare(local: Local, shape: Shape): void {
    this.#shapes.set(local, shape);
  }

  of(expr: Expr): Shape {
    return this.#shape(expr) ?? 0;
  }

  /** Whether lanes wait at the end of this block or loop while others go on inside. */
  waits(frame: Frame): boolean {
    return this.#waits.has(frame);
  }

  masked(frame: Frame): boolean {
    return this.#masked.has(frame);
  }

  /** Whether some lanes that will read this again are not active here; `path` leads from the root to here. */
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

  /** undefined while nothing is known yet of something in it. */
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
          default:
            return 'varying';
        }
      }
    }
  }

  #visit(list: readonly Stmt[], path: readonly Frame[]): void {
    for (const stmt of list) {
      switch (stmt.kind) {
        case 'set': {
          const shape = this.#shape(stmt.value);
          if (shape !== undefined) this.#join(stmt.local, this.blends(stmt.local, path) ? 'varying' : shape);
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
          // If no lane waits anywhere inside, all that are active leave together, and nobody has to remember who did.
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
   * The frame outside of which nobody reads a local: a counter that only its loop reads need not keep its number in lanes that have
   * left the loop. Never further in than the first loop, whose next round reads what this round set.
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

/** Whether `inner` is `outer` or lies inside of it. */
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

/** Frames below `from` on the way to `to`, outermost first; none where `from` does not enclose `to`. */
function pathTo(to: Frame, from: Frame): Frame[] {
  if (!encloses(from, to)) return [];
  const path: Frame[] = [];
  for (let frame = to; frame !== from; frame = frame.parent!) path.unshift(frame);
  return path;
}

/** `local_invocation_id.x` is linear where a gang never wraps around a row. */
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
