/**
 * From the typed tree to `ir.ts`: functions inlined, composites split, pointers resolved, memory as words.
 *
 * WGSL has no recursion and its pointers can be followed at compile time, so that every call can be inlined. A value of
 * a composite type is the list of its scalars in order. A variable that is never indexed by a run-time number becomes
 * one local per scalar; an array indexed at run time becomes private memory, unless unrolling its loops makes every
 * index a constant.
 */

import { WgslError } from './errors.js';
import { convert, countOf, elementOf, holdsArray, leavesOf, scalarOf, zeros } from './flatten.js';
import {
  type Builtin,
  constant,
  type Expr,
  type Frame,
  type Kernel,
  type Load,
  type Local,
  type Memory,
  type Operator,
  operation,
  read,
  type Scalar,
  type Stmt,
  type SubgroupOperator,
  statementsIn,
} from './ir.js';
import { sizeOf, strideOf } from './layout.js';
import { lowerBuiltin } from './lowerBuiltins.js';
import { scalarise } from './scalarise.js';
import type {
  BinaryOperator,
  Block,
  BuiltinValue,
  EntryPoint,
  Expression,
  FunctionDeclaration,
  Module,
  Place,
  Position,
  Statement,
  Type,
  Variable,
} from './tree.js';
import { isPure, mayCall, mayReturn } from './treeQueries.js';
import { countsOf, indexesLocalArray } from './unroll.js';

/** Options of lowering. */
export interface LowerOptions {
  /** clamp every index that is not known to be in bounds */
  readonly robust: boolean;
}

/** A loop is unrolled if the kernel does not grow beyond this many statements. */
const MAX_UNROLLED = 6000;

/** Scalars of a local variable; more than one alternative if a vector or matrix is indexed at run time. */
interface LocalsRef {
  readonly kind: 'locals';
  readonly type: Type;
  readonly locals: readonly Local[];
  readonly alternatives: readonly { readonly condition: Expr | undefined; readonly start: number }[];
}

interface MemoryRef {
  readonly kind: 'memory';
  readonly type: Type;
  readonly memory: Memory;
  /** `host` has WGSL's alignment gaps; `flat` has none */
  readonly layout: 'host' | 'flat';
  /** words */
  readonly index: Expr;
}

/** The target of a pointer. */
type Ref = LocalsRef | MemoryRef;

/** The meaning of a name: a `let`'s scalars, or the location of its memory. */
type Meaning = { readonly parts: readonly Expr[] } | { readonly ref: Ref };

const u32 = (value: number) => constant('u32', value);

const COMPARISONS: Readonly<Partial<Record<BinaryOperator, Operator>>> = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};
const OPERATORS: Readonly<Record<string, Operator>> = {
  ...COMPARISONS,
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'rem',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
  '<<': 'shl',
  '>>': 'shr',
};

/** Lower one entry point. @throws WgslError for what the compiler cannot do */
export function lower(module: Module, entry: EntryPoint, bindings: readonly Variable[], options: LowerOptions): Kernel {
  return new Lowering(module, entry, bindings, options).kernel();
}

/** Inlines and flattens one entry point; `lowerBuiltins.ts` has the functions of the language. */
export class Lowering {
  readonly #root: Frame = { kind: 'function', parent: undefined, depth: 0 };
  #frame = this.#root;
  #out: Stmt[] = [];
  #locals = 0;
  #privates = 0;
  #statements = 0;
  readonly #meanings = new Map<Variable, Meaning>();
  readonly #builtins = new Map<Builtin, Local>();
  readonly #preloads = new Map<string, { local: Local; load: Load }>();
  #workgroupBytes = 0;
  readonly #lines = new Map<Stmt, number>();
  #line: number | undefined;
  /** of the inlined function: the local for its result, and the frame that `return` leaves */
  #function: { results: readonly Local[]; frame: Frame } | undefined;
  /** innermost first: the frames that `break` and `continue` leave */
  #breakTo: Frame[] = [];
  #continueTo: Frame[] = [];

  constructor(
    private readonly module: Module,
    private readonly entry: EntryPoint,
    private readonly bindings: readonly Variable[],
    private readonly options: LowerOptions,
  ) {}

  kernel(): Kernel {
    const { entry } = this;
    for (const variable of entry.globals) this.#declareGlobal(variable);
    for (const parameter of entry.function.parameters)
      this.#meanings.set(parameter, { parts: this.#entryParameter(parameter) });
    const frame = this.#enter('block');
    const body = this.#collect(frame, () => {
      this.#function = { results: [], frame };
      this.#block(entry.function.body);
    });
    this.#out.push({ kind: 'block', frame, body });
    scalarise(this.#out);
    return {
      name: entry.function.name,
      workgroupSize: entry.workgroupSize,
      body: this.#out,
      root: this.#root,
      builtins: [...this.#builtins.values()],
      preloads: [...this.#preloads.values()],
      workgroupBytes: this.#workgroupBytes,
      lines: this.#lines,
    };
  }

  // ---- shared with lowerBuiltins.ts ----

  /** Store a value in a local: it is used more than once, or must be evaluated now. */
  pin(value: Expr, name = ''): Expr {
    if (value.kind === 'constant' || (value.kind === 'read' && value.local.constant)) return value;
    const local = this.#local(name, value.type, { constant: true });
    this.#push({ kind: 'set', local, value });
    return read(local);
  }

  subgroup(operator: SubgroupOperator, type: Scalar, value: Expr, index: Expr = u32(0)): Expr {
    const local = this.#local(operator.kind, type, { constant: true });
    this.#push({ kind: 'subgroup', operator, local, value, index });
    return read(local);
  }

  barrier(at: Position): void {
    this.#push({ kind: 'barrier', at });
  }

  /** The present value behind a pointer, uniform in the workgroup. */
  loadUniform(pointer: Expression, at: Position): Expr[] {
    const ref = this.#pointer(pointer);
    this.barrier(at);
    const parts = this.#load(ref).map((value) => {
      const local = this.#local('', value.type, { constant: true, workgroupUniform: true });
      this.#push({ kind: 'set', local, value });
      return read(local);
    });
    this.barrier(at);
    return parts;
  }

  store(pointer: Expression, parts: readonly Expr[]): void {
    this.#store(this.#pointer(pointer), parts);
  }

  builtin(name: Builtin): Expr {
    let local = this.#builtins.get(name);
    if (local === undefined) {
      local = { id: this.#locals++, name, type: 'u32', frame: this.#root, constant: true, builtin: name };
      this.#builtins.set(name, local);
    }
    return read(local);
  }

  /** Number of elements of the runtime array at the end of the target of `pointer`. */
  arrayLength(pointer: Expression): Expr {
    const ref = this.#pointer(pointer);
    if (ref.kind !== 'memory' || ref.type.kind !== 'array')
      throw this.error('arrayLength needs a pointer to an array', pointer.at);
    return this.#lengthOf(ref);
  }

  error(rule: string, at: Position): WgslError {
    return new WgslError(rule, at, this.module.text);
  }

  /** A condition, and the code under it. */
  when(condition: Expr, then: () => void, otherwise: () => void = () => {}): void {
    if (condition.kind === 'constant') {
      if (condition.value) then();
      else otherwise();
      return;
    }
    const yesFrame = this.#enter('branch');
    const noFrame = this.#enter('branch');
    const yes = this.#collect(yesFrame, then);
    const no = this.#collect(noFrame, otherwise);
    this.#push({ kind: 'if', condition, yes, no, yesFrame, noFrame });
  }

  // ---- globals and parameters ----

  #declareGlobal(variable: Variable): void {
    const { space, type, name } = variable;
    if (space === 'private') {
      const ref = this.#variable(variable.name, type);
      this.#meanings.set(variable, { ref });
      this.#store(ref, variable.initial === undefined ? zeros(type) : this.values(variable.initial));
      return;
    }
    let memory: Memory;
    if (space === 'workgroup') {
      const bytes = Math.ceil(sizeOf(type) / 16) * 16;
      memory = { kind: 'workgroup', name, words: sizeOf(type) / 4, offset: this.#workgroupBytes };
      this.#workgroupBytes += bytes;
    } else {
      const access = space === 'uniform' ? 'uniform' : variable.access === 'read' ? 'read' : 'read_write';
      memory = { kind: 'binding', name, slot: this.bindings.indexOf(variable), access };
    }
    this.#meanings.set(variable, { ref: { kind: 'memory', type, memory, layout: 'host', index: u32(0) } });
  }

  #entryParameter({ type, builtin }: Variable): Expr[] {
    if (builtin !== undefined) return this.#builtinValue(builtin);
    if (type.kind === 'struct') return type.members.flatMap((member) => this.#builtinValue(member.builtin!));
    return [];
  }

  #builtinValue(name: BuiltinValue): Expr[] {
    const [sx, sy, sz] = this.entry.workgroupSize;
    const three = (of: 'local' | 'workgroup' | 'grid') =>
      (['x', 'y', 'z'] as const).map((axis) => this.builtin(`${of}.${axis}`));
    const size = [sx, sy, sz].map(u32);
    const times = (a: Expr, b: Expr) => operation('mul', 'u32', a, b);
    const plus = (a: Expr, b: Expr) => operation('add', 'u32', a, b);
    const flat = ([x, y, z]: Expr[], [sizeX, sizeY]: Expr[]) => plus(times(plus(times(z!, sizeY!), y!), sizeX!), x!);
    const global = () => {
      const local = three('local');
      return three('workgroup').map((id, axis) => plus(times(id, size[axis]!), local[axis]!));
    };
    switch (name) {
      case 'local_invocation_id':
        return three('local');
      case 'workgroup_id':
        return three('workgroup');
      case 'num_workgroups':
        return three('grid');
      case 'global_invocation_id':
        return global();
      case 'local_invocation_index':
        return [this.builtin('index')];
      case 'workgroup_index':
        return [flat(three('workgroup'), three('grid'))];
      case 'global_invocation_index':
        return [
          flat(
            global(),
            three('grid').map((count, axis) => times(count, size[axis]!)),
          ),
        ];
      case 'subgroup_invocation_id':
        return [this.builtin('lane')];
      case 'subgroup_size':
        return [u32(4)];
      case 'subgroup_id':
        return [this.builtin('gang')];
      case 'num_subgroups':
        return [u32(Math.ceil((sx * sy * sz) / 4))];
    }
  }

  // ---- statements ----

  #block(block: Block): void {
    for (const [i, statement] of block.statements.entries()) {
      this.#statement(statement);
      // Code after one of these in a block is never reached.
      if (['break', 'continue', 'return'].includes(statement.kind) && i < block.statements.length - 1) return;
    }
  }

  #statement(statement: Statement): void {
    const around = this.#line;
    this.#line = statement.at.line;
    this.#lowered(statement);
    this.#line = around;
  }

  #lowered(statement: Statement): void {
    switch (statement.kind) {
      case 'declare':
        this.#declare(statement.variable, statement.value);
        return;
      case 'assign':
        this.#assign(statement.place, statement.operator, statement.value);
        return;
      case 'evaluate':
        this.values(statement.expression);
        return;
      case 'if':
        this.when(
          this.value(statement.condition),
          () => this.#block(statement.then),
          () => statement.else && this.#block(statement.else),
        );
        return;
      case 'switch':
        this.#switch(statement);
        return;
      case 'loop':
        this.#loop(statement);
        return;
      case 'block':
        if (!this.#unrolled(statement.body)) this.#block(statement.body);
        return;
      case 'break':
        this.#push({ kind: 'leave', frame: this.#breakTo.at(-1)! });
        return;
      case 'continue':
        this.#push({ kind: 'leave', frame: this.#continueTo.at(-1)! });
        return;
      case 'return': {
        const { results, frame } = this.#function!;
        const parts = statement.value === undefined ? [] : this.values(statement.value);
        this.#setAll(results, parts);
        this.#push({ kind: 'leave', frame });
      }
    }
  }

  #declare(variable: Variable, value: Expression | undefined): void {
    const { type, name, kind } = variable;
    if (type.kind === 'pointer') {
      this.#meanings.set(variable, { ref: this.#pointer(value!) });
      return;
    }
    if (kind === 'let') {
      const parts = this.values(value!).map((part, i) => this.pin(part, i === 0 ? name : `${name}.${i}`));
      this.#meanings.set(variable, { parts });
      return;
    }
    const parts = value === undefined ? zeros(type) : this.values(value);
    const ref = this.#variable(name, type);
    this.#meanings.set(variable, { ref });
    if (value === undefined && ref.kind === 'memory') this.#push({ kind: 'clear', memory: ref.memory });
    else this.#store(ref, parts);
  }

  /** Memory of a function-scope or private variable: locals, or private memory if it contains an array. */
  #variable(name: string, type: Type): Ref {
    if (!holdsArray(type)) {
      const locals = leavesOf(type).map((leaf, i) => this.#local(i === 0 ? name : `${name}.${i}`, leaf.type));
      return { kind: 'locals', type, locals, alternatives: [{ condition: undefined, start: 0 }] };
    }
    const memory: Memory = { kind: 'private', name, words: countOf(type), id: this.#privates++, frame: this.#frame };
    return { kind: 'memory', type, memory, layout: 'flat', index: u32(0) };
  }

  #assign(place: Place, operator: BinaryOperator | undefined, value: Expression): void {
    // The place is evaluated before the value, since a called function may change the place's indices.
    const ref = mayCall(value) ? this.#pinRef(this.#place(place)) : this.#place(place);
    if (operator === undefined) {
      this.#store(ref, this.values(value));
      return;
    }
    const before = this.#load(ref);
    const left = mayCall(value) ? before.map((part) => this.pin(part)) : before;
    this.#store(ref, this.#binary(operator, ref.type, left, place.type, this.values(value), value.type));
  }

  #switch({ selector, cases }: Extract<Statement, { kind: 'switch' }>): void {
    const chosen = this.pin(this.value(selector));
    const frame = this.#enter('block');
    const body = this.#collect(frame, () => {
      this.#breakTo.push(frame);
      const isCase = cases.map(({ values }) =>
        values
          .map((value) => operation('eq', 'bool', chosen, constant(chosen.type, value)))
          .reduce<Expr>((any, one) => operation('or', 'bool', any, one), constant('bool', 0)),
      );
      const fallback = cases.find((one) => one.isDefault);
      const explicit = cases.map((one, i) => [one, isCase[i]!] as const).filter(([one]) => one.values.length > 0);
      const next = (i: number): void => {
        const [one, matches] = explicit[i] ?? [];
        if (one === undefined) {
          if (fallback !== undefined) this.#block(fallback.body);
          return;
        }
        if (one === fallback) {
          next(i + 1);
          return;
        }
        this.when(
          matches!,
          () => this.#block(one.body),
          () => next(i + 1),
        );
      };
      next(0);
      this.#breakTo.pop();
    });
    this.#push({ kind: 'block', frame, body });
  }

  #loop({ condition, body, continuing, breakIf }: Extract<Statement, { kind: 'loop' }>): void {
    const frame = this.#enter('loop');
    const statements = this.#collect(frame, () => {
      this.#breakTo.push(frame);
      const leaveWhen = (condition: Expr) => this.when(condition, () => this.#push({ kind: 'leave', frame }));
      if (condition !== undefined) leaveWhen(operation('not', 'bool', this.value(condition)));
      const inner = this.#enter('block');
      const innerBody = this.#collect(inner, () => {
        this.#continueTo.push(inner);
        this.#block(body);
        this.#continueTo.pop();
      });
      // A separate block is needed only if there is a `continue`.
      const continues = [...statementsIn(innerBody)].some((stmt) => stmt.kind === 'leave' && stmt.frame === inner);
      if (continues) this.#push({ kind: 'block', frame: inner, body: innerBody });
      else this.#out.push(...innerBody);
      // Never reached after a break or a return without a condition: then it may use what was declared after that.
      const isReached = continues || !body.statements.some(({ kind }) => kind === 'break' || kind === 'return');
      if (isReached && continuing !== undefined) this.#block(continuing);
      if (isReached && breakIf !== undefined) leaveWhen(this.value(breakIf));
      this.#breakTo.pop();
    });
    this.#push({ kind: 'loop', frame, body: statements });
  }

  /** Unrolls a counted loop that indexes a private array; returns true if it did. */
  #unrolled({ statements }: Block): boolean {
    const [start, loop] = statements;
    if (statements.length !== 2 || start?.kind !== 'declare' || loop?.kind !== 'loop') return false;
    const counts = countsOf(start, loop);
    if (counts === undefined || !indexesLocalArray(loop.body)) return false;
    const out = this.#out;
    const length = out.length;
    const before = this.#statements;
    for (const value of counts) {
      this.#meanings.set(start.variable, { parts: [constant(scalarOf(start.variable.type), value)] });
      const outer = this.#enter('block');
      const inner = this.#collect(outer, () => {
        this.#continueTo.push(outer);
        this.#block(loop.body);
        this.#continueTo.pop();
      });
      if ([...statementsIn(inner)].some((stmt) => stmt.kind === 'leave' && stmt.frame === outer)) {
        this.#push({ kind: 'block', frame: outer, body: inner });
      } else {
        out.push(...inner);
      }
      if (this.#statements - before > MAX_UNROLLED) {
        out.length = length;
        this.#statements = before;
        return false;
      }
    }
    return true;
  }

  // ---- places ----

  #place(place: Place): Ref {
    switch (place.kind) {
      case 'variable': {
        const meaning = this.#meanings.get(place.variable);
        if (meaning === undefined) throw this.error(`${place.variable.name} is not reachable here`, place.at);
        if ('ref' in meaning) return meaning.ref;
        throw this.error(`${place.variable.name} is counted by a loop that was written out`, place.at);
      }
      case 'deref':
        return this.#pointer(place.pointer);
      case 'member': {
        const ref = this.#place(place.of);
        if (ref.type.kind !== 'struct') throw new Error('member of no struct');
        const before = ref.type.members.slice(0, place.member);
        const flat = before.reduce((sum, member) => sum + countOf(member.type), 0);
        const { offset, type } = ref.type.members[place.member]!;
        if (ref.kind === 'locals') return moved(ref, type, flat);
        return {
          ...ref,
          type,
          index: operation('add', 'u32', ref.index, u32(ref.layout === 'host' ? offset / 4 : flat)),
        };
      }
      case 'element': {
        const of = this.#place(place.of);
        // Its own indices are evaluated before this one, which may change them.
        const ref = mayCall(place.index) ? this.#pinRef(of) : of;
        const index = operation('bits', 'u32', this.value(place.index));
        return this.#element(ref, index);
      }
    }
  }

  #element(ref: Ref, index: Expr): Ref {
    const element = elementOf(ref.type);
    const words = countOf(element.type);
    if (ref.kind === 'locals') {
      const count = element.count!;
      if (index.kind === 'constant') return moved(ref, element.type, Math.min(index.value, count - 1) * words);
      const chosen = this.pin(index);
      // The last one also takes every larger index: out of bounds is clamped.
      const alternatives = ref.alternatives.flatMap(({ condition, start }) =>
        Array.from({ length: count }, (_, i) => {
          const here = operation(i === count - 1 ? 'ge' : 'eq', 'bool', chosen, u32(i));
          return {
            condition: condition === undefined ? here : operation('and', 'bool', condition, here),
            start: start + i * words,
          };
        }),
      );
      return { kind: 'locals', type: element.type, locals: ref.locals, alternatives };
    }
    const inside = this.#clamped(ref, index, element.count);
    const stride = ref.layout === 'flat' ? words : ref.type.kind === 'vector' ? 1 : strideOf(ref.type) / 4;
    const at = operation('add', 'u32', ref.index, operation('mul', 'u32', inside, u32(stride)));
    return { ...ref, type: element.type, index: at };
  }

  #clamped(ref: MemoryRef, index: Expr, count: number | undefined): Expr {
    if (count !== undefined) {
      if (index.kind === 'constant') return u32(Math.min(index.value, count - 1));
      return this.options.robust ? operation('min', 'u32', index, u32(count - 1)) : index;
    }
    if (!this.options.robust) return index;
    return operation('min', 'u32', index, operation('sub', 'u32', this.#lengthOf(ref), u32(1)));
  }

  /** Number of elements of a runtime array: those that fit in its binding after its first word. */
  #lengthOf(ref: MemoryRef): Expr {
    if (ref.memory.kind !== 'binding') throw new Error('only a binding has a length of its own');
    const bytes = operation('byteLength', 'u32', u32(ref.memory.slot));
    const before = operation('mul', 'u32', ref.index, u32(4));
    return this.pin(operation('div', 'u32', operation('sub', 'u32', bytes, before), u32(strideOf(ref.type))));
  }

  #pointer(pointer: Expression): Ref {
    if (pointer.kind === 'pointer') return this.#pinRef(this.#place(pointer.place));
    if (pointer.kind === 'value') {
      const meaning = this.#meanings.get(pointer.variable);
      if (meaning !== undefined && 'ref' in meaning) return meaning.ref;
    }
    throw this.error('this pointer cannot be followed', pointer.at);
  }

  /** The same place, with its indices evaluated now. */
  #pinRef(ref: Ref): Ref {
    if (ref.kind === 'memory') return { ...ref, index: this.pin(ref.index) };
    return {
      ...ref,
      alternatives: ref.alternatives.map(({ condition, start }) => ({
        condition: condition && this.pin(condition),
        start,
      })),
    };
  }

  #load(ref: Ref): Expr[] {
    if (ref.kind === 'locals') {
      const count = countOf(ref.type);
      return Array.from({ length: count }, (_, i) => {
        const [first, ...rest] = ref.alternatives;
        return rest.reduce<Expr>(
          (value, { condition, start }) =>
            operation('select', value.type, condition!, read(ref.locals[start + i]!), value),
          read(ref.locals[first!.start + i]!),
        );
      });
    }
    return leavesOf(ref.type).map(({ type, word }, i) => {
      const index = operation('add', 'u32', ref.index, u32(ref.layout === 'host' ? word : i));
      const stored = type === 'bool' ? 'u32' : type;
      const value = this.#loadWord(ref.memory, stored, index);
      return type === 'bool' ? operation('ne', 'bool', value, u32(0)) : value;
    });
  }

  #loadWord(memory: Memory, type: Scalar, index: Expr): Expr {
    const load: Load = { kind: 'load', type, memory, index };
    if (memory.kind !== 'binding' || memory.access !== 'uniform' || index.kind !== 'constant') return load;
    // A field of `params` never changes: it is read once, before everything else.
    const key = `${memory.slot} ${index.value} ${type}`;
    let known = this.#preloads.get(key);
    if (known === undefined) {
      const local: Local = {
        id: this.#locals++,
        name: `${memory.name}.${index.value}`,
        type,
        frame: this.#root,
        constant: true,
      };
      known = { local, load };
      this.#preloads.set(key, known);
    }
    return read(known.local);
  }

  #store(ref: Ref, parts: readonly Expr[]): void {
    // Evaluated before the first is written: `v = v.yx` reads the components that it writes.
    const values = parts.length > 1 ? parts.map((part) => this.pin(part)) : parts;
    if (ref.kind === 'locals') {
      for (const { condition, start } of ref.alternatives) {
        values.forEach((value, i) => {
          const local = ref.locals[start + i]!;
          const kept = condition === undefined ? value : operation('select', value.type, condition, value, read(local));
          this.#push({ kind: 'set', local, value: kept });
        });
      }
      return;
    }
    const at = values.length > 1 ? this.pin(ref.index) : ref.index;
    leavesOf(ref.type).forEach(({ type, word }, i) => {
      const index = operation('add', 'u32', at, u32(ref.layout === 'host' ? word : i));
      const value = values[i]!;
      const stored = type === 'bool' ? operation('select', 'u32', value, u32(1), u32(0)) : value;
      this.#push({ kind: 'store', memory: ref.memory, index, value: stored });
    });
  }

  #setAll(locals: readonly Local[], parts: readonly Expr[]): void {
    const values = parts.length > 1 ? parts.map((part) => this.pin(part)) : parts;
    for (const [i, value] of values.entries()) this.#push({ kind: 'set', local: locals[i]!, value });
  }

  // ---- expressions: a list of scalars each ----

  /** A scalar expression. */
  value(expression: Expression): Expr {
    return this.values(expression)[0]!;
  }

  /**
   * Arguments in order; earlier ones are evaluated before a later one calls a function that may change their memory.
   */
  operands(expressions: readonly Expression[]): Expr[][] {
    return expressions.map((expression, i) => {
      const parts = this.values(expression);
      return expressions.slice(i + 1).some(mayCall) ? parts.map((part) => this.pin(part)) : parts;
    });
  }

  values(expression: Expression): Expr[] {
    switch (expression.kind) {
      case 'literal':
        return [constant(scalarOf(expression.type), Number(expression.value))];
      case 'load':
        return this.#loadPlace(expression.place);
      case 'value': {
        const meaning = this.#meanings.get(expression.variable);
        if (meaning === undefined || !('parts' in meaning)) {
          throw this.error(`${expression.variable.name} is not a value here`, expression.at);
        }
        return [...meaning.parts];
      }
      case 'pointer':
        return [];
      case 'unary':
        return this.values(expression.operand).map((part) =>
          operation(expression.operator === '-' ? 'neg' : 'not', part.type, part),
        );
      case 'binary': {
        const { operator, left, right } = expression;
        const [a, b] = this.operands([left, right]) as [Expr[], Expr[]];
        return this.#binary(operator, left.type, a, left.type, b, right.type);
      }
      case 'logical':
        return [this.#logical(expression.operator, expression.left, expression.right)];
      case 'call':
        return this.#call(expression.function, expression.arguments);
      case 'builtin':
        return lowerBuiltin(this, expression);
      case 'construct':
        return this.#construct(expression.type, expression.arguments);
      case 'index':
        return this.#indexValue(expression.of, expression.index);
      case 'member': {
        const parts = this.values(expression.of);
        if (expression.of.type.kind !== 'struct') throw new Error('member of no struct');
        const { members } = expression.of.type;
        const start = members.slice(0, expression.member).reduce((sum, member) => sum + countOf(member.type), 0);
        return parts.slice(start, start + countOf(expression.type));
      }
      case 'swizzle': {
        const parts = this.values(expression.of);
        return expression.components.map((i) => parts[i]!);
      }
    }
  }

  #loadPlace(place: Place): Expr[] {
    // The counter of an unrolled loop is a value, not memory.
    if (place.kind === 'variable') {
      const meaning = this.#meanings.get(place.variable);
      if (meaning !== undefined && 'parts' in meaning) return [...meaning.parts];
    }
    return this.#load(this.#place(place));
  }

  #binary(operator: BinaryOperator, leftType: Type, left: Expr[], _: Type, right: Expr[], rightType: Type): Expr[] {
    if (operator === '*' && (leftType.kind === 'matrix' || rightType.kind === 'matrix')) {
      if (leftType.kind !== 'scalar' && rightType.kind !== 'scalar')
        return this.#product(leftType, left, rightType, right);
    }
    const count = Math.max(left.length, right.length);
    const a = left.length < count ? Array<Expr>(count).fill(this.pin(left[0]!)) : left;
    const b = right.length < count ? Array<Expr>(count).fill(this.pin(right[0]!)) : right;
    return a.map((x, i) => this.arithmetic(operator, x, b[i]!));
  }

  /** One operator on two scalars. */
  arithmetic(operator: BinaryOperator, a: Expr, b: Expr): Expr {
    if (operator in COMPARISONS) return operation(COMPARISONS[operator]!, 'bool', a, b);
    if (operator === '%' && a.type === 'f32') {
      const [x, y] = [this.pin(a), this.pin(b)];
      const whole = operation('trunc', 'f32', operation('div', 'f32', x, y));
      return operation('sub', 'f32', x, operation('mul', 'f32', y, whole));
    }
    return operation(OPERATORS[operator]!, a.type, a, b);
  }

  /** Matrix products, column by column, summed from the left. */
  #product(leftType: Type, given: Expr[], rightType: Type, other: Expr[]): Expr[] {
    const left = given.map((part) => this.pin(part));
    const right = other.map((part) => this.pin(part));
    const sum = (terms: readonly (readonly [Expr, Expr])[]) =>
      terms
        .map(([a, b]) => operation('mul', 'f32', a, b))
        .reduce((total, term) => operation('add', 'f32', total, term));
    if (leftType.kind === 'vector' && rightType.kind === 'matrix') {
      const { columns, rows } = rightType;
      return Array.from({ length: columns }, (_, c) => sum(left.map((x, r) => [x, right[c * rows + r]!] as const)));
    }
    if (leftType.kind !== 'matrix') throw new Error('no matrix in a product');
    const { rows, columns: inner } = leftType;
    const columns = rightType.kind === 'matrix' ? rightType.columns : 1;
    return Array.from({ length: columns * rows }, (_, i) => {
      const [c, r] = [Math.floor(i / rows), i % rows];
      return sum(Array.from({ length: inner }, (_, k) => [left[k * rows + r]!, right[c * inner + k]!] as const));
    });
  }

  #logical(operator: '&&' | '||', left: Expression, right: Expression): Expr {
    const first = this.value(left);
    if (first.kind === 'constant') {
      if (operator === '&&') return first.value ? this.value(right) : first;
      return first.value ? first : this.value(right);
    }
    const before = this.#out.length;
    if (isPure(right)) {
      const second = this.value(right);
      if (this.#out.length === before) return operation(operator === '&&' ? 'and' : 'or', 'bool', first, second);
    }
    const result = this.#local('', 'bool');
    this.#push({ kind: 'set', local: result, value: first });
    const further = operator === '&&' ? read(result) : operation('not', 'bool', read(result));
    this.when(further, () => this.#push({ kind: 'set', local: result, value: this.value(right) }));
    return read(result);
  }

  #call(declaration: FunctionDeclaration, given: readonly Expression[]): Expr[] {
    // Each is evaluated before the next, which may call a function; only then are the parameters bound.
    const taken = declaration.parameters.map((parameter, i): Meaning => {
      if (parameter.type.kind === 'pointer') return { ref: this.#pointer(given[i]!) };
      return { parts: this.values(given[i]!).map((part) => this.pin(part, parameter.name)) };
    });
    for (const [i, parameter] of declaration.parameters.entries()) this.#meanings.set(parameter, taken[i]!);
    const [outer, breakTo, continueTo] = [this.#function, this.#breakTo, this.#continueTo];
    this.#breakTo = [];
    this.#continueTo = [];
    const { statements } = declaration.body;
    const last = statements.at(-1);
    let results: Expr[];
    if (last?.kind === 'return' && !statements.slice(0, -1).some(mayReturn)) {
      // One return, at the end: nothing to leave.
      for (const statement of statements.slice(0, -1)) this.#statement(statement);
      results = last.value === undefined ? [] : this.values(last.value).map((part) => this.pin(part));
    } else {
      const locals = leavesOf(declaration.returns).map((leaf) => this.#local(declaration.name, leaf.type));
      const frame = this.#enter('block');
      const body = this.#collect(frame, () => {
        this.#function = { results: locals, frame };
        this.#block(declaration.body);
      });
      this.#push({ kind: 'block', frame, body });
      results = locals.map(read);
    }
    this.#function = outer;
    this.#breakTo = breakTo;
    this.#continueTo = continueTo;
    return results;
  }

  #construct(type: Type, given: readonly Expression[]): Expr[] {
    if (given.length === 0) return zeros(type);
    const parts = this.operands(given).flat();
    const count = countOf(type);
    if (type.kind === 'scalar' || type.kind === 'vector' || type.kind === 'matrix') {
      const to = scalarOf(type);
      const converted = parts.map((part) => convert(part, to));
      if (converted.length === count) return converted;
      const [only] = converted.map((part) => this.pin(part));
      return Array<Expr>(count).fill(only!);
    }
    return parts;
  }

  #indexValue(of: Expression, at: Expression): Expr[] {
    const [parts, [given]] = this.operands([of, at]) as [Expr[], Expr[]];
    const index = operation('bits', 'u32', given!);
    const { type, count } = elementOf(of.type);
    const words = countOf(type);
    if (index.kind === 'constant') {
      const start = Math.min(index.value, count! - 1) * words;
      return parts.slice(start, start + words);
    }
    if (of.type.kind === 'array' && count! > 4) {
      const memory: Memory = {
        kind: 'private',
        name: '',
        words: countOf(of.type),
        id: this.#privates++,
        frame: this.#frame,
      };
      const ref: Ref = { kind: 'memory', type: of.type, memory, layout: 'flat', index: u32(0) };
      this.#store(ref, parts);
      return this.#load(this.#element(ref, index));
    }
    const chosen = this.pin(index);
    const pinned = parts.map((part) => this.pin(part));
    return Array.from({ length: words }, (_, w) =>
      Array.from({ length: count! - 1 }, (_, i) => i + 1).reduce<Expr>((value, i) => {
        const here = operation(i === count! - 1 ? 'ge' : 'eq', 'bool', chosen, u32(i));
        return operation('select', value.type, here, pinned[i * words + w]!, value);
      }, pinned[w]!),
    );
  }

  // ---- small parts ----

  #local(name: string, type: Scalar, more: Partial<Local> = {}): Local {
    return { id: this.#locals++, name, type, frame: this.#frame, constant: false, ...more };
  }

  #enter(kind: Frame['kind']): Frame {
    return { kind, parent: this.#frame, depth: this.#frame.depth + 1 };
  }

  /** The statements that `body` pushes, inside `frame`. */
  #collect(frame: Frame, body: () => void): Stmt[] {
    const [out, outer] = [this.#out, this.#frame];
    this.#out = [];
    this.#frame = frame;
    body();
    const collected = this.#out;
    this.#out = out;
    this.#frame = outer;
    return collected;
  }

  #push(stmt: Stmt): void {
    this.#statements++;
    if (this.#line !== undefined) this.#lines.set(stmt, this.#line);
    this.#out.push(stmt);
  }
}

function moved(ref: LocalsRef, type: Type, by: number): LocalsRef {
  return {
    ...ref,
    type,
    alternatives: ref.alternatives.map(({ condition, start }) => ({ condition, start: start + by })),
  };
}
