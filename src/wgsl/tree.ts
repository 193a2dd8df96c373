/**
 * The typed tree of a WGSL compute module: the output of `analyse`, and the input of the interpreter and the compiler.
 *
 * The tree is smaller than the language. Constants, `override`s and abstract numbers are folded into literals, implicit
 * conversions are explicit, reading a reference is a `load`, `for` and `while` are `loop`s, `x += y` and `x++` are
 * assignments with an operator. Every node has its position in the text.
 *
 * @see https://www.w3.org/TR/WGSL/
 */

/** A position in the text, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

// ---- types ----

/** The scalars that exist at run time: 4 bytes each, `bool` only in memory that the host does not share. */
export type ScalarName = 'bool' | 'i32' | 'u32' | 'f32';

/** `f32`, `i32`, `u32` or `bool`. */
export interface ScalarType {
  readonly kind: 'scalar';
  readonly name: ScalarName;
}

/** `vec3<f32>`: size 3 of f32. */
export interface VectorType {
  readonly kind: 'vector';
  readonly size: 2 | 3 | 4;
  readonly of: ScalarType;
}

/** `mat2x3f` has 2 columns of 3 rows. */
export interface MatrixType {
  readonly kind: 'matrix';
  readonly columns: 2 | 3 | 4;
  readonly rows: 2 | 3 | 4;
  readonly of: ScalarType;
}

/** `array<f32, 4>`, or `array<f32>` in a storage binding. */
export interface ArrayType {
  readonly kind: 'array';
  readonly of: Type;
  /** undefined for an array whose length is that of its binding */
  readonly count: number | undefined;
  /** if the length depends on an `override`: the override's name, or the place of the expression, which equals no other */
  readonly countName?: string;
}

/** A member of a struct, with its offset in memory. */
export interface StructMember {
  readonly name: string;
  readonly type: Type;
  /** bytes from the start of the struct, `@align` and `@size` taken into account */
  readonly offset: number;
  /** on a parameter struct of an entry point */
  readonly builtin?: BuiltinValue;
}

/** A struct, laid out in memory. */
export interface StructType {
  readonly kind: 'struct';
  readonly name: string;
  readonly members: readonly StructMember[];
  /** bytes; a struct that ends in a runtime array counts one element of it */
  readonly size: number;
  readonly align: number;
}

/** `ptr<space, of, access>` */
export interface PointerType {
  readonly kind: 'pointer';
  readonly space: AddressSpace;
  readonly of: Type;
  readonly access: 'read' | 'write' | 'read_write';
}

/** The return type of a function without a result. */
export interface VoidType {
  readonly kind: 'void';
}

/** A concrete type: the type of a value at run time. */
export type Type = ScalarType | VectorType | MatrixType | ArrayType | StructType | PointerType | VoidType;

/** The kind of a variable's memory. */
export type AddressSpace = 'function' | 'private' | 'workgroup' | 'uniform' | 'storage';

/** The builtin inputs of an entry point. Scalars are u32, the others vec3u. */
export type BuiltinValue =
  | 'local_invocation_id'
  | 'local_invocation_index'
  | 'global_invocation_id'
  | 'global_invocation_index'
  | 'workgroup_id'
  | 'workgroup_index'
  | 'num_workgroups'
  | 'subgroup_invocation_id'
  | 'subgroup_size'
  | 'subgroup_id'
  | 'num_subgroups';

// ---- variables and functions ----

/**
 * A name that holds a value at run time. A `let` and a parameter hold a value and never change (a pointer is such a value);
 * a `var` is memory, which a `Place` names.
 */
export interface Variable {
  /** unique in the module, counted from 0 */
  readonly id: number;
  readonly kind: 'let' | 'var' | 'parameter';
  readonly name: string;
  readonly type: Type;
  readonly at: Position;
  /** of a `var`; `function` for `let` and parameters */
  readonly space: AddressSpace;
  /** of a storage or uniform variable */
  readonly binding?: { readonly group: number; readonly binding: number };
  /** of a storage variable */
  readonly access?: 'read' | 'write' | 'read_write';
  /** of a parameter of an entry point; a struct of them has it on its members */
  readonly builtin?: BuiltinValue;
  /** of a `private` variable: its initial value in each invocation; default zero */
  readonly initial?: Expression;
}

/** A function of the module. */
export interface FunctionDeclaration {
  readonly name: string;
  readonly parameters: readonly Variable[];
  readonly returns: Type;
  readonly body: Block;
  readonly at: Position;
}

/** A function with `@compute`. */
export interface EntryPoint {
  readonly function: FunctionDeclaration;
  readonly workgroupSize: readonly [number, number, number];
  /** module-scope variables that it uses, itself or through its calls, in the order of the text */
  readonly globals: readonly Variable[];
  /** overrides that it uses, also through types and other overrides: they must have values before it runs */
  readonly overrides: readonly OverrideDeclaration[];
}

/** `override name: type = value;`: a constant that the pipeline may set. */
export interface OverrideDeclaration {
  readonly name: string;
  readonly id: number | undefined;
  readonly type: ScalarType;
  /** true if the pipeline must give a value */
  readonly required: boolean;
}

/** How a breach of a rule is reported that `diagnostic` controls: `off` is not at all. */
export type Severity = 'error' | 'warning' | 'info' | 'off';

/** Something that is no error. */
export interface Warning {
  readonly severity: 'warning' | 'info';
  readonly rule: string;
  readonly at: Position;
}

/** A module: names resolved, types known, constants and overrides folded. */
export interface Module {
  readonly text: string;
  readonly entryPoints: readonly EntryPoint[];
  /** every function, callees before callers */
  readonly functions: readonly FunctionDeclaration[];
  /** every module-scope `var`, in the order of the text */
  readonly globals: readonly Variable[];
  readonly overrides: readonly OverrideDeclaration[];
  /** `subgroups`, … as `enable` named them */
  readonly enables: readonly string[];
  readonly warnings: readonly Warning[];
  /** whether it was checked that all invocations reach its barriers; the compiler takes no other module */
  readonly isUniform: boolean;
}

// ---- places: memory that can be loaded from and stored to ----

interface PlaceOf<Kind extends string> {
  readonly kind: Kind;
  /** type of its content */
  readonly type: Type;
  readonly at: Position;
}

/** Memory that an expression names: a variable, or a part of one. */
export type Place =
  | (PlaceOf<'variable'> & { readonly variable: Variable })
  /** `*p`; `pointer` has a pointer type */
  | (PlaceOf<'deref'> & { readonly pointer: Expression })
  /** an element of an array, a component of a vector or a column of a matrix; `index` is i32 or u32 */
  | (PlaceOf<'element'> & { readonly of: Place; readonly index: Expression })
  /** a member of a struct, by its index */
  | (PlaceOf<'member'> & { readonly of: Place; readonly member: number });

// ---- expressions ----

/** Operators of one operand: negation, logical not, bitwise not. */
export type UnaryOperator = '-' | '!' | '~';
/** Operators that evaluate both operands. `&&` and `||` do not, and are expressions of their own. */
export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>=';

interface ExpressionOf<Kind extends string> {
  readonly kind: Kind;
  readonly type: Type;
  readonly at: Position;
}

/** An expression with a value. */
export type Expression =
  /**
   * a scalar; composites of constants are `construct`s of literals. f32 values are floats, i32 and u32 in their own
   * range
   */
  | (ExpressionOf<'literal'> & { readonly value: number | boolean })
  /** the present value of a place */
  | (ExpressionOf<'load'> & { readonly place: Place })
  /** a `let` or a parameter */
  | (ExpressionOf<'value'> & { readonly variable: Variable })
  /** `&place`: the indices in it are evaluated here, once */
  | (ExpressionOf<'pointer'> & { readonly place: Place })
  | (ExpressionOf<'unary'> & { readonly operator: UnaryOperator; readonly operand: Expression })
  /**
   * Both sides have the same type, except: a scalar with a vector or matrix (`2.0 * v`), matrix products (matrix ×
   * vector, vector × matrix, matrix × matrix), and shifts, whose right side is u32. `&` and `|` work on bools too,
   * without short-circuit.
   */
  | (ExpressionOf<'binary'> & {
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    })
  /** with short-circuit */
  | (ExpressionOf<'logical'> & {
      readonly operator: '&&' | '||';
      readonly left: Expression;
      readonly right: Expression;
    })
  | (ExpressionOf<'call'> & { readonly function: FunctionDeclaration; readonly arguments: readonly Expression[] })
  /**
   * A function of the language: `exp`, `select`, `bitcast`, `arrayLength` (its argument is a pointer), `workgroupBarrier`,
   * `subgroupAdd`, … Componentwise ones take vectors unchanged.
   */
  | (ExpressionOf<'builtin'> & {
      readonly name: string;
      readonly arguments: readonly Expression[];
      /** of a subgroup operation that not all of the subgroup may reach; error where absent */
      readonly severity?: Severity;
    })
  /**
   * A value from parts: no arguments is zero; one scalar for a scalar type converts it, for a vector repeats it; one vector of
   * the same size converts its components; else vectors and scalars fill the components of a vector in order, columns or
   * scalars fill a matrix, elements an array, members a struct.
   */
  | (ExpressionOf<'construct'> & { readonly arguments: readonly Expression[] })
  /** an element of an array value, vector value or matrix value (its column) */
  | (ExpressionOf<'index'> & { readonly of: Expression; readonly index: Expression })
  | (ExpressionOf<'member'> & { readonly of: Expression; readonly member: number })
  /** components of a vector value; one of them is a scalar */
  | (ExpressionOf<'swizzle'> & { readonly of: Expression; readonly components: readonly number[] });

// ---- statements ----

interface StatementOf<Kind extends string> {
  readonly kind: Kind;
  readonly at: Position;
}

/** Statements in order, with a scope of their own. */
export interface Block {
  readonly statements: readonly Statement[];
  readonly at: Position;
}

/** One clause of a `switch`. */
export interface SwitchCase {
  /** i32 or u32, as the selector */
  readonly values: readonly number[];
  readonly isDefault: boolean;
  readonly body: Block;
}

/** A statement of a function. */
export type Statement =
  /** a `let`, or a function-scope `var` (zero without `value`) */
  | (StatementOf<'declare'> & { readonly variable: Variable; readonly value?: Expression })
  /** `operator` is that of `x += y`; the place is evaluated once, before the value */
  | (StatementOf<'assign'> & {
      readonly place: Place;
      readonly operator?: BinaryOperator;
      readonly value: Expression;
    })
  /** a call whose value is not used, or `_ = e` */
  | (StatementOf<'evaluate'> & { readonly expression: Expression })
  | (StatementOf<'if'> & { readonly condition: Expression; readonly then: Block; readonly else?: Block })
  | (StatementOf<'switch'> & { readonly selector: Expression; readonly cases: readonly SwitchCase[] })
  /**
   * An iteration: leave if `condition` is false; the body; then `continuing`, the target of `continue`, which sees the
   * body's variables; leave if `breakIf` is true. The start of a `for` is in a `block` around its loop.
   */
  | (StatementOf<'loop'> & {
      readonly condition?: Expression;
      /** the statement that was written, which matters to the uniformity analysis */
      readonly written: 'loop' | 'for' | 'while';
      readonly body: Block;
      readonly continuing?: Block;
      readonly breakIf?: Expression;
    })
  /** leaves the innermost loop or switch */
  | StatementOf<'break'>
  | StatementOf<'continue'>
  | (StatementOf<'return'> & { readonly value?: Expression })
  | (StatementOf<'block'> & { readonly body: Block });
