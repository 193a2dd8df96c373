/** Names and what they stand for, while a module is analysed. */
import type { Constant } from './constants.js';
import { WgslError } from './errors.js';
import type { FunctionDeclaration, Position, Type, Variable } from './tree.js';

/** What a name that the module declares stands for. */
export type Entity =
  | { readonly kind: 'type'; readonly type: Type }
  | {
      readonly kind: 'constant';
      readonly constant: Constant;
      readonly known: Known;
    }
  /** `root`: of a pointer, the memory that it points into */
  | { readonly kind: 'variable'; readonly variable: Variable; readonly root?: Variable | undefined }
  | { readonly kind: 'function'; readonly function: AnalysedFunction };

/** What a function touches, itself or through what it calls. */
export interface Uses {
  readonly globals: Set<Variable>;
  /** module-scope variables and pointer parameters whose memory is read */
  readonly reads: Set<Variable>;
  readonly writes: Set<Variable>;
}

/** A function of the module, with its uses of variables. */
export interface AnalysedFunction {
  readonly declaration: FunctionDeclaration;
  readonly isEntryPoint: boolean;
  readonly mustUse: boolean;
  readonly uses: Uses;
}

/**
 * When the value of a constant is known: with the module; with the pipeline, which gives values to `override`s; or later than
 * now. One that is known later is a stand-in, and what its value makes impossible is no error yet.
 */
export type Known = 'module' | 'pipeline' | 'later';

/** What all scopes of one module share. */
export interface Analysis {
  readonly text: string;
  readonly enables: readonly string[];
  /** arrays whose length depends on an override */
  readonly overrideSized: WeakSet<Type>;
  nextId: number;
  /** above 0 in an operand that short-circuit skips: it has types, and its value is not computed */
  skipped: number;
  /** whether something is called that invocations do together: a barrier, a subgroup operation */
  isCooperative: boolean;
}

/** Looked up from the inside to the outside; a module's own names are analysed when they are first needed. */
export class Scope {
  private readonly names = new Map<string, Entity | (() => Entity)>();

  private constructor(
    readonly analysis: Analysis,
    private readonly outer: Scope | undefined,
    /** of the function around, undefined outside of functions */
    readonly uses: Uses | undefined,
  ) {}

  static ofModule(analysis: Analysis): Scope {
    return new Scope(analysis, undefined, undefined);
  }

  ofFunction(uses: Uses): Scope {
    return new Scope(this.analysis, this, uses);
  }

  inner(): Scope {
    return new Scope(this.analysis, this, this.uses);
  }

  /** @throws WgslError where this scope has the name already */
  declare(name: string, at: Position, entity: Entity | (() => Entity)) {
    if (this.names.has(name)) this.fail(`redeclaration of '${name}'`, at);
    this.names.set(name, entity);
  }

  find(name: string): Entity | undefined {
    const found = this.names.get(name);
    if (found === undefined) return this.outer?.find(name);
    return typeof found === 'function' ? found() : found;
  }

  fail(rule: string, at: Position): never {
    throw new WgslError(rule, at, this.analysis.text);
  }

  newId(): number {
    return this.analysis.nextId++;
  }
}
