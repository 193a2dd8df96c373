/** Expressions: types found, constants computed, the rest written as the tree's expressions. */
import { isBuiltin } from './builtins.js';
import { call } from './calls.js';
import {
  type Constant,
  ConstantError,
  type ConstantValue,
  checkRightSide,
  foldBinary,
  foldUnary,
} from './constants.js';
import { parseNumber } from './literals.js';
import {
  type ConstantOperand,
  checked,
  converted,
  expressionOf,
  fold,
  loaded,
  type Operand,
  type PlaceOperand,
  type ValueOperand,
  value,
} from './operands.js';
import { binaryTypes, takesUnary } from './operators.js';
import type { Known, Scope } from './scope.js';
import type { ExpressionSyntax, NameSyntax } from './syntax.js';
import type { BinaryOperator, PointerType, Position, StructMember, Type, Variable } from './tree.js';
import { isPredeclared, refuseLeftOut } from './typeNames.js';
import {
  type AnyType,
  BOOL,
  concrete,
  I32,
  isAbstract,
  sameType,
  scalarOf,
  typeName,
  U32,
  withScalar,
} from './types.js';

type Of<Kind extends ExpressionSyntax['kind']> = ExpressionSyntax & { readonly kind: Kind };

/** @throws WgslError when names, types or constants break a rule */
export function expression(syntax: ExpressionSyntax, scope: Scope): Operand {
  switch (syntax.kind) {
    case 'number':
      return constant(number(syntax, scope), syntax.at);
    case 'boolean':
      return constant({ type: BOOL, value: syntax.value }, syntax.at);
    case 'name':
      return named(syntax, scope);
    case 'call': {
      const result = call(syntax, scope);
      if (result.type.kind === 'void')
        scope.fail(`function '${syntax.callee.name}' does not return a value`, syntax.at);
      return result;
    }
    case 'unary':
      return unary(syntax, scope);
    case 'binary':
      return syntax.operator === '&&' || syntax.operator === '||'
        ? logical(syntax, syntax.operator, scope)
        : binary(syntax, syntax.operator, scope);
    case 'index':
      return indexed(syntax, scope);
    case 'member':
      return member(syntax, scope);
  }
}

const constant = (from: Constant, at: Position, known: Known = 'module'): ConstantOperand => ({
  kind: 'constant',
  at,
  known,
  ...from,
});

/** A number that does not fit its type is an error even where short-circuit skips it. */
function number({ text, at }: Of<'number'>, scope: Scope): Constant {
  try {
    return parseNumber(text);
  } catch (error) {
    if (!(error instanceof ConstantError)) throw error;
    return scope.fail(error.message, at);
  }
}

/** A constant known when the module is created. @param what its purpose, for the message */
export function constantOf(syntax: ExpressionSyntax, scope: Scope, what: string): ConstantOperand {
  const operand = expression(syntax, scope);
  if (operand.kind !== 'constant' || operand.known !== 'module') {
    return scope.fail(`${what} requires a const-expression, but expression is ${stageOf(operand)}`, syntax.at);
  }
  return operand;
}

/** A constant known when the pipeline is created. */
export function overrideOf(syntax: ExpressionSyntax, scope: Scope, what: string): ConstantOperand {
  const operand = expression(syntax, scope);
  if (operand.kind !== 'constant') {
    return scope.fail(`${what} requires an override-expression, but expression is ${stageOf(operand)}`, syntax.at);
  }
  return operand;
}

const stageOf = ({ kind }: Operand) => (kind === 'constant' ? 'an override-expression' : 'a runtime-expression');

// ---- names ----

function named({ name, template, at }: NameSyntax, scope: Scope): Operand {
  const entity = scope.find(name);
  if (!entity) return unknown(name, at, scope);
  if (template && entity.kind !== 'type') scope.fail(`'${name}' takes no template arguments`, at);
  switch (entity.kind) {
    case 'type':
      return scope.fail(`cannot use type '${name}' as value; write ${name}(…) to make one`, at);
    case 'function':
      return scope.fail(`cannot use function '${name}' as value; write ${name}(…) to call it`, at);
    case 'constant':
      return constant(entity.constant, at, entity.known);
    case 'variable':
      return variablePlace(entity.variable, entity.root, at, scope);
  }
}

function unknown(name: string, at: Position, scope: Scope): never {
  refuseLeftOut(name, at, scope);
  if (isPredeclared(name)) scope.fail(`cannot use type '${name}' as value; write ${name}(…) to make one`, at);
  if (isBuiltin(name)) scope.fail(`cannot use builtin function '${name}' as value; write ${name}(…) to call it`, at);
  return scope.fail(`unresolved value '${name}'`, at);
}

function variablePlace(variable: Variable, root: Variable | undefined, at: Position, scope: Scope): Operand {
  const { type } = variable;
  if (variable.kind !== 'var') return value({ kind: 'value', type, at, variable }, root);
  if (variable.space !== 'function') {
    if (!scope.uses) scope.fail(`var '${variable.name}' cannot be referenced at module-scope`, at);
    scope.uses.globals.add(variable);
  }
  return {
    kind: 'place',
    at,
    type,
    place: { kind: 'variable', type, at, variable },
    space: variable.space,
    access: variable.access ?? (variable.space === 'uniform' ? 'read' : 'read_write'),
    root: variable,
    isComponent: false,
  };
}

// ---- operators ----

function unary({ operator, operand: inner, at }: Of<'unary'>, scope: Scope): Operand {
  const operand = expression(inner, scope);
  if (operator === '&') return addressOf(operand, at, scope);
  if (operator === '*') {
    const pointer = loaded(operand, scope);
    if (pointer.kind !== 'value' || pointer.type.kind !== 'pointer') {
      return scope.fail(`cannot dereference expression of type '${typeName(operand.type)}'`, at);
    }
    return pointedTo(pointer, at);
  }
  if (!takesUnary(operator, operand.type)) {
    scope.fail(`no matching overload for 'operator ${operator} (${typeName(operand.type)})'`, at);
  }
  const given = loaded(operand, scope);
  if (given.kind === 'constant') return fold(scope, at, [given], given.type, () => foldUnary(operator, given));
  return value({ kind: 'unary', type: given.type, at, operator, operand: given.expression });
}

function addressOf(operand: Operand, at: Position, scope: Scope): ValueOperand {
  if (operand.kind !== 'place') return scope.fail('cannot take the address of a value; put it into a var', at);
  if (operand.isComponent) scope.fail('cannot take the address of a vector component', at);
  const { type: of, space, access, place, root } = operand;
  const type: PointerType = { kind: 'pointer', space, of, access };
  // &*p is p.
  if (place.kind === 'deref') return value(place.pointer, root);
  return value({ kind: 'pointer', type, at, place }, root);
}

/** `*p` */
function pointedTo({ expression: pointer, root }: ValueOperand, at: Position): PlaceOperand {
  const { of: type, space, access } = pointer.type as PointerType;
  // *&x is x.
  const place = pointer.kind === 'pointer' ? pointer.place : ({ kind: 'deref', type, at, pointer } as const);
  return { kind: 'place', at, type, place, space, access, root, isComponent: false };
}

/** `p.x` and `p[i]` on a pointer mean `(*p).x` and `(*p)[i]`. */
export function throughPointer(operand: Operand): Operand {
  return operand.kind === 'value' && operand.type.kind === 'pointer' ? pointedTo(operand, operand.at) : operand;
}

function binary({ left, right, at }: Of<'binary'>, operator: BinaryOperator, scope: Scope): Operand {
  return applyBinary(operator, expression(left, scope), expression(right, scope), at, scope);
}

/**
 * Apply a binary operator: types found, sides converted, constants computed. @throws WgslError when no operator takes
 * these types
 */
export function applyBinary(
  operator: BinaryOperator,
  left: Operand,
  right: Operand,
  at: Position,
  scope: Scope,
): ConstantOperand | ValueOperand {
  const types = binaryTypes(operator, left.type, right.type);
  if (!types) return noOperator(operator, left, right, at, scope);
  const atRunTime = left.kind !== 'constant' || right.kind !== 'constant';
  const as = (operand: Operand, type: AnyType) => converted(operand, atRunTime ? concrete(type) : type, scope)!;
  const a = as(left, types.left);
  const b = as(right, types.right);
  if (b.kind === 'constant') checkConstantRight(operator, a.type, b, at, scope);
  if (a.kind === 'constant' && b.kind === 'constant') {
    return fold(scope, at, [a, b], types.result, () => foldBinary(operator, a, b, types.result));
  }
  return value({
    kind: 'binary',
    type: concrete(types.result),
    at,
    operator,
    left: expressionOf(a, scope),
    right: expressionOf(b, scope),
  });
}

/** Division by zero and shifts past the end are refused if the right side is known. */
function checkConstantRight(
  operator: BinaryOperator,
  left: AnyType,
  right: ConstantOperand,
  at: Position,
  scope: Scope,
) {
  const parts = (Array.isArray(right.value) ? right.value.flat() : [right.value]) as (number | boolean)[];
  const check = () => parts.forEach((part) => void checkRightSide(operator, scalarOf(left)!, part));
  checked(scope, at, right.known, check, () => {});
}

function noOperator(operator: string, left: Operand, right: Operand, at: Position, scope: Scope): never {
  const remedy = OF_INTEGERS.includes(operator) && isFloating(left, right) ? '' : remedyFor(left.type, right.type);
  const sides = `${typeName(left.type)}, ${typeName(right.type)}`;
  return scope.fail(`no matching overload for 'operator ${operator} (${sides})'${remedy}`, at);
}

/** Operators that floats do not have: no conversion to one helps. */
const OF_INTEGERS: readonly string[] = ['&', '|', '^', '<<', '>>'];
const isFloating = (...sides: Operand[]) => sides.some(({ type }) => /f32|float/.test(scalarOf(type)?.name ?? ''));

/** One type for both sides, if a constructor would give it: the larger shape, and no abstract number. */
function remedyFor(left: AnyType, right: AnyType): string {
  const types = [left, right].filter(({ kind }) => kind === 'scalar' || kind === 'vector');
  if (types.length < 2 || types.some((type) => scalarOf(type)!.name === 'bool')) return '';
  const vectors = types.filter(({ kind }) => kind === 'vector');
  const sizes = new Set(vectors.map((type) => (type as { readonly size: number }).size));
  if (sizes.size > 1) return '';
  const names = types
    .filter((type) => !isAbstract(type))
    .map((type) => typeName(withScalar(vectors[0] ?? type, scalarOf(type)!)));
  const unique = [...new Set(names)].map((name) => `${name}(…)`);
  return unique.length > 0 ? `; write ${unique.join(' or ')} around one side` : '';
}

function logical({ left, right, at }: Of<'binary'>, operator: '&&' | '||', scope: Scope): Operand {
  const a = expression(left, scope);
  const decided = a.kind === 'constant' && a.known !== 'later' && a.value === (operator === '||');
  if (decided) scope.analysis.skipped++;
  const b = expression(right, scope);
  if (decided) scope.analysis.skipped--;
  if (!sameType(a.type, BOOL) || !sameType(b.type, BOOL)) return noOperator(operator, a, b, at, scope);
  if (a.kind === 'constant' && b.kind === 'constant') {
    return fold(scope, at, [a, b], BOOL, () => ({ type: BOOL, value: decided ? a.value : b.value }));
  }
  return value({
    kind: 'logical',
    type: BOOL,
    at,
    operator,
    left: expressionOf(a, scope),
    right: expressionOf(b, scope),
  });
}

// ---- parts ----

function partType(type: AnyType): { type: AnyType; count: number | undefined } | undefined {
  if (type.kind === 'array') return { type: type.of, count: type.count };
  if (type.kind === 'vector') return { type: type.of, count: type.size };
  if (type.kind === 'matrix') return { type: { kind: 'vector', size: type.rows, of: type.of }, count: type.columns };
  return undefined;
}

function indexed({ of, index, at }: Of<'index'>, scope: Scope): Operand {
  return elementAt(throughPointer(expression(of, scope)), index, at, scope);
}

/**
 * `whole[index]`: an element, a component or a column. @throws WgslError when the index is not an integer, or a
 * constant out of bounds
 */
export function elementAt(whole: Operand, indexSyntax: ExpressionSyntax, at: Position, scope: Scope): Operand {
  const part = partType(whole.type);
  if (!part) return scope.fail(`cannot index type '${typeName(whole.type)}'`, at);
  const given = expression(indexSyntax, scope);
  const index = converted(given, I32, scope) ?? converted(given, U32, scope);
  if (!index)
    return scope.fail(`index must be of type 'i32' or 'u32', found: '${typeName(given.type)}'`, indexSyntax.at);
  if (index.kind === 'constant') checkBounds(index, part.count, scope);
  if (whole.kind === 'constant' && index.kind === 'constant') {
    const pick = () => ({
      type: part.type,
      value: (whole.value as readonly ConstantValue[])[index.value as number] ?? 0,
    });
    return fold(scope, at, [whole, index], part.type, pick);
  }
  const type = concrete(part.type);
  const indexExpression = expressionOf(index, scope);
  if (whole.kind === 'place') {
    const place = { kind: 'element', type, at, of: whole.place, index: indexExpression } as const;
    return { ...whole, at, type, place, isComponent: whole.type.kind === 'vector' };
  }
  return value({ kind: 'index', type, at, of: expressionOf(whole, scope), index: indexExpression });
}

function checkBounds(index: ConstantOperand, count: number | undefined, scope: Scope) {
  const i = index.value as number;
  if (i >= 0 && (count === undefined || i < count)) return;
  if (scope.analysis.skipped > 0 || index.known === 'later') return;
  const range = count === undefined || count === Infinity ? '' : ` [0..${count - 1}]`;
  scope.fail(`index ${i} out of bounds${range}`, index.at);
}

function member({ of, name, at }: Of<'member'>, scope: Scope): Operand {
  const whole = throughPointer(expression(of, scope));
  if (whole.type.kind === 'vector') return swizzle(whole, name, at, scope);
  if (whole.type.kind !== 'struct')
    return scope.fail(`cannot access member '${name}' of type '${typeName(whole.type)}'`, at);
  const i = whole.type.members.findIndex((candidate) => candidate.name === name);
  if (i === -1) {
    const known = whole.type.members.map((candidate) => candidate.name).join(', ');
    scope.fail(`struct member ${name} not found; '${typeName(whole.type)}' has ${known}`, at);
  }
  const { type } = whole.type.members[i]!;
  if (whole.kind === 'constant') {
    return fold(scope, at, [whole], type, () => ({ type, value: (whole.value as readonly ConstantValue[])[i]! }));
  }
  if (whole.kind === 'place') {
    const memberType = type as StructMember['type'];
    return {
      ...whole,
      at,
      type: memberType,
      place: { kind: 'member', type: memberType, at, of: whole.place, member: i },
    };
  }
  return value({ kind: 'member', type: type as Type, at, of: whole.expression, member: i });
}

/** The components that `xyz` or `rgba` letters name; undefined if they name none. */
export function swizzleOf(letters: string, size: number): readonly number[] | undefined {
  const set = ['xyzw', 'rgba'].find((names) => [...letters].every((letter) => names.includes(letter)));
  if (!set || letters.length > 4) return undefined;
  const components = [...letters].map((letter) => set.indexOf(letter));
  return components.every((component) => component < size) ? components : undefined;
}

function swizzle(whole: Operand, name: string, at: Position, scope: Scope): Operand {
  const vector = whole.type as AnyType & { kind: 'vector' };
  const components = swizzleOf(name, vector.size);
  if (!components) {
    const letters = ['x', 'y', 'z', 'w'].slice(0, vector.size).join(', ');
    return scope.fail(`invalid vector swizzle member '${name}' of '${typeName(vector)}', which has ${letters}`, at);
  }
  const [only] = components;
  const type: AnyType =
    components.length === 1 ? vector.of : { kind: 'vector', size: components.length as 2 | 3 | 4, of: vector.of };
  if (whole.kind === 'place' && components.length === 1) {
    const index = { kind: 'literal', type: U32, at, value: only! } as const;
    const place = { kind: 'element', type: concrete(type), at, of: whole.place, index } as const;
    return { ...whole, at, type: concrete(type), place, isComponent: true };
  }
  const given = loaded(whole, scope);
  if (given.kind === 'constant') {
    const parts = given.value as readonly ConstantValue[];
    const picked = components.map((component) => parts[component]!);
    return fold(scope, at, [given], type, () => ({ type, value: components.length === 1 ? picked[0]! : picked }));
  }
  return value({ kind: 'swizzle', type: concrete(type), at, of: given.expression, components });
}
