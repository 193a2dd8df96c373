/** The syntax tree: the result of `parse`, before names and types are resolved. */
import type { BinaryOperator, Position, Severity, UnaryOperator, Warning } from './tree.js';

interface Node<Kind extends string> {
  readonly kind: Kind;
  readonly at: Position;
}

/** `vec3<f32>`, `count`: a name of anything, types among them. */
export type NameSyntax = Node<'name'> & { readonly name: string; readonly template?: readonly ExpressionSyntax[] };

/** An expression as written: `a + f(b)[2]`. */
export type ExpressionSyntax =
  | (Node<'number'> & { readonly text: string })
  | (Node<'boolean'> & { readonly value: boolean })
  | NameSyntax
  | (Node<'call'> & {
      readonly callee: NameSyntax;
      readonly arguments: readonly ExpressionSyntax[];
      /** what `diagnostic` says of `subgroup_uniformity` here; error where absent */
      readonly severity?: Severity;
    })
  | (Node<'unary'> & { readonly operator: UnaryOperator | '*' | '&'; readonly operand: ExpressionSyntax })
  | (Node<'binary'> & {
      readonly operator: BinaryOperator | '&&' | '||';
      readonly left: ExpressionSyntax;
      readonly right: ExpressionSyntax;
    })
  | (Node<'index'> & { readonly of: ExpressionSyntax; readonly index: ExpressionSyntax })
  | (Node<'member'> & { readonly of: ExpressionSyntax; readonly name: string });

/** `@workgroup_size(64, 1)` */
export interface AttributeSyntax {
  readonly name: string;
  readonly arguments: readonly ExpressionSyntax[];
  readonly at: Position;
  /** of `@diagnostic` */
  readonly control?: DiagnosticSyntax;
}

/** `off, subgroup_uniformity` of a `diagnostic`. */
export interface DiagnosticSyntax {
  readonly severity: Severity;
  readonly rule: string;
  readonly at: Position;
}

/** A `var`, `let`, `const` or `override`, in a function or in the module. */
export type VariableSyntax = Node<'var' | 'let' | 'const' | 'override'> & {
  readonly name: string;
  readonly attributes: readonly AttributeSyntax[];
  /** of `var<storage, read>` */
  readonly template?: readonly ExpressionSyntax[];
  readonly type?: NameSyntax;
  readonly value?: ExpressionSyntax;
};

/** `const_assert condition;` */
export type AssertSyntax = Node<'const_assert'> & { readonly condition: ExpressionSyntax };

/** Statements between braces. */
export interface BlockSyntax {
  readonly statements: readonly StatementSyntax[];
  readonly at: Position;
}

/** `case 1, 2, default: { … }` */
export interface CaseSyntax {
  /** undefined means `default` */
  readonly values: readonly (ExpressionSyntax | undefined)[];
  readonly body: BlockSyntax;
  readonly at: Position;
}

/** A statement as written, of a function. */
export type StatementSyntax =
  | VariableSyntax
  | AssertSyntax
  | (Node<'block'> & { readonly body: BlockSyntax })
  /** without `place`: `_ = value` */
  | (Node<'assign'> & {
      readonly place?: ExpressionSyntax;
      readonly operator?: BinaryOperator;
      readonly value: ExpressionSyntax;
    })
  | (Node<'step'> & { readonly place: ExpressionSyntax; readonly operator: '+' | '-' })
  | (Node<'call'> & { readonly call: ExpressionSyntax & { kind: 'call' } })
  | (Node<'if'> & {
      readonly condition: ExpressionSyntax;
      readonly then: BlockSyntax;
      readonly else?: BlockSyntax;
    })
  | (Node<'switch'> & { readonly selector: ExpressionSyntax; readonly cases: readonly CaseSyntax[] })
  | (Node<'loop'> & {
      readonly body: BlockSyntax;
      readonly continuing?: BlockSyntax;
      readonly breakIf?: ExpressionSyntax;
    })
  | (Node<'for'> & {
      readonly initial?: StatementSyntax;
      readonly condition?: ExpressionSyntax;
      readonly update?: StatementSyntax;
      readonly body: BlockSyntax;
    })
  | (Node<'while'> & { readonly condition: ExpressionSyntax; readonly body: BlockSyntax })
  | Node<'break'>
  | Node<'continue'>
  | Node<'discard'>
  | (Node<'return'> & { readonly value?: ExpressionSyntax });

/** A member of a struct or a parameter of a function: `@builtin(position) at: vec4f`. */
export interface MemberSyntax {
  readonly name: string;
  readonly attributes: readonly AttributeSyntax[];
  readonly type: NameSyntax;
  readonly at: Position;
}

/** A declaration of the module, as written. */
export type DeclarationSyntax =
  | VariableSyntax
  | AssertSyntax
  | (Node<'alias'> & { readonly name: string; readonly type: NameSyntax })
  | (Node<'struct'> & { readonly name: string; readonly members: readonly MemberSyntax[] })
  | FunctionSyntax;

/** `fn name(parameters) -> type { … }` */
export type FunctionSyntax = Node<'function'> & {
  readonly name: string;
  readonly attributes: readonly AttributeSyntax[];
  readonly parameters: readonly MemberSyntax[];
  readonly returns?: NameSyntax;
  readonly returnAttributes: readonly AttributeSyntax[];
  readonly body: BlockSyntax;
};

/** A whole module, as written. */
export interface ModuleSyntax {
  readonly enables: readonly string[];
  readonly declarations: readonly DeclarationSyntax[];
  readonly warnings: readonly Warning[];
}
