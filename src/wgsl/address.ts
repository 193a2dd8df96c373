/**
 * Convert indices to byte addresses, and move loop-invariant parts in front of loops.
 *
 * An engine for WebAssembly does neither: it runs the program as written. An address is composed so that the parts that
 * change least come first, `((base + row * 4) + column * 4)`, and then a leading part can move out of the loops in
 * which it is constant. This is arithmetic modulo 2^32, in which the order of a sum does not matter.
 */

import {
  type Address,
  bodiesOf,
  childrenOf,
  constant,
  type Expr,
  type Frame,
  type Local,
  type Memory,
  mapExpressions,
  operation,
  parts,
  read,
  type Stmt,
  statementsIn,
  withChildren,
} from './ir.js';
import type { Shapes } from './vectorise.js';

const i32 = (value: number) => constant('i32', value);
const add = (a: Expr, b: Expr) => operation('add', 'i32', a, b);

/** The same bits as an i32, for arithmetic that is the same for signed and unsigned. */
function asInt(expr: Expr): Expr {
  if (expr.kind === 'operation' && ['add', 'sub', 'mul'].includes(expr.operator)) {
    return operation(expr.operator, 'i32', ...expr.operands.map(asInt));
  }
  return operation('bits', 'i32', expr);
}

/**
 * A thread's scratch memory: workgroup memory first, then the private arrays of gangs, the locals that they keep between
 * regions, and vector constants.
 */
export interface ScratchLayout {
  /** offset of a gang's private arrays; their addresses count from scratch plus gang number × privateBytes */
  privateOf(memory: Memory): number;
  /** bytes of one gang's private arrays */
  readonly privateBytes: number;
}

/** Bases for `address` besides bindings: scratch memory, and a gang's private part of it. */
export const SCRATCH = -1;
/** The gang's private part of scratch memory, as a base for `address`. */
export const PRIVATE = -2;

/** No binding and no scratch memory begins before this address: whoever runs a kernel must see to it. */
const LOWEST = 65536;

/** Rewrites a kernel's body in place. */
export function addressed(body: Stmt[], shapes: Shapes, scratch: ScratchLayout): void {
  new Addresses(shapes, scratch).rewrite(body, []);
  let ids = 2_000_000;
  const fresh = (name: string, expr: Expr, frame: Frame): Local => {
    const local: Local = { id: ids++, name, type: expr.type, frame, constant: true };
    shapes.declare(local, expr);
    return local;
  };
  hoist(body, shapes.kernel.root, fresh);
  share(body, shapes.kernel.root, fresh, new Map());
}

/** Locals that a loop sets. */
type Assigned = ReadonlySet<Local>;

class Addresses {
  constructor(
    private readonly shapes: Shapes,
    private readonly scratch: ScratchLayout,
  ) {}

  rewrite(list: Stmt[], loops: readonly Assigned[]): void {
    for (const stmt of list) {
      const inside = stmt.kind === 'loop' ? [...loops, assignedIn(stmt.body)] : loops;
      if (stmt.kind === 'store') {
        stmt.value = this.#expr(stmt.value, loops);
        stmt.address = this.#address(stmt.memory, this.#expr(stmt.index, loops), loops);
      } else {
        mapExpressions(stmt, (expr) => this.#expr(expr, loops));
      }
      for (const body of bodiesOf(stmt)) this.rewrite(body, inside);
    }
  }

  #expr(expr: Expr, loops: readonly Assigned[]): Expr {
    const inner = withChildren(
      expr,
      childrenOf(expr).map((child) => this.#expr(child, loops)),
    );
    if (inner.kind !== 'load') return inner;
    const { type, memory } = inner;
    return { kind: 'addressed', type, memory, ...this.#address(memory, inner.index, loops) };
  }

  #address(memory: Memory, index: Expr, loops: readonly Assigned[]): Address {
    const { base, bytesPerWord } = this.#baseOf(memory);
    const terms = termsOf(index).map((term) => inBytes(asInt(term), bytesPerWord));
    const fixed = terms.reduce((sum, term) => sum + (term.kind === 'constant' ? term.value : 0), base.bytes);
    // The instruction adds its offset without wrapping around, so the rest of the sum must not be below 0. No memory
    // starts before LOWEST, and offsets below it cannot make it so.
    const offset = fixed >= 0 && fixed < LOWEST ? fixed : 0;
    const rest: Expr[] = terms.filter((term) => term.kind !== 'constant');
    if (offset !== fixed) rest.push(i32(fixed));
    const shape = this.shapes.of(index);
    const depth = new Map(rest.map((term) => [term, depthOf(term, loops)]));
    const inOrder = (list: Expr[]) => list.sort((a, b) => depth.get(a)! - depth.get(b)!);
    if (shape === 0 || (shape === 1 && memory.kind !== 'private')) {
      const address = inOrder(rest).reduce(add, base.expr);
      const mode = memory.kind === 'private' || shape === 1 ? 'side by side' : 'splat';
      return { mode, addresses: [address], offset };
    }
    // An address for each lane: lane k of the varying part, a vector, plus the part common to all lanes.
    const varying = inOrder(rest.filter((term) => this.shapes.of(term) !== 0));
    const uniform = inOrder(rest.filter((term) => this.shapes.of(term) === 0));
    const vector = varying.reduce(add);
    const addresses = [0, 1, 2, 3].map((lane) => {
      const own = operation('extract', 'i32', vector, i32(lane));
      const within = memory.kind === 'private' ? [i32(4 * lane)] : [];
      // The lane's part comes last if it changes more often than the rest.
      const split = uniform.filter((term) => depth.get(term)! <= Math.max(...varying.map((term) => depth.get(term)!)));
      const late = uniform.filter((term) => !split.includes(term));
      const early = split.reduce(add, base.expr);
      return [...late, ...within].reduce(add, add(early, own));
    });
    return { mode: 'lanes', addresses, offset };
  }

  /** Address of a memory's first word, and the distance between two words. */
  #baseOf(memory: Memory): { base: { expr: Expr; bytes: number }; bytesPerWord: 4 | 16 } {
    if (memory.kind === 'binding') {
      return { base: { expr: operation('address', 'i32', i32(memory.slot)), bytes: 0 }, bytesPerWord: 4 };
    }
    if (memory.kind === 'workgroup') {
      return { base: { expr: operation('address', 'i32', i32(SCRATCH)), bytes: memory.offset }, bytesPerWord: 4 };
    }
    const gang = operation('address', 'i32', i32(PRIVATE));
    return { base: { expr: gang, bytes: this.scratch.privateOf(memory) }, bytesPerWord: 16 };
  }
}

/** Convert words to bytes: by a shift, or by multiplying an existing factor. */
function inBytes(words: Expr, bytesPerWord: 4 | 16): Expr {
  if (words.kind === 'constant') return i32(Math.imul(words.value, bytesPerWord));
  const [a, b] = words.kind === 'operation' && words.operator === 'mul' ? words.operands : [];
  if (a !== undefined && b?.kind === 'constant')
    return operation('mul', 'i32', a, i32(Math.imul(b.value, bytesPerWord)));
  return operation('shl', 'i32', words, constant('u32', bytesPerWord === 4 ? 2 : 4));
}

/** termsOf(a + (b + 3u)) // [a, b, 3] */
function termsOf(index: Expr): Expr[] {
  if (index.kind === 'operation') {
    const [a, b] = index.operands;
    if (index.operator === 'add') return [...termsOf(a!), ...termsOf(b!)];
    if (index.operator === 'sub') {
      return [...termsOf(a!), ...termsOf(b!).map((term) => operation('sub', 'i32', i32(0), asInt(term)))];
    }
    if (index.operator === 'bits' && a!.type !== 'f32') return termsOf(a!);
  }
  return [index];
}

/** The number of the innermost loop around, counted from 1, that changes a term; 0 if none does. */
function depthOf(term: Expr, loops: readonly Assigned[]): number {
  const all = [...parts(term)];
  if (all.some((part) => part.kind === 'addressed')) return loops.length;
  return loops.reduce(
    (deepest, assigned, i) => (all.some((part) => part.kind === 'read' && assigned.has(part.local)) ? i + 1 : deepest),
    0,
  );
}

function assignedIn(body: readonly Stmt[]): Set<Local> {
  const assigned = new Set<Local>();
  for (const stmt of statementsIn(body)) {
    if (stmt.kind === 'set' || stmt.kind === 'subgroup') assigned.add(stmt.local);
  }
  return assigned;
}

type Fresh = (name: string, expr: Expr, frame: Frame) => Local;

/** Moves loop-invariant expressions in front of the loop, outermost loops first. */
function hoist(list: Stmt[], frame: Frame, fresh: Fresh): void {
  for (let i = 0; i < list.length; i++) {
    const stmt = list[i]!;
    if (stmt.kind === 'loop') {
      const before = hoistFrom(stmt.body, frame, fresh);
      list.splice(i, 0, ...before);
      i += before.length;
      hoist(stmt.body, stmt.frame, fresh);
    } else if (stmt.kind === 'block') hoist(stmt.body, stmt.frame, fresh);
    else if (stmt.kind === 'if') {
      hoist(stmt.yes, stmt.yesFrame, fresh);
      hoist(stmt.no, stmt.noFrame, fresh);
    }
  }
}

function hoistFrom(body: readonly Stmt[], frame: Frame, fresh: Fresh): Stmt[] {
  const assigned = assignedIn(body);
  const known = new Map<string, Local>();
  const before: Stmt[] = [];
  const visit = (expr: Expr): Expr => {
    if (isWork(expr) && isFixed(expr, assigned)) {
      const key = keyOf(expr);
      let local = known.get(key);
      if (local === undefined) {
        local = fresh('fixed', expr, frame);
        known.set(key, local);
        before.push({ kind: 'set', local, value: expr });
      }
      return read(local);
    }
    return withChildren(expr, childrenOf(expr).map(visit));
  };
  for (const stmt of statementsIn(body)) mapExpressions(stmt, visit);
  return before;
}

/** Does computing it take an instruction? */
function isWork(expr: Expr): boolean {
  if (expr.kind !== 'operation' || expr.operator === 'address' || expr.operator === 'byteLength') return false;
  return expr.operator !== 'bits' || expr.operands.some(isWork);
}

function isFixed(expr: Expr, assigned: Assigned): boolean {
  if (expr.kind === 'load' || expr.kind === 'addressed') return false;
  if (expr.kind === 'read') return !assigned.has(expr.local);
  return childrenOf(expr).every((child) => isFixed(child, assigned));
}

function keyOf(expr: Expr): string {
  switch (expr.kind) {
    case 'constant':
      return `${expr.type}:${Object.is(expr.value, -0) ? '-0' : expr.value}`;
    case 'read':
      return `#${expr.local.id}`;
    case 'operation':
      return `${expr.type}.${expr.operator}(${expr.operands.map(keyOf).join(',')})`;
    default:
      return `${expr.kind}`;
  }
}

/** Computes an address once if several accesses of straight-line code start from it. */
function share(list: Stmt[], frame: Frame, fresh: Fresh, outer: ReadonlyMap<string, Shared>): void {
  const known = new Map(outer);
  const forget = (assigned: Assigned) => {
    for (const [key, { reads }] of known) if (reads.some((local) => assigned.has(local))) known.delete(key);
  };
  for (let i = 0; i < list.length; i++) {
    const stmt = list[i]!;
    if (stmt.kind === 'loop') forget(assignedIn(stmt.body));
    const before: Stmt[] = [];
    const shared = (address: Expr): Expr => {
      if (!isWork(address) || [...parts(address)].some((part) => part.kind === 'addressed')) return address;
      const key = keyOf(address);
      let entry = known.get(key);
      if (entry === undefined) {
        const local = fresh('address', address, frame);
        const reads = [...parts(address)].flatMap((part) => (part.kind === 'read' ? [part.local] : []));
        entry = { local, reads };
        known.set(key, entry);
        before.push({ kind: 'set', local, value: address });
      }
      return read(entry.local);
    };
    const visit = (expr: Expr): Expr => {
      const inner = withChildren(expr, childrenOf(expr).map(visit));
      return inner.kind === 'addressed' ? { ...inner, addresses: inner.addresses.map(shared) } : inner;
    };
    if (stmt.kind === 'store' && stmt.address !== undefined) {
      stmt.value = visit(stmt.value);
      stmt.address = { ...stmt.address, addresses: stmt.address.addresses.map(visit).map(shared) };
    } else if (stmt.kind !== 'loop') {
      mapExpressions(stmt, visit);
    }
    list.splice(i, 0, ...before);
    i += before.length;
    if (stmt.kind === 'block' || stmt.kind === 'loop') share(stmt.body, stmt.frame, fresh, known);
    else if (stmt.kind === 'if') {
      share(stmt.yes, stmt.yesFrame, fresh, known);
      share(stmt.no, stmt.noFrame, fresh, known);
    }
    if (stmt.kind === 'set' || stmt.kind === 'subgroup') forget(new Set([stmt.local]));
    else forget(assignedIn(bodiesOf(stmt).flat()));
  }
}

interface Shared {
  readonly local: Local;
  readonly reads: readonly Local[];
}
