/**
 * Statements of a function.
 *
 * Besides its tree, each statement has a behaviour: the ways in which control leaves it. The behaviours show whether a
 * function returns on every path and whether a loop can end.
 *
 * @see https://www.w3.org/TR/WGSL/#behaviors
 */
import { isBuiltin } from './builtins.js';
import { call, mayIgnore } from './calls.js';
import { applyBinary, constantOf, expression } from './expressions.js';
import {
  type ConstantOperand,
  concreteOperand,
  converted,
  expressionOf,
  type Operand,
  type PlaceOperand,
  type ValueOperand,
} from './operands.js';
import type { Entity, Scope } from './scope.js';
import { assignSwizzle, swizzledPlace } from './swizzles.js';
import type { BlockSyntax, CaseSyntax, ExpressionSyntax, StatementSyntax, VariableSyntax } from './syntax.js';
import type { BinaryOperator, Block, Expression, Position, Statement, SwitchCase, Type, Variable } from './tree.js';
import { accessOf, checkStore, spaceOf, typeOf } from './typeNames.js';
import {
  type AnyType,
  BOOL,
  convertsTo,
  I32,
  isConstructible,
  isOverrideSized,
  sameType,
  scalarOf,
  typeName,
  U32,
} from './types.js';

/** A way in which control leaves a statement. */
export type Behaviour = 'next' | 'break' | 'continue' | 'return';

interface Analysed<T> {
  readonly node: T;
  readonly behaviours: ReadonlySet<Behaviour>;
}

/** The context of a statement: the jumps that it allows. */
interface Place {
  readonly returns: Type;
  /** inside a loop, a switch, a continuing block: the targets of `break` and `continue` */
  readonly breaks: 'loop' | 'switch' | 'continuing' | undefined;
  readonly continues: boolean;
  /** `return` is not allowed in a continuing block */
  readonly inContinuing: boolean;
}

type Of<Kind extends StatementSyntax['kind']> = StatementSyntax & { readonly kind: Kind };

const NEXT: ReadonlySet<Behaviour> = new Set(['next']);
const without = (from: ReadonlySet<Behaviour>, ...left: readonly Behaviour[]) =>
  new Set([...from].filter((behaviour) => !left.includes(behaviour)));

/** The body of a function. @param scope that of its parameters, which the body shares */
export function functionBody(syntax: BlockSyntax, returns: Type, at: Position, name: string, scope: Scope): Block {
  const place: Place = { returns, breaks: undefined, continues: false, inContinuing: false };
  const { node, behaviours } = statementsIn(syntax, place, scope);
  if (returns.kind !== 'void' && behaviours.has('next')) {
    scope.fail(`missing return at end of function '${name}', which returns '${typeName(returns)}'`, at);
  }
  return node;
}

function block(syntax: BlockSyntax, place: Place, scope: Scope): Analysed<Block> {
  return statementsIn(syntax, place, scope.inner());
}

function statementsIn({ statements, at }: BlockSyntax, place: Place, scope: Scope): Analysed<Block> {
  const nodes: Statement[] = [];
  let behaviours = NEXT;
  for (const syntax of statements) {
    const analysed = statement(syntax, place, scope);
    if (!analysed) continue;
    nodes.push(analysed.node);
    // Code after a statement that never completes is not reached.
    if (behaviours.has('next')) behaviours = new Set([...without(behaviours, 'next'), ...analysed.behaviours]);
  }
  return { node: { statements: nodes, at }, behaviours };
}

const goesOn = (node: Statement): Analysed<Statement> => ({ node, behaviours: NEXT });

/** undefined for a statement without run-time effect */
function statement(syntax: StatementSyntax, place: Place, scope: Scope): Analysed<Statement> | undefined {
  const { at } = syntax;
  switch (syntax.kind) {
    case 'var':
    case 'let':
      return goesOn(declaration(syntax, scope));
    case 'const':
      scope.declare(syntax.name, at, constantEntity(syntax, scope));
      return undefined;
    case 'override':
      return scope.fail("'override' is for module scope; use 'const'", at);
    case 'const_assert':
      assertConstant(syntax.condition, at, scope);
      return undefined;
    case 'block': {
      const { node: body, behaviours } = block(syntax.body, place, scope);
      return { node: { kind: 'block', at, body }, behaviours };
    }
    case 'assign': {
      const assigned = assignment(syntax, scope);
      return assigned && goesOn(assigned);
    }
    case 'step':
      return goesOn(step(syntax, scope));
    case 'call':
      return goesOn(callStatement(syntax, scope));
    case 'if':
      return ifStatement(syntax, place, scope);
    case 'switch':
      return switchStatement(syntax, place, scope);
    case 'loop':
      return loop(syntax, place, scope);
    case 'for':
      return forLoop(syntax, place, scope);
    case 'while':
      return whileLoop(syntax, place, scope);
    case 'break':
      if (place.breaks === 'continuing')
        scope.fail("'break' must not be used to exit from a continuing block; use 'break if'", at);
      if (!place.breaks) scope.fail("'break' statement must be in a loop or switch case", at);
      return { node: { kind: 'break', at }, behaviours: new Set(['break']) };
    case 'continue':
      if (place.inContinuing && !place.continues)
        scope.fail('continuing blocks must not contain a continue statement', at);
      if (!place.continues) scope.fail("'continue' statement must be in a loop", at);
      return { node: { kind: 'continue', at }, behaviours: new Set(['continue']) };
    case 'return':
      return returnStatement(syntax, place, scope);
    case 'discard':
      return scope.fail("'discard' is for fragment shaders; use 'return'", at);
  }
}

// ---- declarations ----

function declaration(syntax: VariableSyntax, scope: Scope): Statement {
  const { name, at, kind } = syntax;
  if (kind === 'var') checkLocalSpace(syntax, scope);
  const declared = syntax.type && typeOf(syntax.type, scope);
  const given = syntax.value && initialValue(expression(syntax.value, scope), declared, kind, scope);
  const type = declared ?? (given!.type as Type);
  if (kind === 'var') checkStore(type, 'function', at, scope);
  const variable: Variable = { id: scope.newId(), kind: kind as 'var' | 'let', name, type, at, space: 'function' };
  const root = given?.kind === 'value' ? given.root : undefined;
  const written = given && expressionOf(given, scope);
  scope.declare(name, at, { kind: 'variable', variable, root });
  return { kind: 'declare', at, variable, ...(written && { value: written }) };
}

function checkLocalSpace({ template, at, type, value }: VariableSyntax, scope: Scope) {
  const [space, access] = template ?? [];
  if (space) {
    const found = spaceOf(space, scope);
    if (found !== 'function')
      scope.fail(`function-scope 'var' declaration must use 'function' address space; found '${found}'`, at);
    accessOf(access, found, scope);
  }
  if (!type && !value) scope.fail("'var' declaration requires a type or initializer", at);
}

/** The value of a declaration, converted to its declared type if there is one. */
export function initialValue(
  operand: Operand,
  declared: AnyType | undefined,
  kind: string,
  scope: Scope,
): ConstantOperand | ValueOperand {
  if (!declared) return concreteOperand(operand, scope);
  return converted(operand, declared, scope) ?? mismatch(`initialize '${kind}' of type`, declared, operand, scope);
}

function mismatch(what: string, wanted: AnyType, found: Operand, scope: Scope): never {
  const remedy = convertible(found.type, wanted) ? `; write ${typeName(wanted)}(…)` : '';
  return scope.fail(
    `cannot ${what} '${typeName(wanted)}' with value of type '${typeName(found.type)}'${remedy}`,
    found.at,
  );
}

/** Would a constructor convert the one to the other? */
const convertible = (from: AnyType, to: AnyType) =>
  from.kind === to.kind &&
  scalarOf(from) !== undefined &&
  scalarOf(to) !== undefined &&
  (from.kind === 'scalar' || (from.kind === 'vector' && to.kind === 'vector' && from.size === to.size));

/** A `const` of a function or of the module. */
export function constantEntity(syntax: VariableSyntax, scope: Scope): Entity {
  const declared = syntax.type && typeOf(syntax.type, scope);
  const operand = constantOf(syntax.value!, scope, 'const initializer');
  const { type, value } = (declared ? initialValue(operand, declared, 'const', scope) : operand) as ConstantOperand;
  return { kind: 'constant', constant: { type, value }, known: 'module' };
}

/** `const_assert condition;` @throws WgslError when the condition is false, or not a constant bool */
export function assertConstant(condition: ExpressionSyntax, at: Position, scope: Scope) {
  const operand = constantOf(condition, scope, 'const assertion');
  if (!sameType(operand.type, BOOL)) {
    scope.fail(`const assertion condition must be a bool, got '${typeName(operand.type)}'`, condition.at);
  }
  if (operand.value !== true) scope.fail('const assertion failed', at);
}

// ---- assignments and calls ----

function targetOf(syntax: ExpressionSyntax, scope: Scope): PlaceOperand {
  return storable(expression(syntax, scope), syntax, scope);
}

function storable(operand: Operand, syntax: ExpressionSyntax, scope: Scope): PlaceOperand {
  if (operand.kind !== 'place') {
    return scope.fail(`cannot assign to ${describe(syntax, operand)}; only memory of a 'var' can change`, syntax.at);
  }
  checkStores(operand, syntax.at, scope);
  return operand;
}

function checkStores(operand: PlaceOperand, at: Position, scope: Scope) {
  if (operand.access === 'read') {
    const remedy = operand.space === 'storage' ? '; declare it var<storage, read_write>' : '';
    scope.fail(`cannot store into a read-only type '${typeName(operand.type)}' in <${operand.space}>${remedy}`, at);
  }
  if (!isConstructible(operand.type) || isOverrideSized(operand.type)) {
    scope.fail(`a value of type '${typeName(operand.type)}' cannot be stored; store its elements`, at);
  }
  if (operand.root) scope.uses?.writes.add(operand.root);
}

function describe(syntax: ExpressionSyntax, operand: Operand): string {
  if (syntax.kind !== 'name') return 'a value';
  if (operand.kind === 'constant') return `'const ${syntax.name}'`;
  const isParameter =
    operand.kind === 'value' && operand.expression.kind === 'value' && operand.expression.variable.kind === 'parameter';
  return isParameter ? `parameter '${syntax.name}'` : `'let ${syntax.name}'`;
}

function assignment(
  { at, place: placeSyntax, operator, value: valueSyntax }: Of<'assign'>,
  scope: Scope,
): Statement | undefined {
  if (!placeSyntax) {
    const operand = expression(valueSyntax, scope);
    if (operand.kind === 'place' && !isConstructible(operand.type)) {
      scope.fail(`cannot assign '${typeName(operand.type)}' to '_'`, valueSyntax.at);
    }
    return operand.kind === 'constant' ? undefined : { kind: 'evaluate', at, expression: expressionOf(operand, scope) };
  }
  const swizzled = swizzledPlace(placeSyntax, scope);
  if (swizzled?.kind === 'swizzle') {
    checkStores(swizzled.vector, placeSyntax.at, scope);
    if (operator && swizzled.vector.root) scope.uses?.reads.add(swizzled.vector.root);
    return assignSwizzle(swizzled, operator, valueSyntax, at, scope);
  }
  const target = swizzled ? storable(swizzled, placeSyntax, scope) : targetOf(placeSyntax, scope);
  const operand = expression(valueSyntax, scope);
  if (operator) return compound(operator, target, operand, at, scope);
  const given = converted(operand, target.type, scope);
  if (!given) return scope.fail(assignRule(target.type, operand.type), valueSyntax.at);
  return { kind: 'assign', at, place: target.place, value: expressionOf(given, scope) };
}

function assignRule(to: Type, from: AnyType): string {
  const remedy = convertible(from, to) ? `; write ${typeName(to)}(…)` : '';
  return `cannot assign '${typeName(from)}' to '${typeName(to)}'${remedy}`;
}

function compound(
  operator: BinaryOperator,
  target: PlaceOperand,
  operand: Operand,
  at: Position,
  scope: Scope,
): Statement {
  const result = applyBinary(operator, target, operand, at, scope);
  if (!sameType(result.type, target.type)) scope.fail(assignRule(target.type, result.type), at);
  const { right } = (result as { expression: Expression & { kind: 'binary' } }).expression;
  return { kind: 'assign', at, place: target.place, operator, value: right };
}

function step({ at, place: placeSyntax, operator }: Of<'step'>, scope: Scope): Statement {
  const target = targetOf(placeSyntax, scope);
  const { type } = target;
  if (!sameType(type, I32) && !sameType(type, U32)) {
    const what = operator === '+' ? 'increment' : 'decrement';
    scope.fail(`${what} statement can only be applied to an integer scalar; found '${typeName(type)}'`, at);
  }
  if (target.root) scope.uses?.reads.add(target.root);
  return { kind: 'assign', at, place: target.place, operator, value: { kind: 'literal', type, at, value: 1 } };
}

function callStatement({ at, call: syntax }: Of<'call'>, scope: Scope): Statement {
  const { name } = syntax.callee;
  const result = call(syntax, scope);
  if (result.type.kind !== 'void' && !mayIgnore(syntax, scope)) {
    const what = isBuiltin(name) && !scope.find(name) ? `builtin '${name}'` : `'${name}'`;
    scope.fail(`ignoring return value of ${what}; write _ = ${name}(…)`, at);
  }
  return { kind: 'evaluate', at, expression: expressionOf(result, scope) };
}

// ---- branches ----

function condition(syntax: ExpressionSyntax, what: string, scope: Scope): Expression {
  const operand = expression(syntax, scope);
  if (!sameType(operand.type, BOOL)) {
    scope.fail(`${what} condition must be bool, got '${typeName(operand.type)}'`, syntax.at);
  }
  return expressionOf(operand, scope);
}

function ifStatement(syntax: Of<'if'>, place: Place, scope: Scope): Analysed<Statement> {
  const tested = condition(syntax.condition, 'if statement', scope);
  const then = block(syntax.then, place, scope);
  const otherwise = syntax.else && block(syntax.else, place, scope);
  const behaviours = new Set([...then.behaviours, ...(otherwise?.behaviours ?? NEXT)]);
  // biome-ignore lint/suspicious/noThenProperty: the tree is never awaited
  const node = { kind: 'if', at: syntax.at, condition: tested, then: then.node } as const;
  return { node: otherwise ? { ...node, else: otherwise.node } : node, behaviours };
}

function switchStatement({ at, selector, cases }: Of<'switch'>, place: Place, scope: Scope): Analysed<Statement> {
  const operand = expression(selector, scope);
  const values = cases.map(({ values: given }) =>
    given.map((syntax) => syntax && constantOf(syntax, scope, 'case selector')),
  );
  const all = [operand, ...values.flat().filter((constant) => constant !== undefined)];
  const type = [I32, U32].find((to) => all.every(({ type: from }) => convertsTo(from, to)));
  if (!type) {
    const found = [...new Set(all.map(({ type: from }) => `'${typeName(from)}'`))].join(', ');
    return scope.fail(`switch selector and case values must be of one type, i32 or u32; found ${found}`, selector.at);
  }
  const seen = new Set<number>();
  let defaults = 0;
  const behaviours = new Set<Behaviour>();
  const analysed = cases.map((syntax: CaseSyntax, i): SwitchCase => {
    const numbers = values[i]!.flatMap((constant) => (constant ? [caseValue(constant, type, seen, scope)] : []));
    const isDefault = values[i]!.includes(undefined);
    if (isDefault && ++defaults > 1) scope.fail('switch statement must have exactly one default clause', syntax.at);
    const body = block(syntax.body, { ...place, breaks: 'switch' }, scope);
    for (const behaviour of body.behaviours) behaviours.add(behaviour);
    return { values: numbers, isDefault, body: body.node };
  });
  if (defaults === 0) scope.fail('switch statement must have a default clause; write default: {}', at);
  if (behaviours.delete('break')) behaviours.add('next');
  const chosen = expressionOf(converted(operand, type, scope)!, scope);
  return { node: { kind: 'switch', at, selector: chosen, cases: analysed }, behaviours };
}

function caseValue(constant: Operand, type: Type, seen: Set<number>, scope: Scope): number {
  const given = converted(constant, type, scope)!;
  const number = (given as { value: unknown }).value as number;
  if (seen.has(number)) scope.fail(`duplicate switch case '${number}'`, constant.at);
  seen.add(number);
  return number;
}

// ---- loops ----

/** One iteration: the body, then the continuing block; control that leaves the loop continues after it. */
function loopBehaviours(inside: readonly ReadonlySet<Behaviour>[], endsByItself: boolean): ReadonlySet<Behaviour> {
  const all = new Set(inside.flatMap((behaviours) => [...behaviours]));
  const leaves = endsByItself || all.has('break');
  return new Set<Behaviour>([...(leaves ? NEXT : []), ...(all.has('return') ? (['return'] as const) : [])]);
}

const inLoop = (place: Place): Place => ({ ...place, breaks: 'loop', continues: true });
const inContinuing = (place: Place): Place => ({
  ...place,
  breaks: 'continuing',
  continues: false,
  inContinuing: true,
});

function loop(syntax: Of<'loop'>, place: Place, scope: Scope): Analysed<Statement> {
  const { at } = syntax;
  const inner = scope.inner();
  const body = statementsIn(syntax.body, inLoop(place), inner);
  if (syntax.continuing) checkSkipped(syntax.body, syntax, inner);
  // The continuing block sees the variables of the body.
  const after = inner.inner();
  const continuing = syntax.continuing && statementsIn(syntax.continuing, inContinuing(place), after);
  const breakIf = syntax.breakIf && condition(syntax.breakIf, 'break-if statement', after);
  const goesRound = body.behaviours.has('next') || body.behaviours.has('continue');
  const behaviours = loopBehaviours(
    [body.behaviours, continuing?.behaviours ?? NEXT],
    breakIf !== undefined && goesRound,
  );
  if (behaviours.size === 0) scope.fail('loop does not exit; write break, break if or return', at);
  const node: Statement = {
    kind: 'loop',
    at,
    written: 'loop',
    body: body.node,
    ...(continuing && syntax.continuing!.statements.length > 0 && { continuing: continuing.node }),
    ...(breakIf && { breakIf }),
  };
  return { node, behaviours };
}

function forLoop(syntax: Of<'for'>, place: Place, scope: Scope): Analysed<Statement> {
  const { at } = syntax;
  const outer = scope.inner();
  const start = syntax.initial && statement(syntax.initial, place, outer);
  const tested = syntax.condition && condition(syntax.condition, 'for-loop', outer);
  const update = syntax.update && statement(syntax.update, inContinuing(place), outer);
  const body = block(syntax.body, inLoop(place), outer);
  const behaviours = loopBehaviours([body.behaviours], tested !== undefined);
  if (behaviours.size === 0) scope.fail('for-loop does not exit; write a condition, break or return', at);
  const node: Statement = {
    kind: 'loop',
    at,
    written: 'for',
    ...(tested && { condition: tested }),
    body: body.node,
    ...(update && { continuing: { statements: [update.node], at } }),
  };
  const statements = start ? [start.node, node] : [node];
  return { node: { kind: 'block', at, body: { statements, at } }, behaviours };
}

function whileLoop(syntax: Of<'while'>, place: Place, scope: Scope): Analysed<Statement> {
  const { at } = syntax;
  const tested = condition(syntax.condition, 'while-loop', scope);
  const body = block(syntax.body, inLoop(place), scope);
  const node: Statement = { kind: 'loop', at, written: 'while', condition: tested, body: body.node };
  return { node, behaviours: loopBehaviours([body.behaviours], true) };
}

/** A `continue` may not jump over the declaration of a name that the continuing block uses. */
function checkSkipped(body: BlockSyntax, { continuing, breakIf }: Of<'loop'>, scope: Scope) {
  const first = body.statements.findIndex(mayContinue);
  if (first === -1) return;
  const names = new Map<string, Position>();
  for (const declared of body.statements.slice(first + 1)) {
    if (declared.kind === 'var' || declared.kind === 'let' || declared.kind === 'const')
      names.set(declared.name, declared.at);
  }
  const used = usedNames([...continuing!.statements, ...(breakIf ? [breakIf] : [])]);
  for (const name of used) {
    if (names.has(name)) {
      scope.fail(
        `continue statement bypasses declaration of '${name}', which the continuing block uses; declare it before the loop`,
        body.statements[first]!.at,
      );
    }
  }
}

/** Does it contain a `continue` of the surrounding loop? */
function mayContinue(syntax: StatementSyntax): boolean {
  const inBlock = ({ statements }: BlockSyntax) => statements.some(mayContinue);
  switch (syntax.kind) {
    case 'continue':
      return true;
    case 'block':
      return inBlock(syntax.body);
    case 'if':
      return inBlock(syntax.then) || (syntax.else !== undefined && inBlock(syntax.else));
    case 'switch':
      return syntax.cases.some(({ body }) => inBlock(body));
    default:
      return false;
  }
}

/** Every name in a syntax tree. */
function usedNames(tree: unknown): Set<string> {
  const names = new Set<string>();
  const walk = (node: unknown) => {
    if (node === null || typeof node !== 'object') return;
    if ((node as { kind?: unknown }).kind === 'name') names.add((node as { name: string }).name);
    for (const part of Object.values(node)) walk(part);
  };
  walk(tree);
  return names;
}

function returnStatement(
  { at, value: syntax }: Of<'return'>,
  { returns, inContinuing: inside }: Place,
  scope: Scope,
): Analysed<Statement> {
  if (inside) scope.fail('continuing blocks must not contain a return statement', at);
  const behaviours = new Set<Behaviour>(['return']);
  if (!syntax) {
    if (returns.kind !== 'void') scope.fail(`return statement must return a '${typeName(returns)}'`, at);
    return { node: { kind: 'return', at }, behaviours };
  }
  const operand = expression(syntax, scope);
  const given = returns.kind === 'void' ? undefined : converted(operand, returns, scope);
  if (!given) {
    const found = typeName(operand.type);
    const remedy = convertible(operand.type, returns) ? `; write ${typeName(returns)}(…)` : '';
    const rule = `return statement type must match its function return type, returned '${found}', expected '${typeName(returns)}'`;
    return scope.fail(rule + remedy, at);
  }
  return { node: { kind: 'return', at, value: expressionOf(given, scope) }, behaviours };
}
