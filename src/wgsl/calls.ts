/** Calls: of a function of the module, a constructor of a type, or a function of the language. */
import {
  isBuiltin,
  isCooperative,
  isOfValues,
  LEFT_OUT,
  needsSubgroups,
  type ResolvedBuiltin,
  resolveBuiltin,
} from './builtins.js';
import { checkLimits, foldBuiltin } from './constantBuiltins.js';
import { construct } from './constructors.js';
import { expression } from './expressions.js';
import {
  type ConstantOperand,
  checked,
  concreteOperand,
  converted,
  expressionOf,
  fold,
  loaded,
  type Operand,
  type ValueOperand,
  value,
} from './operands.js';
import type { AnalysedFunction, Scope } from './scope.js';
import type { ExpressionSyntax } from './syntax.js';
import type { Position, Severity, Variable } from './tree.js';
import { generatorOf, isPredeclared, refuseLeftOut, typeOf } from './typeNames.js';
import {
  type AnyType,
  concrete,
  isConstructible,
  isOverrideSized,
  sameType,
  scalarOf,
  typeName,
  U32,
  withScalar,
} from './types.js';

type CallSyntax = ExpressionSyntax & { readonly kind: 'call' };

/** The result may be of type void. */
export function call(syntax: CallSyntax, scope: Scope): ConstantOperand | ValueOperand {
  const { callee, at } = syntax;
  const { name, template } = callee;
  const entity = scope.find(name);
  if (entity && entity.kind !== 'function' && entity.kind !== 'type') {
    scope.fail(`cannot call '${name}': it is a ${entity.kind}, not a function`, at);
  }
  if (entity?.kind === 'function' && template) scope.fail(`function '${name}' takes no template arguments`, at);
  const given = () => syntax.arguments.map((argument) => expression(argument, scope));
  if (entity?.kind === 'function') return callFunction(entity.function, given(), at, scope);
  if (entity?.kind === 'type') return construct(typeOf(callee, scope), name, given(), at, scope);
  if (isPredeclared(name)) {
    refuseLeftOut(name, at, scope);
    if (name === 'ptr') scope.fail('a pointer cannot be made from values; write &x', at);
    const generator = template ? undefined : generatorOf(name);
    return construct(generator ?? typeOf(callee, scope), name, given(), at, scope);
  }
  if (Object.hasOwn(LEFT_OUT, name)) scope.fail(`cannot call '${name}': ${LEFT_OUT[name]}`, at);
  if (!isBuiltin(name)) scope.fail(`unresolved call target '${name}'`, at);
  if (template && name !== 'bitcast') scope.fail(`builtin function '${name}' takes no template arguments`, at);
  if (needsSubgroups(name) && !scope.analysis.enables.includes('subgroups')) {
    scope.fail(
      `cannot call built-in function '${name}' without extension 'subgroups'; write enable subgroups; first`,
      at,
    );
  }
  return callBuiltin(syntax, given(), scope);
}

/** May the result of a call be ignored? */
export function mayIgnore({ callee }: CallSyntax, scope: Scope): boolean {
  const entity = scope.find(callee.name);
  if (entity?.kind === 'function') return !entity.function.mustUse;
  return false;
}

// ---- functions of the module ----

function callFunction(
  callee: AnalysedFunction,
  given: readonly Operand[],
  at: Position,
  scope: Scope,
): ConstantOperand | ValueOperand {
  const { declaration, uses } = callee;
  if (callee.isEntryPoint) scope.fail('entry point functions cannot be the target of a function call', at);
  if (!scope.uses) scope.fail(`function '${declaration.name}' cannot be called at module-scope`, at);
  const { name, parameters } = declaration;
  if (given.length !== parameters.length) {
    const few = given.length < parameters.length ? 'few' : 'many';
    scope.fail(`too ${few} arguments in call to '${name}', expected ${parameters.length}, got ${given.length}`, at);
  }
  const values = given.map((operand, i) => {
    const { type } = parameters[i]!;
    const argument = converted(operand, type, scope);
    if (argument) return argument;
    const rule = `type mismatch for argument ${i + 1} in call to '${name}', expected '${typeName(type)}', got`;
    return scope.fail(`${rule} '${typeName(operand.type)}'`, operand.at);
  });
  checkAliasing(callee, values, scope);
  for (const variable of uses.globals) scope.uses.globals.add(variable);
  return value({
    kind: 'call',
    type: declaration.returns,
    at,
    function: declaration,
    arguments: values.map((argument) => expressionOf(argument, scope)),
  });
}

/** Refuse two pointers to one memory if one of them is written: results would depend on the order of accesses. */
function checkAliasing(
  { declaration, uses }: AnalysedFunction,
  given: readonly (ConstantOperand | ValueOperand)[],
  scope: Scope,
) {
  /** the memory behind each pointer argument */
  const roots: { root: Variable; reads: boolean; writes: boolean; at: Position }[] = [];
  declaration.parameters.forEach((parameter, i) => {
    const argument = given[i]!;
    if (argument.kind !== 'value' || !argument.root || parameter.type.kind !== 'pointer') return;
    roots.push({
      root: argument.root,
      reads: uses.reads.has(parameter),
      writes: uses.writes.has(parameter),
      at: argument.at,
    });
  });
  for (const [i, { root, reads, writes, at }] of roots.entries()) {
    const clash = roots
      .slice(0, i)
      .some((other) => other.root === root && ((other.writes && (reads || writes)) || (writes && other.reads)));
    const global = writes ? uses.reads.has(root) || uses.writes.has(root) : reads && uses.writes.has(root);
    if (clash || global) {
      const other = clash ? 'another argument' : `the function, which uses '${root.name}' itself`;
      scope.fail(`invalid aliased pointer argument: the same memory is reached by ${other}`, at);
    }
  }
  const isGlobal = (variable: Variable) => variable.space !== 'function';
  for (const variable of uses.reads) if (isGlobal(variable)) scope.uses!.reads.add(variable);
  for (const variable of uses.writes) if (isGlobal(variable)) scope.uses!.writes.add(variable);
  for (const { root, reads, writes } of roots) {
    if (reads) scope.uses!.reads.add(root);
    if (writes) scope.uses!.writes.add(root);
  }
}

// ---- functions of the language ----

function callBuiltin(syntax: CallSyntax, given: readonly Operand[], scope: Scope): ConstantOperand | ValueOperand {
  const { callee, at, severity } = syntax;
  const { name } = callee;
  switch (name) {
    case 'bitcast':
      return bitcast(syntax, given, scope);
    case 'arrayLength':
      return arrayLength(given, at, scope);
    case 'workgroupUniformLoad':
      return workgroupUniformLoad(given, at, scope);
  }
  const atRunTime = !isOfValues(name) || given.some((operand) => operand.kind !== 'constant');
  const types = given.map((operand) => operand.type);
  const resolved = resolveMatrixBuiltin(name, types) ?? (isTable(name) ? resolveBuiltin(name, types) : undefined);
  if (!resolved) return noOverload(name, given, at, scope);
  const values = given.map((operand, i) => converted(operand, resolved.parameters[i]!, scope)!);
  const known = values.map((argument) =>
    argument.kind === 'constant' && argument.known !== 'later' ? argument : undefined,
  );
  checked(
    scope,
    at,
    'module',
    () => checkLimits(name, known),
    () => {},
  );
  if (!atRunTime) {
    const constants = values as readonly ConstantOperand[];
    return fold(scope, at, constants, resolved.returns, () => foldBuiltin(name, constants, resolved.returns));
  }
  checkLaneNumber(name, values, scope);
  if (!scope.uses) scope.fail(`'${name}' cannot be called at module-scope`, at);
  return builtin(name, resolved.returns, values, at, scope, severity);
}

function builtin(
  name: string,
  type: AnyType,
  values: readonly (ConstantOperand | ValueOperand)[],
  at: Position,
  scope: Scope,
  severity?: Severity,
): ValueOperand {
  if (isCooperative(name)) scope.analysis.isCooperative = true;
  const written = values.map((argument) => expressionOf(argument, scope));
  return value({
    kind: 'builtin',
    type: concrete(type),
    at,
    name,
    arguments: written,
    ...(severity && needsSubgroups(name) && { severity }),
  });
}

const isTable = (name: string) => name !== 'transpose' && name !== 'determinant';

function resolveMatrixBuiltin(name: string, types: readonly AnyType[]): ResolvedBuiltin | undefined {
  const [matrix] = types;
  if (types.length !== 1 || matrix?.kind !== 'matrix') return undefined;
  const { columns, rows, of } = matrix;
  if (name === 'transpose') return { parameters: types, returns: { kind: 'matrix', columns: rows, rows: columns, of } };
  return name === 'determinant' && columns === rows ? { parameters: types, returns: of } : undefined;
}

function noOverload(name: string, given: readonly Operand[], at: Position, scope: Scope): never {
  const scalars = new Set(given.map((operand) => scalarOf(operand.type)?.name));
  const remedy =
    scalars.has('f32') && (scalars.has('i32') || scalars.has('u32')) ? '; write f32(…) around what is not an f32' : '';
  return scope.fail(
    `no matching overload for '${name}(${given.map((operand) => typeName(operand.type)).join(', ')})'${remedy}`,
    at,
  );
}

/** The argument that chooses a lane, by function. */
const LANE_ARGUMENTS: Readonly<Record<string, string>> = {
  subgroupBroadcast: 'sourceLaneIndex',
  quadBroadcast: 'id',
  subgroupShuffle: 'sourceLaneIndex',
  subgroupShuffleUp: 'delta',
  subgroupShuffleDown: 'delta',
  subgroupShuffleXor: 'mask',
};

/** If all lanes read the same lane, its number must be known when the module is created. */
function checkLaneNumber(name: string, values: readonly (ConstantOperand | ValueOperand)[], scope: Scope) {
  const lane = values[1];
  if (!Object.hasOwn(LANE_ARGUMENTS, name) || !lane) return;
  const argument = `the ${LANE_ARGUMENTS[name]} argument of ${name} must be`;
  if (name.endsWith('Broadcast') && (lane.kind !== 'constant' || lane.known !== 'module')) {
    scope.fail(`${argument} a const-expression; subgroupShuffle takes any`, lane.at);
  }
  if (lane.kind !== 'constant' || lane.known === 'later') return;
  const most = name === 'quadBroadcast' ? 4 : 128;
  if ((lane.value as number) >= most) scope.fail(`${argument} less than ${most}`, lane.at);
  if ((lane.value as number) < 0) scope.fail(`${argument} greater than or equal to zero`, lane.at);
}

/** Does a constant consist of abstract-ints that fit u32? `bitcast<u32>(0xffffffff)` takes them unchanged. */
function fitsU32(operand: Operand): boolean {
  if (operand.kind !== 'constant' || scalarOf(operand.type)?.name !== 'abstract-int') return false;
  return [operand.value].flat().every((part) => typeof part === 'bigint' && part >= 0n);
}

/** `bitcast<vec2<u32>>(v)` */
function bitcast({ callee, at }: CallSyntax, given: readonly Operand[], scope: Scope): ConstantOperand | ValueOperand {
  const [target, ...more] = callee.template ?? [];
  if (!target || more.length > 0) return scope.fail('bitcast takes one type: write bitcast<u32>(x)', at);
  const type = typeOf(target, scope);
  const [operand] = given;
  const of = scalarOf(type);
  const from = operand && scalarOf(operand.type);
  const fits = operand && of && from && sameType(withScalar(operand.type, of), type) && type.kind !== 'matrix';
  if (given.length !== 1 || !fits || of.name === 'bool' || from.name === 'bool') {
    const found = given.map((argument) => typeName(argument.type)).join(', ');
    return scope.fail(`no matching overload for 'bitcast<${typeName(type)}>(${found})'`, at);
  }
  const bits =
    fitsU32(operand) && of.name === 'u32'
      ? converted(operand, withScalar(operand.type, U32), scope)!
      : concreteOperand(operand, scope);
  if (bits.kind === 'constant') return fold(scope, at, [bits], type, () => foldBuiltin('bitcast', [bits], type));
  return builtin('bitcast', type, [bits], at, scope);
}

function arrayLength(given: readonly Operand[], at: Position, scope: Scope): ValueOperand {
  const [operand] = given;
  const pointer = operand && loaded(operand, scope);
  const isRuntimeArray =
    pointer?.type.kind === 'pointer' && pointer.type.of.kind === 'array' && pointer.type.of.count === undefined;
  if (given.length !== 1 || !pointer || !isRuntimeArray) {
    const found = given.map((argument) => typeName(argument.type)).join(', ');
    const remedy = operand?.kind === 'place' ? '; write arrayLength(&…)' : '';
    return scope.fail(
      `no matching overload for 'arrayLength(${found})': it takes a pointer to an array without a count${remedy}`,
      at,
    );
  }
  return builtin('arrayLength', U32, [pointer], at, scope);
}

function workgroupUniformLoad(given: readonly Operand[], at: Position, scope: Scope): ValueOperand {
  const [operand] = given;
  const pointer = operand && loaded(operand, scope);
  if (
    given.length !== 1 ||
    pointer?.kind !== 'value' ||
    pointer.type.kind !== 'pointer' ||
    pointer.type.space !== 'workgroup'
  ) {
    const found = given.map((argument) => typeName(argument.type)).join(', ');
    return scope.fail(
      `no matching overload for 'workgroupUniformLoad(${found})': it takes a pointer to workgroup memory`,
      at,
    );
  }
  const { of } = pointer.type;
  if (!isConstructible(of) || isOverrideSized(of)) {
    scope.fail(`workgroupUniformLoad cannot load a '${typeName(of)}'`, at);
  }
  if (pointer.root) scope.uses?.reads.add(pointer.root);
  return builtin('workgroupUniformLoad', of, [pointer], at, scope);
}
