/**
 * Scalars that vector code uses: a copy in every lane of a vector local is made once, where the scalar is set.
 */

import { childrenOf, type Expr, expressionsOf, type Local, type Stmt, statementsIn } from './ir.js';
import type { Shapes } from './vectorise.js';

/** Locals that have a vector copy. */
export interface Copies {
  readonly copied: ReadonlySet<Local>;
  /** those of them that no scalar code uses: they are kept only as vectors */
  readonly vectorsOnly: ReadonlySet<Local>;
}

/** Finds the constant scalars that vector code uses. */
export function findCopies(list: readonly Stmt[], shapes: Shapes): Copies {
  const copied = new Set<Local>();
  const vectorsOnly = new Set<Local>();
  const asScalars = new Set<Local>();
  const vector = (expr: Expr): void => {
    if (expr.kind === 'read') {
      if (expr.local.constant && shapes.ofLocal(expr.local) !== 'varying') copied.add(expr.local);
      return;
    }
    if (expr.kind === 'addressed') expr.addresses.forEach(scalar);
    else if (expr.kind === 'operation') {
      const inner = shapes.of(expr) === 'varying' ? vector : scalar;
      expr.operands.forEach(inner);
    }
  };
  const scalar = (expr: Expr): void => {
    if (expr.kind === 'read') asScalars.add(expr.local);
    if (expr.kind === 'operation' && expr.operator === 'extract') {
      if (shapes.of(expr.operands[0]!) === 'varying') vector(expr.operands[0]!);
      return;
    }
    for (const child of childrenOf(expr)) scalar(child);
  };
  for (const stmt of statementsIn(list)) {
    if (stmt.kind === 'set') (shapes.ofLocal(stmt.local) === 'varying' ? vector : scalar)(stmt.value);
    else if (stmt.kind === 'store') {
      stmt.address!.addresses.forEach(scalar);
      (stmt.address!.mode === 'splat' && shapes.of(stmt.value) === 0 ? scalar : vector)(stmt.value);
    } else if (stmt.kind === 'if') (shapes.of(stmt.condition) === 0 ? scalar : vector)(stmt.condition);
    else {
      for (const expr of expressionsOf(stmt)) {
        vector(expr);
        scalar(expr);
      }
    }
  }
  for (const stmt of statementsIn(list)) {
    // A load broadcasts a word that every lane needs.
    if (stmt.kind !== 'set' || stmt.value.kind !== 'addressed') continue;
    if (copied.has(stmt.local) && !asScalars.has(stmt.local)) vectorsOnly.add(stmt.local);
  }
  return { copied, vectorsOnly };
}
