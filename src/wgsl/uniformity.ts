/** Checks that every invocation of a workgroup reaches a barrier: control flow around it must be uniform. */

import { PRIVATE } from './address.js';
import { WgslError } from './errors.js';
import {
  childrenOf,
  type Expr,
  type Frame,
  type Kernel,
  type Local,
  type Operation,
  type Stmt,
  statementsIn,
} from './ir.js';
import type { Shapes } from './vectorise.js';

/** The values that may differ between two invocations of one workgroup. */
export class Uniformity {
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

  /** Does an expression have one value in the whole workgroup? */
  same(expr: Expr): boolean {
    switch (expr.kind) {
      case 'constant':
        return true;
      case 'read': {
        const { local } = expr;
        if (local.workgroupUniform) return true;
        if (this.shapes.ofLocal(local) !== 0 || local.builtin === 'gang') return false;
        return !this.#differs.has(local);
      }
      case 'load':
      case 'addressed': {
        const { memory } = expr;
        // Memory that others may write in the meantime may differ between two invocations.
        if (memory.kind !== 'binding' || memory.access === 'read_write') return false;
        return childrenOf(expr).every((child) => this.same(child));
      }
      case 'operation':
        if (expr.operator === 'extract' || isPrivateAddress(expr)) return false;
        return expr.operands.every((operand) => this.same(operand));
    }
  }

  /** Visit every statement in order, with a flag if invocations may reach it separately; a loop's more than once. */
  walk(see: (stmt: Stmt, apart: boolean) => void): void {
    this.#walk(this.kernel.body, false, new Set(), see);
  }

  /**
   * `left`: surrounding frames that some invocations may have left before others. Until these frames end, control flow
   * is divergent.
   */
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
        // If some leave in one iteration, the next one is divergent.
        for (let before = -1; before !== left.size; ) {
          before = left.size;
          this.#walk(stmt.body, apart, left, see);
        }
        left.delete(stmt.frame);
      }
    }
  }
}

/** Is it the address of private memory, which each gang has for itself? */
function isPrivateAddress({ operator, operands: [place] }: Operation): boolean {
  return operator === 'address' && place?.kind === 'constant' && place.value === PRIVATE;
}

/** @throws WgslError at the first barrier that some invocations may not reach */
export function checkBarriers(kernel: Kernel, shapes: Shapes, text: string): void {
  if (![...statementsIn(kernel.body)].some((stmt) => stmt.kind === 'barrier')) return;
  new Uniformity(kernel, shapes).walk((stmt, apart) => {
    if (stmt.kind !== 'barrier' || !apart) return;
    const rule =
      'a barrier must be reached by every invocation of its workgroup; the control flow around this one depends on a value that differs between them';
    throw new WgslError(rule, stmt.at, text);
  });
}
