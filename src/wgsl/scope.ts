/** Names and their meanings, during the analysis of a module. */
import type { Constant } from './constants.js';
import { WgslError } from './errors.js';
import type { FunctionDeclaration, Position, Type, Variable } from './tree.js';

/** The meaning of a name that the module declares. */
export type Entity =
  | { readonly kind: 'type'; readonly type: Type }
  | {
      readonly kind: 'constant';
      readonly constant: Constant;
      readonly known: Known;
    }
  /** `root`: for a pointer, the memory that it points into */
  | { readonly kind: 'variable'; readonly variable: Variable; readonly root?: Variable | undefined }
  | { readonly kind: 'function'; readonly function: AnalysedFunction };

/** The memory that a function uses, itself or through its calls. */
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
 * The time at which a constant's value is known: with the module; with the pipeline, which gives values to `override`s;
 * or later. A value that is known later is a placeholder, and errors that depend on it are not reported yet.
 */
export type Known = 'module' | 'pipeline' | 'later';

/** State shared by all scopes of one module. */
export interface Analysis {
  readonly text: string;
  readonly enables: readonly string[];
  nextId: number;
  /** above 0 in an operand that short-circuit skips: its types are checked, but its value is not computed */
  skipped: number;
  /** whether something is called that invocations do together: a barrier, a subgroup operation */
  isCooperative: boolean;
}

/** Names are looked up from the innermost scope outwards; a module's own names are analysed when first needed. */
export class Scope {
  private readonly names = new Map<string, Entity | (() => Entity)>();

  private constructor(
    readonly analysis: Analysis,
    private readonly outer: Scope | undefined,
    /** of the surrounding function, undefined outside functions */
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

  /** @throws WgslError when this scope already has the name */
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
