/** Results of analysing an expression: a constant, a run-time value, or memory. */
import { type Constant, ConstantError, type ConstantValue, convert, zeroValue } from './constants.js';
import type { Known, Scope } from './scope.js';
import type { AddressSpace, Expression, Place, Position, Type, Variable } from './tree.js';
import { checkCount } from './typeNames.js';
import { type AnyType, concrete, convertsTo, isConstructible, isOverrideSized, sameType, typeName } from './types.js';

/** A constant, with its position in the text. */
export interface ConstantOperand extends Constant {
  readonly kind: 'constant';
  readonly at: Position;
  readonly known: Known;
}

/** A value known at run time, as an expression of the typed tree. */
export interface ValueOperand {
  readonly kind: 'value';
  readonly at: Position;
  readonly type: Type;
  readonly expression: Expression;
  /** for a pointer: the variable that it points into */
  readonly root?: Variable | undefined;
}

/** Memory: a reference, in WGSL's words. */
export interface PlaceOperand {
  readonly kind: 'place';
  readonly at: Position;
  /** type of its content */
  readonly type: Type;
  readonly place: Place;
  readonly space: AddressSpace;
  readonly access: 'read' | 'write' | 'read_write';
  readonly root: Variable | undefined;
  /** part of a vector, whose address cannot be taken */
  readonly isComponent: boolean;
}

/** The result of analysing an expression. */
export type Operand = ConstantOperand | ValueOperand | PlaceOperand;

/** An operand from an expression of the typed tree. */
export const value = (expression: Expression, root?: Variable): ValueOperand => ({
  kind: 'value',
  at: expression.at,
  type: expression.type,
  expression,
  root,
});

/** A constant from constants. A failing computation is an error at its position, unless the value is not needed. */
export function fold(
  scope: Scope,
  at: Position,
  from: readonly ConstantOperand[],
  type: AnyType,
  compute: () => Constant,
): ConstantOperand {
  const known = latest(from);
  const fallback = (): Constant => ({ type, value: zeroValue(type) });
  return { kind: 'constant', at, known, ...checked(scope, at, known, compute, fallback) };
}

/** When all of them are known. */
function latest(constants: readonly ConstantOperand[]): Known {
  const has = (known: Known) => constants.some((constant) => constant.known === known);
  return has('later') ? 'later' : has('pipeline') ? 'pipeline' : 'module';
}

/**
 * The result of `compute`; if it breaks a rule about constants, an error at `at`, or the fallback if the value is not
 * needed.
 */
export function checked<T>(scope: Scope, at: Position, known: Known, compute: () => T, fallback: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof ConstantError)) throw error;
    if (scope.analysis.skipped > 0 || known === 'later') return fallback();
    return scope.fail(error.message, at);
  }
}

/** The value in a place. */
export function loaded(operand: Operand, scope: Scope): ConstantOperand | ValueOperand {
  if (operand.kind !== 'place') return operand;
  const { place, type, at, access, root } = operand;
  if (!isConstructible(type) || isOverrideSized(type)) {
    scope.fail(
      `a value of type '${typeName(type)}' cannot be loaded; read its elements, or take its address with '&'`,
      at,
    );
  }
  checkCount(type, at, scope);
  if (access === 'write') scope.fail('cannot load from memory that is only written', at);
  if (root) scope.uses?.reads.add(root);
  return value({ kind: 'load', type, at, place });
}

/** The operand as a value of the type, after WGSL's automatic conversion; undefined if there is none. */
export function converted(operand: Operand, to: AnyType, scope: Scope): ConstantOperand | ValueOperand | undefined {
  if (!convertsTo(operand.type, to)) return undefined;
  const given = loaded(operand, scope);
  if (given.kind === 'value' || sameType(given.type, to)) return given;
  return fold(scope, given.at, [given], to, () => convert(given, to));
}

/** The operand with i32 or f32 in place of abstract numbers. */
export function concreteOperand(operand: Operand, scope: Scope): ConstantOperand | ValueOperand {
  return converted(operand, concrete(operand.type), scope)!;
}

/** The operand as an expression of the tree. */
export function expressionOf(operand: Operand, scope: Scope): Expression {
  const given = concreteOperand(operand, scope);
  return given.kind === 'value' ? given.expression : literal(given.value, given.type as Type, given.at);
}

/** Literals, composites of them as `construct`s. */
export function literal(given: ConstantValue, type: Type, at: Position): Expression {
  if (type.kind === 'scalar') return { kind: 'literal', type, at, value: given as number | boolean };
  if (isZero(given)) return { kind: 'construct', type, at, arguments: [] };
  const parts = given as readonly ConstantValue[];
  return { kind: 'construct', type, at, arguments: parts.map((part, i) => literal(part, partType(type, i), at)) };
}

function partType(type: Type, i: number): Type {
  if (type.kind === 'struct') return type.members[i]!.type;
  if (type.kind === 'matrix') return { kind: 'vector', size: type.rows, of: type.of };
  if (type.kind === 'array' || type.kind === 'vector') return type.of;
  throw new TypeError(`${type.kind} has no parts`);
}

/** Positive zeros and falses only. */
function isZero(given: ConstantValue): boolean {
  return Array.isArray(given) ? given.every(isZero) : given === false || Object.is(given, 0);
}
