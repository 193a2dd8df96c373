/**
 * The form between the typed tree and WebAssembly: one invocation's work on scalars.
 *
 * Functions are inlined, vectors and structs are split into scalars, pointers are resolved, memory is words. The result
 * has expressions without side effects, and six kinds of statement. It still describes one lane: `vectorise.ts` finds
 * the scalars that are the same in every lane of a gang, and `emit.ts` writes four lanes at a time.
 */

import type { Position } from './tree.js';

/** Types of a scalar: those of WGSL. A bool is a word, 0 or 1. */
export type Scalar = 'i32' | 'u32' | 'f32' | 'bool';

/** A region of structured control flow, which lanes enter and leave. */
export interface Frame {
  readonly kind: 'function' | 'branch' | 'block' | 'loop';
  readonly parent: Frame | undefined;
  readonly depth: number;
  /** nothing follows it in the surrounding frame: lanes that wait here do not use the locals of that frame any more */
  readonly isLast?: boolean;
}

/** The builtin numbers of an invocation. */
export type Builtin =
  | `${'local' | 'workgroup' | 'grid'}.${'x' | 'y' | 'z'}`
  /** index of the invocation in its workgroup, and in its gang of 4 */
  | 'index'
  | 'lane'
  /** number of the gang in its workgroup */
  | 'gang';

/** A scalar variable of one invocation. */
export interface Local {
  readonly id: number;
  readonly name: string;
  readonly type: Scalar;
  /** frame of its declaration; lanes outside this frame do not use it */
  readonly frame: Frame;
  /** set at its declaration and never again */
  readonly constant: boolean;
  readonly builtin?: Builtin;
  /** uniform in the workgroup, by `workgroupUniformLoad` */
  readonly workgroupUniform?: boolean;
}

/** Words of 4 bytes. */
export type Memory =
  | {
      readonly kind: 'binding';
      readonly name: string;
      /** its index among the kernel's bindings */
      readonly slot: number;
      readonly access: 'uniform' | 'read' | 'read_write';
    }
  /** shared by a workgroup; `offset` in bytes from the start of workgroup memory */
  | { readonly kind: 'workgroup'; readonly name: string; readonly words: number; readonly offset: number }
  /** an array of one invocation; the words of four lanes are adjacent */
  | {
      readonly kind: 'private';
      readonly name: string;
      readonly words: number;
      readonly id: number;
      readonly frame: Frame;
    };

/** Operations on scalars. Each returns one scalar and has no side effect. */
export type Operator =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'rem'
  | 'neg'
  | 'abs'
  | 'min'
  | 'max'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'nearest'
  | 'and'
  | 'or'
  | 'xor'
  | 'not'
  | 'shl'
  | 'shr'
  | 'clz'
  | 'ctz'
  | 'popcnt'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  /** (condition, yes, no) */
  | 'select'
  /** between f32 and i32 or u32, by value; truncated and saturated */
  | 'convert'
  /** the same bits as another type */
  | 'bits'
  /** of a binding, in bytes; `slot` in the constant argument */
  | 'byteLength'
  /** address of a binding's first byte, likewise */
  | 'address'
  /** lane k (a constant) of a value: the same for all lanes */
  | 'extract';

/** A number known when the kernel is compiled. */
export interface Constant {
  readonly kind: 'constant';
  readonly type: Scalar;
  /** bool: 0 or 1 */
  readonly value: number;
}

/** The present value of a local variable. */
export interface Read {
  readonly kind: 'read';
  readonly type: Scalar;
  readonly local: Local;
}

/** An operator with its operands: `add(x, y)`. */
export interface Operation {
  readonly kind: 'operation';
  readonly type: Scalar;
  readonly operator: Operator;
  readonly operands: readonly Expr[];
}

/** One word read from memory. */
export interface Load {
  readonly kind: 'load';
  readonly type: Scalar;
  readonly memory: Memory;
  /** words from the memory's start, u32 */
  readonly index: Expr;
}

/** The byte addresses of four lanes' words. */
export interface Address {
  /** `splat`: one word for every lane; `side by side`: lane k takes the k-th word; `lanes`: an address each */
  readonly mode: 'splat' | 'side by side' | 'lanes';
  /** of `lanes`, four; else one. i32 */
  readonly addresses: readonly Expr[];
  /** bytes added to each address */
  readonly offset: number;
}

/** A load by byte address, as address.ts rewrites it. */
export interface AddressedLoad extends Address {
  readonly kind: 'addressed';
  readonly type: Scalar;
  readonly memory: Memory;
}

/** An expression of one scalar, without side effects. */
export type Expr = Constant | Read | Operation | Load | AddressedLoad;

/** Operations of a subgroup. */
export type SubgroupOperator =
  | {
      readonly kind: 'reduce' | 'inclusive' | 'exclusive';
      readonly by: 'add' | 'mul' | 'min' | 'max' | 'and' | 'or' | 'xor';
    }
  /** lane `index` of the value, a different one for each lane */
  | { readonly kind: 'shuffle' }
  /** lane `index` of the value, the same for all */
  | { readonly kind: 'broadcast' }
  | { readonly kind: 'first' }
  /** bit k is lane k's condition */
  | { readonly kind: 'ballot' }
  /** true in the lowest active lane */
  | { readonly kind: 'elect' };

/** Two lists of statements, one of which runs. */
export interface If {
  readonly kind: 'if';
  condition: Expr;
  readonly yes: Stmt[];
  readonly no: Stmt[];
  readonly yesFrame: Frame;
  readonly noFrame: Frame;
}

/** A statement: it sets a local, stores to memory, or steers control flow. */
export type Stmt =
  | { readonly kind: 'set'; readonly local: Local; value: Expr }
  | { readonly kind: 'store'; readonly memory: Memory; index: Expr; value: Expr; address?: Address }
  /** zero in every word of a private array */
  | { readonly kind: 'clear'; readonly memory: Memory }
  | If
  | { readonly kind: 'block'; readonly frame: Frame; readonly body: Stmt[] }
  /** repeats until a leave */
  | { readonly kind: 'loop'; readonly frame: Frame; readonly body: Stmt[] }
  /** goes to the end of a surrounding block or loop */
  | { readonly kind: 'leave'; readonly frame: Frame }
  | {
      readonly kind: 'subgroup';
      readonly operator: SubgroupOperator;
      readonly local: Local;
      value: Expr;
      index: Expr;
    }
  | { readonly kind: 'barrier'; readonly at: Position };

/** A kernel, from the view of one invocation. */
export interface Kernel {
  readonly name: string;
  readonly workgroupSize: readonly [number, number, number];
  readonly body: Stmt[];
  /** the line of WGSL that a statement comes from, where there is one */
  readonly lines: ReadonlyMap<Stmt, number>;
  readonly root: Frame;
  readonly builtins: readonly Local[];
  /** words of uniform bindings, read once before anything else */
  readonly preloads: readonly { readonly local: Local; readonly load: Load }[];
  /** bytes of workgroup memory */
  readonly workgroupBytes: number;
}

/** `constant("u32", 4)`: the number 4 as an expression. */
export const constant = (type: Scalar, value: number): Constant => ({ kind: 'constant', type, value });
/** A local variable as an expression. */
export const read = (local: Local): Read => ({ kind: 'read', type: local.type, local });

const f = Math.fround;

/** An operation, or its constant result. */
export function operation(operator: Operator, type: Scalar, ...operands: Expr[]): Expr {
  const [a, b, c] = operands;
  if (operator === 'select' && a?.kind === 'constant') return a.value ? b! : c!;
  if (operator === 'bits' && a?.type === type) return a;
  if (operator === 'not' && type === 'bool' && a?.kind === 'operation') {
    if (a.operator === 'not') return a.operands[0]!;
    const opposite = OPPOSITES[a.operator];
    // A comparison of floats is false for NaN, and so is its opposite: only integers are turned around.
    if (opposite !== undefined && a.operands[0]!.type !== 'f32') return operation(opposite, 'bool', ...a.operands);
  }
  if (type !== 'f32' && a !== undefined && b !== undefined && operands.length === 2) {
    // x + 0, x * 1, x << 0 and similar are x; from here on constants are on the right.
    if (a.kind === 'constant' && b.kind !== 'constant' && COMMUTES.has(operator) && a.type !== 'bool') {
      return operation(operator, type, b, a);
    }
    if (b.kind === 'constant' && a.type !== 'f32') {
      const neutral = b.value === 0 ? NEUTRAL_ZERO : b.value === 1 ? NEUTRAL_ONE : undefined;
      if (neutral?.has(operator) && a.type !== 'bool') return a;
      if (operator === 'mul' && b.value === 0) return constant(type, 0);
    }
  }
  if (operands.every((operand) => operand.kind === 'constant')) {
    const folded = fold(
      operator,
      type,
      operands.map((operand) => (operand as Constant).value),
      a?.type ?? type,
    );
    if (folded !== undefined) return constant(type, folded);
  }
  return { kind: 'operation', type, operator, operands };
}

const OPPOSITES: Partial<Record<Operator, Operator>> = { eq: 'ne', ne: 'eq', lt: 'ge', ge: 'lt', le: 'gt', gt: 'le' };
const COMMUTES = new Set<Operator>(['add', 'mul', 'and', 'or', 'xor']);
const NEUTRAL_ZERO = new Set<Operator>(['add', 'sub', 'or', 'xor', 'shl', 'shr']);
const NEUTRAL_ONE = new Set<Operator>(['mul', 'div']);

/** The value of an operation on constants of type `from`; undefined if it is computed at run time. */
function fold(operator: Operator, type: Scalar, values: readonly number[], from: Scalar): number | undefined {
  const [a = 0, b = 0] = values;
  const wrap = (x: number) => (type === 'i32' ? x | 0 : type === 'u32' ? x >>> 0 : x);
  switch (operator) {
    case 'eq':
      return Number(a === b);
    case 'ne':
      return Number(a !== b);
    case 'lt':
      return Number(a < b);
    case 'le':
      return Number(a <= b);
    case 'gt':
      return Number(a > b);
    case 'ge':
      return Number(a >= b);
    default:
  }
  if (type === 'bool') {
    if (operator === 'and') return a & b;
    if (operator === 'or') return a | b;
    if (operator === 'xor') return a ^ b;
    if (operator === 'not') return 1 - a;
    return undefined;
  }
  if (operator === 'bits') return from === 'f32' || type === 'f32' ? undefined : wrap(a);
  if (from !== type) return undefined;
  if (type === 'f32') {
    if (operator === 'add') return f(a + b);
    if (operator === 'sub') return f(a - b);
    if (operator === 'mul') return f(a * b);
    if (operator === 'div') return f(a / b);
    return operator === 'neg' ? -a : undefined;
  }
  switch (operator) {
    case 'add':
      return wrap(a + b);
    case 'sub':
      return wrap(a - b);
    case 'mul':
      return wrap(Math.imul(a, b));
    case 'div':
      return b > 0 && a >= 0 ? Math.trunc(a / b) : undefined;
    case 'rem':
      return b > 0 && a >= 0 ? a % b : undefined;
    case 'and':
      return wrap(a & b);
    case 'or':
      return wrap(a | b);
    case 'xor':
      return wrap(a ^ b);
    case 'shl':
      return wrap(a << b);
    case 'shr':
      return type === 'i32' ? a >> b : a >>> b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    default:
      return undefined;
  }
}

/** Every expression inside one, itself included. */
export function* parts(expr: Expr): Generator<Expr> {
  yield expr;
  for (const child of childrenOf(expr)) yield* parts(child);
}

/** The expressions directly inside an expression: operands, an index, or addresses. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'operation':
      return expr.operands;
    case 'load':
      return [expr.index];
    case 'addressed':
      return expr.addresses;
    default:
      return [];
  }
}

/** The same expression with other children; itself if none changed. */
export function withChildren(expr: Expr, children: readonly Expr[]): Expr {
  const old = childrenOf(expr);
  if (children.every((child, i) => child === old[i])) return expr;
  switch (expr.kind) {
    case 'operation':
      return operation(expr.operator, expr.type, ...children);
    case 'load':
      return { ...expr, index: children[0]! };
    case 'addressed':
      return { ...expr, addresses: children };
    default:
      return expr;
  }
}

/** Statement lists directly inside a statement. */
export function bodiesOf(stmt: Stmt): readonly Stmt[][] {
  if (stmt.kind === 'if') return [stmt.yes, stmt.no];
  if (stmt.kind === 'block' || stmt.kind === 'loop') return [stmt.body];
  return [];
}

/** Every statement of a list, inner ones included, in order. */
export function* statementsIn(list: readonly Stmt[]): Generator<Stmt> {
  for (const stmt of list) {
    yield stmt;
    for (const body of bodiesOf(stmt)) yield* statementsIn(body);
  }
}

/** The expressions a statement evaluates itself. */
export function expressionsOf(stmt: Stmt): readonly Expr[] {
  switch (stmt.kind) {
    case 'set':
      return [stmt.value];
    case 'store':
      return stmt.address === undefined ? [stmt.index, stmt.value] : [...stmt.address.addresses, stmt.value];
    case 'if':
      return [stmt.condition];
    case 'subgroup':
      return [stmt.value, stmt.index];
    default:
      return [];
  }
}

/** Replaces the expressions a statement evaluates itself. */
export function mapExpressions(stmt: Stmt, map: (expr: Expr) => Expr): void {
  switch (stmt.kind) {
    case 'set':
      stmt.value = map(stmt.value);
      break;
    case 'store':
      if (stmt.address === undefined) stmt.index = map(stmt.index);
      else stmt.address = { ...stmt.address, addresses: stmt.address.addresses.map(map) };
      stmt.value = map(stmt.value);
      break;
    case 'if':
      stmt.condition = map(stmt.condition);
      break;
    case 'subgroup':
      stmt.value = map(stmt.value);
      stmt.index = map(stmt.index);
      break;
    default:
  }
}
