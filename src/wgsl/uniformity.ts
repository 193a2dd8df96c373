/** Whether every invocation of a workgroup reaches a barrier: control flow around it may depend only on what they all share. */

import { WgslError } from './errors.js';
import { childrenOf, type Expr, type Kernel, type Local, type Stmt, statementsIn } from './ir.js';
import type { Shapes } from './vectorise.js';

/** What may differ between two invocations of one workgroup. */
export class Uniformity {
  readonly #differs = new Set<Local>();

  constructor(
    private readonly kernel: Kernel,
    private readonly shapes: Shapes,
  ) {
    let before = -1;
    while (this.#differs.size !== before) {
      before = this.#differs.size;
      this.#visit(kernel.body, false);
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
        if (this.shapes.ofLocal(local) !== 0 || local.builtin === 'gang') return false;
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
        return expr.operator === 'extract' ? false : expr.operands.every((operand) => this.same(operand));
    }
  }

  #visit(list: readonly Stmt[], apart: boolean): void {
    for (const stmt of list) {
      if (stmt.kind === 'set') {
        if (!stmt.local.workgroupUniform && (apart || !this.same(stmt.value))) this.#differs.add(stmt.local);
      } else if (stmt.kind === 'subgroup') this.#differs.add(stmt.local);
      else if (stmt.kind === 'if') {
        const inside = apart || !this.same(stmt.condition);
        this.#visit(stmt.yes, inside);
        this.#visit(stmt.no, inside);
      } else if (stmt.kind === 'block') this.#visit(stmt.body, apart);
      else if (stmt.kind === 'loop') this.#visit(stmt.body, apart || this.leavesApart(stmt.body, stmt));
    }
  }

  /** Whether some invocations may leave a loop or block, or more than it, before others. */
  leavesApart(body: readonly Stmt[], around: Stmt): boolean {
    const inner = new Set(
      [around, ...statementsIn(body)].flatMap((stmt) =>
        stmt.kind === 'block' || stmt.kind === 'loop' ? [stmt.frame] : [],
      ),
    );
    const visit = (list: readonly Stmt[], apart: boolean): boolean =>
      list.some((stmt) => {
        if (stmt.kind === 'leave')
          return apart && (!inner.has(stmt.frame) || ('frame' in around && stmt.frame === around.frame));
        if (stmt.kind === 'if') {
          const inside = apart || !this.same(stmt.condition);
          return visit(stmt.yes, inside) || visit(stmt.no, inside);
        }
        return (stmt.kind === 'block' || stmt.kind === 'loop') && visit(stmt.body, apart);
      });
    return visit(body, false);
  }
}

/** @throws WgslError at the first barrier that some invocations may not reach */
export function checkBarriers(kernel: Kernel, shapes: Shapes, text: string): void {
  const isBarrier = (stmt: Stmt) => stmt.kind === 'barrier';
  if (![...statementsIn(kernel.body)].some(isBarrier)) return;
  const uniformity = new Uniformity(kernel, shapes);
  const visit = (list: readonly Stmt[], apart: boolean): void => {
    let gone = apart;
    for (const stmt of list) {
      if (stmt.kind === 'barrier' && gone) {
        throw new WgslError(
          'a barrier must be reached by every invocation of its workgroup; the control flow around this one depends on a value that differs between them',
          stmt.at,
          text,
        );
      }
      if (stmt.kind === 'if') {
        const inside = gone || !uniformity.same(stmt.condition);
        visit(stmt.yes, inside);
        visit(stmt.no, inside);
        // Behind `if (differs) { return; }` some are gone.
        if (inside && leavesBeyond(stmt)) gone = true;
      } else if (stmt.kind === 'block') {
        visit(stmt.body, gone);
        if (leavesFurther(stmt, uniformity)) gone = true;
      } else if (stmt.kind === 'loop') {
        visit(stmt.body, gone || uniformity.leavesApart(stmt.body, stmt));
        if (leavesFurther(stmt, uniformity)) gone = true;
      }
    }
  };
  visit(kernel.body, false);
}

/** Whether some invocations may leave from inside a block or loop to beyond its end. */
function leavesFurther(stmt: Extract<Stmt, { kind: 'block' | 'loop' }>, uniformity: Uniformity): boolean {
  return leavesBeyond(stmt) && uniformity.leavesApart(stmt.body, stmt);
}

/** Whether something in a statement leaves a block or loop around it. */
function leavesBeyond(stmt: Stmt): boolean {
  const all = [...statementsIn([stmt])];
  const inner = new Set(all.flatMap((one) => (one.kind === 'block' || one.kind === 'loop' ? [one.frame] : [])));
  return all.some((one) => one.kind === 'leave' && !inner.has(one.frame));
}
