/** Private arrays whose every index is a constant, from loops that were unrolled for example, become locals. */

import {
  constant,
  type Expr,
  type Local,
  type Memory,
  operation,
  read,
  type Scalar,
  type Stmt,
  statementsIn,
} from './ir.js';

/** Rewrites the statements of a kernel in place. */
export function scalarise(body: Stmt[]): void {
  const dynamic = new Set<Memory>();
  const known = new Map<Memory, Local[]>();
  /** type of each word: that of its first access; other accesses read its bits */
  const types = new Map<Memory, Map<number, Scalar>>();
  const sees = (memory: Memory, index: Expr, type: Scalar) => {
    if (index.kind !== 'constant') dynamic.add(memory);
    else if (memory.kind === 'private') {
      const words = types.get(memory) ?? new Map<number, Scalar>();
      types.set(memory, words);
      if (!words.has(index.value)) words.set(index.value, type);
    }
  };
  const look = (expr: Expr): void => {
    if (expr.kind === 'load') sees(expr.memory, expr.index, expr.type);
    if (expr.kind === 'load') look(expr.index);
    if (expr.kind === 'operation') for (const operand of expr.operands) look(operand);
  };
  let ids = 0;
  for (const stmt of statementsIn(body)) {
    if (stmt.kind === 'set') {
      look(stmt.value);
      ids = Math.max(ids, stmt.local.id + 1);
    } else if (stmt.kind === 'store') {
      sees(stmt.memory, stmt.index, stmt.value.type);
      look(stmt.index);
      look(stmt.value);
    } else if (stmt.kind === 'if') look(stmt.condition);
    else if (stmt.kind === 'subgroup') {
      look(stmt.value);
      look(stmt.index);
      ids = Math.max(ids, stmt.local.id + 1);
    }
  }
  const localsOf = (memory: Memory): Local[] | undefined => {
    if (memory.kind !== 'private' || dynamic.has(memory) || memory.words > 1024) return undefined;
    let locals = known.get(memory);
    if (locals === undefined) {
      locals = Array.from({ length: memory.words }, (_, i) => ({
        id: 1_000_000 + ids++,
        name: `${memory.name}.${i}`,
        type: types.get(memory)?.get(i) ?? ('u32' as Scalar),
        frame: memory.frame,
        constant: false,
      }));
      known.set(memory, locals);
    }
    return locals;
  };
  const rewrite = (expr: Expr): Expr => {
    if (expr.kind === 'load') {
      const locals = localsOf(expr.memory);
      if (locals !== undefined && expr.index.kind === 'constant') {
        return operation('bits', expr.type, read(locals[expr.index.value]!));
      }
      return { ...expr, index: rewrite(expr.index) };
    }
    if (expr.kind === 'operation') return operation(expr.operator, expr.type, ...expr.operands.map(rewrite));
    return expr;
  };
  const visit = (list: Stmt[]): void => {
    for (let i = 0; i < list.length; i++) {
      const stmt = list[i]!;
      if (stmt.kind === 'set') stmt.value = rewrite(stmt.value);
      else if (stmt.kind === 'store') {
        stmt.index = rewrite(stmt.index);
        stmt.value = rewrite(stmt.value);
        const locals = localsOf(stmt.memory);
        if (locals !== undefined && stmt.index.kind === 'constant') {
          const local = locals[stmt.index.value]!;
          list[i] = { kind: 'set', local, value: operation('bits', local.type, stmt.value) };
        }
      } else if (stmt.kind === 'clear') {
        const locals = localsOf(stmt.memory);
        if (locals !== undefined) {
          const zero = locals.map((local): Stmt => ({ kind: 'set', local, value: constant(local.type, 0) }));
          list.splice(i, 1, ...zero);
          i += zero.length - 1;
        }
      } else if (stmt.kind === 'if') {
        stmt.condition = rewrite(stmt.condition);
        visit(stmt.yes);
        visit(stmt.no);
      } else if (stmt.kind === 'block' || stmt.kind === 'loop') visit(stmt.body);
      else if (stmt.kind === 'subgroup') {
        stmt.value = rewrite(stmt.value);
        stmt.index = rewrite(stmt.index);
      }
    }
  };
  visit(body);
}
