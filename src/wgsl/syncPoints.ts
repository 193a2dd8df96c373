/**
 * Synchronisation points of a workgroup: barriers, and the leaves after which some invocations would be missing at one.
 *
 * `if (w) { return; } workgroupBarrier();`: WGSL guarantees that w is the same for all, since otherwise the barrier
 * would never be reached by all. So either the whole workgroup returns here or none of it. After the last barrier
 * invocations may leave one by one.
 */
import { bodiesOf, type Frame, type Kernel, type Stmt, statementsIn } from './ir.js';

/** Barriers and leaves that all invocations reach together. */
export class SyncPoints {
  readonly #leaves = new Set<Stmt>();

  constructor(kernel: Kernel) {
    if (!this.in(kernel.body)) return;
    prune(kernel.body);
    for (let before = -1; before !== this.#leaves.size; ) {
      before = this.#leaves.size;
      this.#find(kernel.body, new Map());
    }
  }

  /** Is there one among these statements or inside them? */
  in(list: readonly Stmt[]): boolean {
    for (const stmt of statementsIn(list)) if (stmt.kind === 'barrier' || this.#leaves.has(stmt)) return true;
    return false;
  }

  /**
   * `later`: for each surrounding frame, true if a synchronisation point may follow in it. A leave of such a frame is
   * one itself.
   */
  #find(list: readonly Stmt[], later: ReadonlyMap<Frame, boolean>): void {
    let after = false;
    for (const stmt of list.toReversed()) {
      const inside = new Map([...later].map(([frame, follows]) => [frame, follows || after]));
      if (stmt.kind === 'leave') {
        if (inside.get(stmt.frame)) this.#leaves.add(stmt);
      } else if (stmt.kind === 'block') this.#find(stmt.body, inside.set(stmt.frame, false));
      else if (stmt.kind === 'loop') {
        // A round is followed by the next one.
        inside.set(stmt.frame, false);
        const again = this.in(stmt.body);
        for (const [frame, follows] of inside) inside.set(frame, follows || again);
        this.#find(stmt.body, inside);
      } else for (const body of bodiesOf(stmt)) this.#find(body, inside);
      after ||= this.in([stmt]);
    }
  }
}

/** Cuts off what is never reached. Returns whether the end of the list is. */
function prune(list: Stmt[], left = new Set<Frame>()): boolean {
  const last = list.findIndex((stmt) => !goesOn(stmt, left));
  if (last < 0) return true;
  list.splice(last + 1);
  return false;
}

/** Does control continue after a statement? `left`: the frames that some statement leaves */
function goesOn(stmt: Stmt, left: Set<Frame>): boolean {
  switch (stmt.kind) {
    case 'leave':
      left.add(stmt.frame);
      return false;
    case 'if': {
      const yes = prune(stmt.yes, left);
      return prune(stmt.no, left) || yes;
    }
    case 'block':
      return prune(stmt.body, left) || left.has(stmt.frame);
    case 'loop':
      prune(stmt.body, left);
      return left.has(stmt.frame);
    default:
      return true;
  }
}
