/** What is the same in a whole workgroup, so that it can be computed once, outside of regions. */

import { PRIVATE } from './address.js';
import {
  type Builtin,
  childrenOf,
  type Expr,
  type Frame,
  type Kernel,
  type Local,
  type Operation,
  type Stmt,
} from './ir.js';
import type { Shapes } from './vectorise.js';

/** Finds what may differ between two invocations of one workgroup. */
export class Wide {
  readonly #differs = new Set<Local>();

  constructor(
    private readonly kernel: Kernel,
    private readonly shapes: Shapes,
  ) {
    let before = -1;
    while (this.#differs.size !== before) {
      before = this.#differs.size;
      this.walk((stmt, apart) => {
        if (stmt.kind === 'subgroup') this.#differs.add(stmt.local);
        if (stmt.kind !== 'set' || stmt.local.workgroupUniform) return;
        if (apart || !this.same(stmt.value)) this.#differs.add(stmt.local);
      });
    }
  }

  /** Whether an expression has one value in the whole workgroup. */
  same(expr: Expr): boolean {
    switch (expr.kind) {
      case 'constant':
        return true;
      case 'read': {
        const { local } = expr;
        if (local.workgroupUniform) return true;
        if (local.builtin !== undefined) return this.#isSameBuiltin(local.builtin);
        if (this.shapes.ofLocal(local) !== 0) return false;
        return !this.#differs.has(local);
      }
      case 'load':
      case 'addressed': {
        const { memory } = expr;
        // What others may write meanwhile need not be the same for two invocations.
        if (memory.kind !== 'binding' || memory.access === 'read_write') return false;
        return childrenOf(expr).every((child) => this.same(child));
      }
      case 'operation':
        if (expr.operator === 'extract' || isPrivateAddress(expr)) return false;
        return expr.operands.every((operand) => this.same(operand));
    }
  }

  /** `local.y` may be uniform in each gang and still differ between two. */
  #isSameBuiltin(builtin: Builtin): boolean {
    const [x, y, z] = this.kernel.workgroupSize;
    const sizes: Partial<Record<Builtin, number>> = { 'local.x': x, 'local.y': y, 'local.z': z };
    return sizes[builtin] === 1 || /^(workgroup|grid)\./.test(builtin);
  }

  /** Every statement in order, and whether some invocations may come to it without others; a loop's more than once. */
  private walk(see: (stmt: Stmt, apart: boolean) => void): void {
    this.#walk(this.kernel.body, false, new Set(), see);
  }

  /** `left`: frames around that some invocations may have left before others. Until these end, the rest are apart. */
  #walk(list: readonly Stmt[], apart: boolean, left: Set<Frame>, see: (stmt: Stmt, apart: boolean) => void): void {
    for (const stmt of list) {
      const here = apart || left.size > 0;
      see(stmt, here);
      if (stmt.kind === 'leave' && here) left.add(stmt.frame);
      else if (stmt.kind === 'if') {
        const inside = apart || !this.same(stmt.condition);
        this.#walk(stmt.yes, inside, left, see);
        this.#walk(stmt.no, inside, left, see);
      } else if (stmt.kind === 'block') {
        this.#walk(stmt.body, apart, left, see);
        left.delete(stmt.frame);
      } else if (stmt.kind === 'loop') {
        // Where some leave in one round, the others are apart in the next.
        for (let before = -1; before !== left.size; ) {
          before = left.size;
          this.#walk(stmt.body, apart, left, see);
        }
        left.delete(stmt.frame);
      }
    }
  }
}

/** Each gang has private memory of its own. */
function isPrivateAddress({ operator, operands: [place] }: Operation): boolean {
  return operator === 'address' && place?.kind === 'constant' && place.value === PRIVATE;
}
