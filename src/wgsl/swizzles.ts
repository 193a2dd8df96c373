/**
 * Assignments to some components of a vector: `v.xy = e` and `v.zx *= e`.
 *
 * The tree has no such place. They are written out: the vector's place is found once, then the value is computed, then each
 * component is stored.
 */
import { applyBinary, constantOf, expression, swizzleOf, throughPointer } from './expressions.js';
import { converted, expressionOf, type PlaceOperand, value } from './operands.js';
import type { Scope } from './scope.js';
import type { ExpressionSyntax } from './syntax.js';
import type { BinaryOperator, Expression, Place, Position, Statement, Variable, VectorType } from './tree.js';
import { type AnyType, I32, sameType, typeName, U32 } from './types.js';

interface SwizzledPlace {
  readonly vector: PlaceOperand;
  readonly components: readonly number[];
}

/** What `v.xy`, `v.xyz.zx` or `v.xy[0]` names, if it is memory and more than a single component of it was named. */
export function swizzledPlace(syntax: ExpressionSyntax, scope: Scope): SwizzledPlace | undefined {
  if (syntax.kind !== 'member' && syntax.kind !== 'index') return undefined;
  const inner = swizzledPlace(syntax.of, scope);
  if (inner) {
    const picked = pick(syntax, inner.components.length, scope);
    return picked && { ...inner, components: picked.map((i) => inner.components[i]!) };
  }
  if (syntax.kind !== 'member' || !/^(?:[xyzw]{2,4}|[rgba]{2,4})$/.test(syntax.name)) return undefined;
  const vector = throughPointer(expression(syntax.of, scope));
  if (vector.kind !== 'place' || vector.type.kind !== 'vector') return undefined;
  const components = swizzleOf(syntax.name, vector.type.size);
  return components && { vector, components };
}

/** Components of a swizzle of a swizzle. */
function pick(
  syntax: ExpressionSyntax & { kind: 'member' | 'index' },
  size: number,
  scope: Scope,
): readonly number[] | undefined {
  if (syntax.kind === 'member') return swizzleOf(syntax.name, size);
  const index = converted(constantOf(syntax.index, scope, 'an index into a swizzle that is assigned to'), I32, scope);
  const i = index?.kind === 'constant' ? (index.value as number) : -1;
  if (i < 0 || i >= size) scope.fail(`index ${i} out of bounds [0..${size - 1}]`, syntax.index.at);
  return [i];
}

/** `v.zx = e`, and with an operator `v.zx *= e`. */
export function assignSwizzle(
  { vector, components }: SwizzledPlace,
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
  const type: AnyType = components.length === 1 ? of : { kind: 'vector', size: components.length as 2 | 3 | 4, of };
  const before = operator && value(held(swizzleNow(place, type as VectorType, components, at), statements, scope));
  const operand = expression(valueSyntax, scope);
  const given = before ? applyBinary(operator, before, operand, at, scope) : converted(operand, type, scope);
  if (!given || !sameType(given.type, type)) {
    return scope.fail(`cannot assign '${typeName((given ?? operand).type)}' to '${typeName(type)}'`, valueSyntax.at);
  }
  const stored = held(expressionOf(given, scope), statements, scope);
  components.forEach((component, i) => {
    const part: Expression =
      components.length === 1 ? stored : { kind: 'swizzle', type: of, at, of: stored, components: [i] };
    statements.push({ kind: 'assign', at, place: element(component), value: part });
  });
  return { kind: 'block', at, body: { statements, at } };
}

function swizzleNow(place: Place, type: VectorType, components: readonly number[], at: Position): Expression {
  const whole: Expression = { kind: 'load', type: place.type, at, place };
  return { kind: 'swizzle', type, at, of: whole, components };
}

/** The vector's place with its indices evaluated: a variable as it is, the rest behind a pointer. */
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
