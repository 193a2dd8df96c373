/**
 * Typed tree → JavaScript closures that run it on a `Lane`.
 *
 * A part of the tree that can stop (at a barrier, a subgroup operation, or at every statement of a stepped run)
 * becomes a generator; the rest becomes a plain function, which runs several times as fast. `combine` hides the
 * difference.
 */
import { WgslError } from './errors.js';
import { binaryOn, builtinOn, constructOf, unaryOn } from './evaluate.js';
import type { Lane, Observer, Stop, Use } from './lane.js';
import {
  arrayLength,
  countOf,
  loadOf,
  type Memory,
  partsOf,
  type Reference,
  storeOf,
  strideWords,
  usedWords,
  type Value,
  wordsOf,
  zeroOf,
} from './memory.js';
import { isSubgroupOperation } from './subgroups.js';
import type {
  AddressSpace,
  Block,
  Expression,
  FunctionDeclaration,
  Place,
  Position,
  Statement,
  Type,
  Variable,
} from './tree.js';

/** Something to do or to evaluate. */
export type Code<T> =
  /** `constant` is the value if it is the same for every lane */
  | { readonly stops: false; readonly run: (lane: Lane) => T; readonly constant?: T }
  | { readonly stops: true; readonly run: (lane: Lane) => Generator<Stop, T, Value> };

/** The way in which a statement ended. */
enum Completion {
  Normal,
  Break,
  Continue,
  Return,
}

/** A place: a memory, and a word of it. */
interface PlaceCode {
  /** can be evaluated at any time, without side effects */
  readonly memory: (lane: Lane) => Memory;
  readonly word: Code<number>;
  readonly space: AddressSpace;
  /** name in the program, without indices */
  readonly name: string;
}

/** The environment of closures: memories, an observer, and the limits of a run. */
export interface ClosureOptions {
  /** uniform, storage and workgroup variables by id */
  readonly memories: ReadonlyMap<number, Memory>;
  readonly observer?: Observer | undefined;
  /** stop before every statement */
  readonly stepping: boolean;
  /** iterations that an invocation may take */
  readonly iterationLimit: number;
  /** the module's text, for errors */
  readonly text: string;
}

const constant = <T>(value: T): Code<T> => ({ stops: false, run: () => value, constant: value });
const isConstant = <T>(code: Code<T>): code is Code<T> & { readonly constant: T } => 'constant' in code;

/** Evaluate parts in order, then combine their values. */
function combine<T>(parts: readonly [], f: (lane: Lane) => T): Code<T>;
function combine<A, T>(parts: readonly [Code<A>], f: (lane: Lane, a: A) => T): Code<T>;
function combine<A, B, T>(parts: readonly [Code<A>, Code<B>], f: (lane: Lane, a: A, b: B) => T): Code<T>;
function combine<A, T>(parts: readonly Code<A>[], f: (lane: Lane, ...values: A[]) => T): Code<T>;
function combine<T>(parts: readonly Code<Value>[], f: (lane: Lane, ...values: Value[]) => T): Code<T> {
  if (parts.every((part) => !part.stops)) {
    const [a, b, c] = parts.map(({ run }) => run);
    if (!a) return { stops: false, run: f };
    if (!b) return { stops: false, run: (lane) => f(lane, a(lane)) };
    if (!c) return { stops: false, run: (lane) => f(lane, a(lane), b(lane)) };
    if (parts.length === 3) return { stops: false, run: (lane) => f(lane, a(lane), b(lane), c(lane)) };
    return { stops: false, run: (lane) => f(lane, ...parts.map((part) => part.run(lane) as Value)) };
  }
  return {
    stops: true,
    *run(lane) {
      const values: Value[] = [];
      for (const part of parts) values.push(part.stops ? yield* part.run(lane) : part.run(lane));
      return f(lane, ...values);
    },
  };
}

/** Run either kind of code from a generator. */
function* go<T>(code: Code<T>, lane: Lane): Generator<Stop, T, Value> {
  return code.stops ? yield* code.run(lane) : code.run(lane);
}

/** A compiled function. */
export interface FunctionCode {
  readonly declaration: FunctionDeclaration;
  readonly body: Code<Completion>;
}

/** Compiles functions of a typed tree to closures, each function once. */
export class Closures {
  readonly #functions = new Map<FunctionDeclaration, FunctionCode>();
  /** first word of a private or function variable in an invocation's memory, by id */
  readonly #own = new Map<number, number>();
  #ownWords = 0;
  /** numbers calls, loops and stopping operations in order of evaluation, for `Lane.path` */
  #ordinal = 0;

  constructor(readonly options: ClosureOptions) {}

  /** Words that an invocation needs for its private and function variables; known after everything is compiled. */
  get ownWords(): number {
    return this.#ownWords;
  }

  /** The first word of a private or function variable in an invocation's memory. */
  ownWord(variable: Variable): number {
    let word = this.#own.get(variable.id);
    if (word === undefined) {
      word = this.#ownWords;
      this.#own.set(variable.id, word);
      this.#ownWords += wordsOf(variable.type);
    }
    return word;
  }

  function(declaration: FunctionDeclaration): FunctionCode {
    let code = this.#functions.get(declaration);
    if (!code) {
      code = { declaration, body: this.#block(declaration.body) };
      this.#functions.set(declaration, code);
    }
    return code;
  }

  /** Sets a private variable to its initial value. */
  initialise(variable: Variable): (lane: Lane) => void {
    const word = this.ownWord(variable);
    const store = storeOf(variable.type);
    const value = variable.initial ? this.#expression(variable.initial) : constant(zeroOf(variable.type));
    return (lane) => store(lane.memory, word, value.run(lane) as Value);
  }

  // ---- statements ----

  #block(block: Block): Code<Completion> {
    const codes = block.statements.map((statement) => this.#stepped(statement));
    if (codes.length === 1) return codes[0]!;
    if (codes.every((code) => !code.stops)) {
      const runs = codes.map(({ run }) => run as (lane: Lane) => Completion);
      return {
        stops: false,
        run: (lane) => {
          for (let i = 0; i < runs.length; i++) {
            const completion = runs[i]!(lane);
            if (completion !== Completion.Normal) return completion;
          }
          return Completion.Normal;
        },
      };
    }
    return {
      stops: true,
      *run(lane) {
        for (const code of codes) {
          const completion = yield* go(code, lane);
          if (completion !== Completion.Normal) return completion;
        }
        return Completion.Normal;
      },
    };
  }

  /** A statement, with a stop before it in a stepped run. */
  #stepped(statement: Statement): Code<Completion> {
    const code = this.#statement(statement);
    if (!this.options.stepping || statement.kind === 'block') return code;
    const stop: Stop = { kind: 'statement', statement };
    return {
      stops: true,
      *run(lane) {
        lane.frames.at(-1)!.statement = statement;
        yield stop;
        return yield* go(code, lane);
      },
    };
  }

  #statement(statement: Statement): Code<Completion> {
    switch (statement.kind) {
      case 'declare':
        return this.#declare(statement.variable, statement.value);
      case 'assign':
        return statement.operator === undefined ? this.#assign(statement) : this.#update(statement);
      case 'evaluate':
        return combine([this.#expression(statement.expression)], () => Completion.Normal);
      case 'if':
        return this.#if(statement);
      case 'switch':
        return this.#switch(statement);
      case 'loop':
        return this.#loop(statement);
      case 'break':
        return constant(Completion.Break);
      case 'continue':
        return constant(Completion.Continue);
      case 'return':
        if (!statement.value) return constant(Completion.Return);
        return combine([this.#expression(statement.value)], (lane, value) => {
          lane.returned = value;
          return Completion.Return;
        });
      case 'block':
        return this.#block(statement.body);
    }
  }

  #declare(variable: Variable, value: Expression | undefined): Code<Completion> {
    if (variable.kind === 'let') {
      return combine([this.#expression(value!)], (lane, x) => {
        lane.values[variable.id] = x;
        return Completion.Normal;
      });
    }
    const word = this.ownWord(variable);
    if (!value) {
      const end = word + wordsOf(variable.type);
      return combine([], (lane) => {
        lane.memory.u32.fill(0, word, end);
        return Completion.Normal;
      });
    }
    const store = storeOf(variable.type);
    return combine([this.#expression(value)], (lane, x) => {
      store(lane.memory, word, x);
      return Completion.Normal;
    });
  }

  #assign({ place, value, at }: Extract<Statement, { kind: 'assign' }>): Code<Completion> {
    const { memory, word, space } = this.#place(place, 'write');
    const write = this.#writer(place.type, space, at);
    return combine([word as Code<Value>, this.#expression(value)], (lane, w, x) => {
      write(lane, memory(lane), w as number, x);
      return Completion.Normal;
    });
  }

  /** `place op= value`: the place, its old value, the new value, in this order. */
  #update({ place, operator, value, at }: Extract<Statement, { kind: 'assign' }>): Code<Completion> {
    const { memory, word, space } = this.#place(place, 'write');
    const read = this.#reader(place.type, space, at);
    const write = this.#writer(place.type, space, at);
    const operation = binaryOn(operator!, place.type, value.type);
    const right = this.#expression(value);
    if (!word.stops && !right.stops) {
      const [wordRun, rightRun] = [word.run, right.run];
      return {
        stops: false,
        run: (lane) => {
          const w = wordRun(lane);
          const m = memory(lane);
          const before = read(lane, m, w);
          write(lane, m, w, operation(before, rightRun(lane)));
          return Completion.Normal;
        },
      };
    }
    return {
      stops: true,
      *run(lane) {
        const w = yield* go(word, lane);
        const m = memory(lane);
        const before = read(lane, m, w);
        write(lane, m, w, operation(before, yield* go(right, lane)));
        return Completion.Normal;
      },
    };
  }

  #if(statement: Extract<Statement, { kind: 'if' }>): Code<Completion> {
    const condition = this.#expression(statement.condition);
    const yes = this.#block(statement.then);
    const no = statement.else ? this.#block(statement.else) : constant(Completion.Normal);
    if (!condition.stops && !yes.stops && !no.stops) {
      const [test, then, otherwise] = [condition.run, yes.run, no.run];
      return { stops: false, run: (lane) => (test(lane) ? then(lane) : otherwise(lane)) };
    }
    return {
      stops: true,
      *run(lane) {
        return yield* go((yield* go(condition, lane)) ? yes : no, lane);
      },
    };
  }

  #switch(statement: Extract<Statement, { kind: 'switch' }>): Code<Completion> {
    const selector = this.#expression(statement.selector);
    const bodies = statement.cases.map(({ body }) => this.#block(body));
    const byValue = new Map(statement.cases.flatMap(({ values }, i) => values.map((value) => [value, bodies[i]!])));
    const fallback = bodies[statement.cases.findIndex(({ isDefault }) => isDefault)] ?? constant(Completion.Normal);
    const choose = (value: Value) => byValue.get(value as number) ?? fallback;
    const leave = (completion: Completion) => (completion === Completion.Break ? Completion.Normal : completion);
    if (!selector.stops && !fallback.stops && bodies.every((body) => !body.stops)) {
      const select = selector.run;
      return { stops: false, run: (lane) => leave(choose(select(lane)).run(lane) as Completion) };
    }
    return {
      stops: true,
      *run(lane) {
        return leave(yield* go(choose(yield* go(selector, lane)), lane));
      },
    };
  }

  #loop(statement: Extract<Statement, { kind: 'loop' }>): Code<Completion> {
    const ordinal = this.#ordinal++;
    const condition = statement.condition ? this.#expression(statement.condition) : constant(true);
    const body = this.#block(statement.body);
    const continuing = statement.continuing ? this.#block(statement.continuing) : constant(Completion.Normal);
    const breakIf = statement.breakIf ? this.#expression(statement.breakIf) : constant(false);
    const count = (lane: Lane) => {
      lane.iterations += 1;
      if (lane.iterations > this.options.iterationLimit) this.#endless(lane, statement.at);
    };
    if (!condition.stops && !body.stops && !continuing.stops && !breakIf.stops) {
      const [goOn, iterate, next, leave] = [condition.run, body.run, continuing.run, breakIf.run];
      return {
        stops: false,
        run: (lane) => {
          while (goOn(lane)) {
            count(lane);
            const completion = iterate(lane);
            if (completion === Completion.Break) break;
            if (completion === Completion.Return) return completion;
            next(lane);
            if (leave(lane)) break;
          }
          return Completion.Normal;
        },
      };
    }
    return {
      stops: true,
      *run(lane) {
        const depth = lane.path.push(ordinal, 0) - 1;
        const end = (completion: Completion) => {
          lane.path.length = depth - 1;
          return completion;
        };
        while (yield* go(condition, lane)) {
          count(lane);
          const completion = yield* go(body, lane);
          if (completion === Completion.Break) break;
          if (completion === Completion.Return) return end(completion);
          yield* go(continuing, lane);
          if (yield* go(breakIf, lane)) break;
          lane.path[depth]!++;
        }
        return end(Completion.Normal);
      },
    };
  }

  #endless(lane: Lane, at: Position): never {
    const { iterationLimit, observer, text } = this.options;
    observer?.endless(lane, iterationLimit, at);
    throw new WgslError(`the loop does not end: an invocation took ${iterationLimit} iterations`, at, text);
  }

  // ---- places ----

  #place(place: Place, use: Use): PlaceCode {
    switch (place.kind) {
      case 'variable': {
        const { variable } = place;
        const { space, name } = variable;
        if (space === 'function' || space === 'private') {
          return { memory: (lane) => lane.memory, word: constant(this.ownWord(variable)), space, name };
        }
        const memory = this.options.memories.get(variable.id);
        if (!memory) throw new TypeError(`no memory for ${name}`);
        return { memory: () => memory, word: constant(0), space, name };
      }
      case 'deref':
        return this.#deref(place.pointer, use);
      case 'member': {
        const of = this.#place(place.of, use);
        return { ...of, word: shift(of.word, partsOf(place.of.type)[place.member]!.word) };
      }
      case 'element':
        return this.#element(place, use);
    }
  }

  /** Pointers are `let`s, parameters and `&place`, so that evaluating one has no effect. */
  #deref(pointer: Expression, use: Use): PlaceCode {
    if (pointer.kind === 'pointer') return this.#place(pointer.place, use);
    if (pointer.kind !== 'value' || pointer.type.kind !== 'pointer') throw new TypeError('not a pointer');
    const { id, name } = pointer.variable;
    return {
      memory: (lane) => (lane.values[id] as Reference).memory,
      word: { stops: false, run: (lane) => (lane.values[id] as Reference).word },
      space: pointer.type.space,
      name: `*${name}`,
    };
  }

  #element(place: Extract<Place, { kind: 'element' }>, use: Use): PlaceCode {
    const of = this.#place(place.of, use);
    const { type } = place.of;
    const stride = strideWords(type);
    const index = this.#expression(place.index);
    const fixed = countOf(type);
    if (fixed !== undefined && isConstant(index) && (index.constant as number) >>> 0 < fixed) {
      return { ...of, word: shift(of.word, (index.constant as number) * stride) };
    }
    const clamp = this.#clamp(use, of.name, place.at);
    const { memory } = of;
    if (fixed !== undefined) {
      const word = combine([of.word as Code<Value>, index], (lane, base, i) => {
        return (base as number) + clamp(lane, i as number, fixed) * stride;
      });
      return { ...of, word };
    }
    const word = combine([of.word as Code<Value>, index], (lane, base, i) => {
      return (
        (base as number) +
        clamp(lane, i as number, arrayLength(type, { memory: memory(lane), word: base as number })) * stride
      );
    });
    return { ...of, word };
  }

  /** Indices out of bounds take the last element: min(u32(index), count - 1). */
  #clamp(use: Use, name: string, at: Position): (lane: Lane, index: number, count: number) => number {
    const { observer } = this.options;
    return (lane, index, count) => {
      if (index >>> 0 < count) return index;
      observer?.outOfBounds(lane, use, name, index, count, at);
      return count - 1;
    };
  }

  #isWatched(space: AddressSpace): boolean {
    return this.options.observer !== undefined && (space === 'workgroup' || space === 'storage');
  }

  #reader(type: Type, space: AddressSpace, at: Position): (lane: Lane, memory: Memory, word: number) => Value {
    const load = loadOf(type);
    if (!this.#isWatched(space)) return (_, memory, word) => load(memory, word);
    const observer = this.options.observer!;
    const words = usedWords(type);
    return (lane, memory, word) => {
      observer.read(lane, memory, word, words, at);
      return load(memory, word);
    };
  }

  #writer(type: Type, space: AddressSpace, at: Position) {
    const store = storeOf(type);
    if (!this.#isWatched(space)) {
      return (_: Lane, memory: Memory, word: number, value: Value) => store(memory, word, value);
    }
    const observer = this.options.observer!;
    const words = usedWords(type);
    return (lane: Lane, memory: Memory, word: number, value: Value) => {
      observer.write(lane, memory, word, words, value, at);
      store(memory, word, value);
    };
  }

  // ---- expressions ----

  #expression(e: Expression): Code<Value> {
    switch (e.kind) {
      case 'literal':
        return constant(e.value);
      case 'value': {
        const { id } = e.variable;
        return { stops: false, run: (lane) => lane.values[id]! };
      }
      case 'load':
        return this.#load(e.place, e.at);
      case 'pointer': {
        const { memory, word } = this.#place(e.place, 'pointer');
        return combine([word], (lane, w): Value => ({ memory: memory(lane), word: w }));
      }
      case 'unary': {
        const operation = unaryOn(e.operator, e.operand.type);
        return combine([this.#expression(e.operand)], (_, a) => operation(a));
      }
      case 'binary': {
        const operation = binaryOn(e.operator, e.left.type, e.right.type);
        return combine([this.#expression(e.left), this.#expression(e.right)], (_, a, b) => operation(a, b));
      }
      case 'logical':
        return this.#logical(e);
      case 'call':
        return this.#call(e);
      case 'builtin':
        return this.#builtin(e);
      case 'construct': {
        const build = constructOf(
          e.type,
          e.arguments.map(({ type }) => type),
        );
        const parts = e.arguments.map((argument) => this.#expression(argument));
        if (parts.every(isConstant)) return constant(build(parts.map((part) => part.constant)));
        return combine(parts, (_, ...values) => build(values));
      }
      case 'index': {
        const count = countOf(e.of.type)!;
        const clamp = this.#clamp('read', 'the value', e.at);
        return combine([this.#expression(e.of), this.#expression(e.index)], (lane, of, i) => {
          return (of as readonly Value[])[clamp(lane, i as number, count)]!;
        });
      }
      case 'member':
        return combine([this.#expression(e.of)], (_, of) => (of as readonly Value[])[e.member]!);
      case 'swizzle': {
        const { components } = e;
        const [only] = components;
        if (components.length === 1) return combine([this.#expression(e.of)], (_, of) => (of as Value[])[only!]!);
        return combine([this.#expression(e.of)], (_, of) => components.map((c) => (of as readonly Value[])[c]!));
      }
    }
  }

  #load(place: Place, at: Position): Code<Value> {
    const { memory, word, space } = this.#place(place, 'read');
    const read = this.#reader(place.type, space, at);
    return combine([word], (lane, w) => read(lane, memory(lane), w));
  }

  #logical(e: Extract<Expression, { kind: 'logical' }>): Code<Value> {
    const left = this.#expression(e.left);
    const right = this.#expression(e.right);
    const decided = e.operator === '||'; // the value of the left side that decides the result
    if (!left.stops && !right.stops) {
      const [first, second] = [left.run, right.run];
      return { stops: false, run: (lane) => (first(lane) === decided ? decided : second(lane)) };
    }
    return {
      stops: true,
      *run(lane) {
        return (yield* go(left, lane)) === decided ? decided : yield* go(right, lane);
      },
    };
  }

  #call(e: Extract<Expression, { kind: 'call' }>): Code<Value> {
    const parts = e.arguments.map((argument) => this.#expression(argument));
    const ordinal = this.#ordinal++;
    const { body } = this.function(e.function);
    const ids = e.function.parameters.map(({ id }) => id);
    const enter = (lane: Lane, values: readonly Value[]) => {
      for (let i = 0; i < ids.length; i++) lane.values[ids[i]!] = values[i]!;
    };
    if (!body.stops) {
      const { run } = body;
      return combine(parts, (lane, ...values) => {
        enter(lane, values);
        run(lane);
        return lane.returned;
      });
    }
    return {
      stops: true,
      *run(lane) {
        const values: Value[] = [];
        for (const part of parts) values.push(yield* go(part, lane));
        enter(lane, values);
        lane.path.push(ordinal);
        lane.frames.push({ function: e.function });
        yield* body.run(lane);
        lane.frames.pop();
        lane.path.pop();
        return lane.returned;
      },
    };
  }

  #builtin(e: Extract<Expression, { kind: 'builtin' }>): Code<Value> {
    const types = e.arguments.map(({ type }) => type);
    if (BARRIERS.has(e.name)) return this.#waits({ kind: 'barrier', name: e.name, at: e.at });
    if (e.name === 'workgroupUniformLoad') return this.#uniformLoad(e);
    const parts = e.arguments.map((argument) => this.#expression(argument));
    if (isSubgroupOperation(e.name)) {
      const { name, at } = e;
      const type = types[0] ?? e.type;
      const arguments_ = combine(parts, (_, ...values): Value => values);
      const ordinal = this.#ordinal++;
      return {
        stops: true,
        *run(lane) {
          const values = (yield* go(arguments_, lane)) as readonly Value[];
          return yield* wait(lane, ordinal, { kind: 'subgroup', name, type, values, at });
        },
      };
    }
    if (e.name === 'arrayLength') {
      const array = (types[0] as Extract<Type, { kind: 'pointer' }>).of;
      return combine(parts, (_, pointer) => arrayLength(array, pointer as Reference));
    }
    const apply = builtinOn(e.name, types, e.type);
    return combine(parts, (_, ...values) => apply(...values));
  }

  #waits(stop: Stop): Code<Value> {
    const ordinal = this.#ordinal++;
    return {
      stops: true,
      *run(lane) {
        return yield* wait(lane, ordinal, stop);
      },
    };
  }

  /** Its pointer, a barrier, a load, a barrier: the value is the same for all, since no write happens between. */
  #uniformLoad(e: Extract<Expression, { kind: 'builtin' }>): Code<Value> {
    const pointer = e.arguments[0]!;
    const stop: Stop = { kind: 'barrier', name: e.name, at: e.at };
    const { memory, word, space } = this.#place({ kind: 'deref', type: e.type, at: e.at, pointer }, 'read');
    const before = this.#waits(stop);
    const read = this.#reader(e.type, space, e.at);
    const after = this.#waits(stop);
    const load = combine([word, before], (lane, w) => read(lane, memory(lane), w));
    return combine([load, after], (_, value) => value);
  }
}

const BARRIERS = new Set(['workgroupBarrier', 'storageBarrier']);

/** Stop until the answer arrives. */
function* wait(lane: Lane, ordinal: number, stop: Stop): Generator<Stop, Value, Value> {
  lane.path.push(ordinal);
  const answer = yield stop;
  lane.path.pop();
  return answer;
}

/** The word at an offset in words. */
function shift(word: Code<number>, by: number): Code<number> {
  if (by === 0) return word;
  return isConstant(word) ? constant(word.constant + by) : combine([word], (_, w) => w + by);
}
