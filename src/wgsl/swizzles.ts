/**
 * Assignments to some components of a vector: `v.xy = e` and `v.zx *= e`.
 *
 * The tree has no such place. They are expanded: the vector's place is evaluated once, then the value, then each
 * component is stored.
 */
import { applyBinary, elementAt, expression, swizzleOf, throughPointer } from './expressions.js';
import { converted, expressionOf, type PlaceOperand, value } from './operands.js';
import type { Scope } from './scope.js';
import type { ExpressionSyntax } from './syntax.js';
import type { BinaryOperator, Expression, Place, Position, Statement, Variable, VectorType } from './tree.js';
import { sameType, typeName, U32 } from './types.js';

interface Swizzle {
  readonly kind: 'swizzle';
  readonly vector: PlaceOperand;
  readonly components: readonly number[];
}

/** The memory that `v.xy`, `v.xyz.zx` or `v.zyx[i]` names; undefined if it contains no swizzle of memory. */
export function swizzledPlace(syntax: ExpressionSyntax, scope: Scope): Swizzle | PlaceOperand | undefined {
  if (syntax.kind !== 'member' && syntax.kind !== 'index') return undefined;
  const inner = swizzledPlace(syntax.of, scope);
  if (inner?.kind === 'place') return undefined;
  if (inner)
    return syntax.kind === 'member' ? narrowed(inner, syntax.name, syntax.at) : elementOf(inner, syntax, scope);
  if (syntax.kind !== 'member' || !/^(?:[xyzw]{2,4}|[rgba]{2,4})$/.test(syntax.name)) return undefined;
  const vector = throughPointer(expression(syntax.of, scope));
  if (vector.kind !== 'place' || vector.type.kind !== 'vector') return undefined;
  const components = swizzleOf(syntax.name, vector.type.size);
  return components && { kind: 'swizzle', vector, components };
}

/** A swizzle of a swizzle. */
function narrowed({ vector, components }: Swizzle, letters: string, at: Position): Swizzle | PlaceOperand | undefined {
  const picked = swizzleOf(letters, components.length)?.map((i) => components[i]!);
  if (!picked || picked.length > 1) return picked && { kind: 'swizzle', vector, components: picked };
  return componentPlace(vector, { kind: 'literal', type: U32, at, value: picked[0]! }, at);
}

/** `v.zyx[i]` is component `vec3u(2, 1, 0)[i]` of v. */
function elementOf(
  { vector, components }: Swizzle,
  { index: syntax, at }: ExpressionSyntax & { kind: 'index' },
  scope: Scope,
): PlaceOperand {
  const of = { kind: 'vector', size: components.length as 2 | 3 | 4, of: U32 } as const;
  const index = elementAt({ kind: 'constant', at, known: 'module', type: of, value: components }, syntax, at, scope);
  return componentPlace(vector, expressionOf(index, scope), at);
}

function componentPlace(vector: PlaceOperand, index: Expression, at: Position): PlaceOperand {
  const { of: type } = vector.type as VectorType;
  return { ...vector, at, type, place: { kind: 'element', type, at, of: vector.place, index }, isComponent: true };
}

/** `v.zx = e`, and with an operator `v.zx *= e`. */
export function assignSwizzle(
  { vector, components }: Swizzle,
  operator: BinaryOperator | undefined,
  valueSyntax: ExpressionSyntax,
  at: Position,
  scope: Scope,
): Statement {
  if (new Set(components).size < components.length) {
    scope.fail('cannot assign to vector swizzle with duplicate target components', at);
  }
  const statements: Statement[] = [];
  const place = heldPlace(vector, statements, at, scope);
  const { of } = vector.type as VectorType;
  const element = (component: number): Place => ({
    kind: 'element',
    type: of,
    at,
    of: place,
    index: { kind: 'literal', type: U32, at, value: component },
  });
  const type: VectorType = { kind: 'vector', size: components.length as 2 | 3 | 4, of };
  const before = operator && value(held(swizzleNow(place, type, components, at), statements, scope));
  const operand = expression(valueSyntax, scope);
  const given = before ? applyBinary(operator, before, operand, at, scope) : converted(operand, type, scope);
  if (!given || !sameType(given.type, type)) {
    return scope.fail(`cannot assign '${typeName((given ?? operand).type)}' to '${typeName(type)}'`, valueSyntax.at);
  }
  const stored = held(expressionOf(given, scope), statements, scope);
  if (components.length === (vector.type as VectorType).size) {
    // All of the vector is new: one store, of the same components in its own order.
    const order = components.map((_, component) => components.indexOf(component));
    const whole: Expression = { kind: 'swizzle', type, at, of: stored, components: order };
    statements.push({ kind: 'assign', at, place, value: whole });
    return { kind: 'block', at, body: { statements, at } };
  }
  components.forEach((component, i) => {
    const part: Expression = { kind: 'swizzle', type: of, at, of: stored, components: [i] };
    statements.push({ kind: 'assign', at, place: element(component), value: part });
  });
  return { kind: 'block', at, body: { statements, at } };
}

function swizzleNow(place: Place, type: VectorType, components: readonly number[], at: Position): Expression {
  const whole: Expression = { kind: 'load', type: place.type, at, place };
  return { kind: 'swizzle', type, at, of: whole, components };
}

/** The vector's place with its indices evaluated: a variable itself, anything else behind a pointer. */
function heldPlace(vector: PlaceOperand, statements: Statement[], at: Position, scope: Scope): Place {
  const { place, type, space, access } = vector;
  if (place.kind === 'variable') return place;
  const pointer: Expression =
    place.kind === 'deref'
      ? place.pointer
      : { kind: 'pointer', type: { kind: 'pointer', space, of: type, access }, at, place };
  return { kind: 'deref', type, at, pointer: held(pointer, statements, scope) };
}

/** The value in a `let` of its own. */
function held(expression: Expression, statements: Statement[], scope: Scope): Expression {
  const { type, at } = expression;
  const variable: Variable = { id: scope.newId(), kind: 'let', name: 'swizzle', type, at, space: 'function' };
  statements.push({ kind: 'declare', at, variable, value: expression });
  return { kind: 'value', type, at, variable };
}
