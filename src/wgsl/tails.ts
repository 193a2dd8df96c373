/**
 * Put the code after the last synchronisation point of a block (syncPoints.ts), which invocations may leave, into a block
 * of its own.
 *
 * Only there may invocations leave one by one: `workgroupBarrier(); if (lane > 10u) { return; } …`. The code around barriers runs once
 * for the whole workgroup (regions.ts) and cannot record the leaving invocations, so a leave becomes a leave of the
 * added block. If the original target is further out, a variable records the remaining invocations, and the others skip
 * the code that follows.
 */

import {
  bodiesOf,
  constant,
  type Frame,
  type Kernel,
  type Local,
  operation,
  read,
  type Stmt,
  statementsIn,
} from './ir.js';
import type { SyncPoints } from './syncPoints.js';

/** Rewrites a kernel's body in place. */
export function splitTails(kernel: Kernel, syncPoints: SyncPoints): void {
  if (syncPoints.in(kernel.body)) new Tails(syncPoints).list(kernel.body, kernel.root, []);
}

class Tails {
  /** locals that are true while an invocation has not left a frame, for frames that are left from an inner one */
  readonly #present = new Map<Frame, Local>();

  constructor(private readonly syncPoints: SyncPoints) {}

  /**
   * @param frame the frame of the list
   * @param ends frames whose end no synchronisation point separates from the end of the list
   * @returns those of them that invocations may have left
   */
  list(list: Stmt[], frame: Frame, ends: readonly Frame[]): Set<Frame> {
    const last = list.findLastIndex((stmt) => this.syncPoints.in([stmt]));
    const left = new Set<Frame>();
    for (const [i, stmt] of list.slice(0, last + 1).entries()) {
      const after = i === last ? ends : [];
      if (stmt.kind === 'if') {
        for (const one of this.list(stmt.yes, stmt.yesFrame, after)) left.add(one);
        for (const one of this.list(stmt.no, stmt.noFrame, after)) left.add(one);
      } else if (stmt.kind === 'block') {
        for (const one of this.list(stmt.body, stmt.frame, [...after, stmt.frame])) left.add(one);
        left.delete(stmt.frame);
        this.#announce(stmt.frame, stmt.body);
      } else if (stmt.kind === 'loop') this.list(stmt.body, stmt.frame, []); // its end is followed by its start
    }
    const leaves = (stmt: Stmt) =>
      [...statementsIn([stmt])].some((one) => one.kind === 'leave' && ends.includes(one.frame));
    const start = left.size > 0 ? last + 1 : list.findIndex((stmt, i) => i > last && leaves(stmt));
    if (start < 0 || start === list.length) return left;
    const tail = list.slice(start);
    const block: Frame = { kind: 'block', parent: frame, depth: frame.depth + 1, isLast: true };
    const guard = [...left].map((one) => this.#leaveUnlessPresent(one, block));
    this.#retarget(tail, frame, ends, block, left);
    list.splice(start, tail.length, { kind: 'block', frame: block, body: [...guard, ...tail] });
    return left;
  }

  /** Leaves of `ends` become leaves of `block`; frames inside move down by one. */
  #retarget(list: Stmt[], frame: Frame, ends: readonly Frame[], block: Frame, left: Set<Frame>): void {
    const own = framesOf(list);
    for (const inner of own) {
      if (inner.parent === frame) (inner as { parent: Frame | undefined }).parent = block;
      (inner as { depth: number }).depth++;
    }
    const visit = (stmts: Stmt[]): void => {
      for (let i = 0; i < stmts.length; i++) {
        const stmt = stmts[i]!;
        for (const body of bodiesOf(stmt)) visit(body);
        if (stmt.kind !== 'leave' || !ends.includes(stmt.frame)) continue;
        const leave: Stmt = { kind: 'leave', frame: block };
        if (stmt.frame === frame) stmts[i] = leave;
        else {
          left.add(stmt.frame);
          stmts.splice(i, 1, { kind: 'set', local: this.#presentIn(stmt.frame), value: constant('bool', 0) }, leave);
          i++;
        }
      }
    };
    visit(list);
  }

  #presentIn(frame: Frame): Local {
    let local = this.#present.get(frame);
    if (local === undefined) {
      const id = 3_000_000 + this.#present.size;
      local = { id, name: 'present', type: 'bool', frame, constant: false };
      this.#present.set(frame, local);
    }
    return local;
  }

  #leaveUnlessPresent(frame: Frame, block: Frame): Stmt {
    const branch = (): Frame => ({ kind: 'branch', parent: block, depth: block.depth + 1 });
    const condition = operation('not', 'bool', read(this.#presentIn(frame)));
    const yes: Stmt[] = [{ kind: 'leave', frame: block }];
    return { kind: 'if', condition, yes, no: [], yesFrame: branch(), noFrame: branch() };
  }

  /** All invocations are present at the start of a frame. */
  #announce(frame: Frame, body: Stmt[]): void {
    const local = this.#present.get(frame);
    if (local !== undefined) body.unshift({ kind: 'set', local, value: constant('bool', 1) });
  }
}

/** Frames of the statements of a list, inner ones included. */
function framesOf(list: readonly Stmt[]): Frame[] {
  return [...statementsIn(list)].flatMap((stmt) => {
    if (stmt.kind === 'if') return [stmt.yesFrame, stmt.noFrame];
    return stmt.kind === 'block' || stmt.kind === 'loop' ? [stmt.frame] : [];
  });
}
