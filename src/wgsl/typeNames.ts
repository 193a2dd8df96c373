/** Types by their names in a module. */

import { expression } from './expressions.js';
import { converted } from './operands.js';
import type { Scope } from './scope.js';
import type { ExpressionSyntax, NameSyntax } from './syntax.js';
import type {
  AddressSpace,
  ArrayType,
  MatrixType,
  PointerType,
  Position,
  ScalarType,
  Type,
  VectorType,
} from './tree.js';
import {
  type AnyType,
  BOOL,
  F32,
  I32,
  isConstructible,
  isHostShareable,
  isOverrideSized,
  nestingDepth,
  typeName,
  U32,
} from './types.js';

const SCALAR_NAMES: Readonly<Record<string, ScalarType>> = { bool: BOOL, i32: I32, u32: U32, f32: F32 };
const SHORT: Readonly<Record<string, ScalarType>> = { f: F32, i: I32, u: U32 };

const LEFT_OUT =
  /^(texture_\w+|sampler|sampler_comparison|atomic|f16|vec[234]h|mat[234]x[234]h|subgroup_matrix_\w+|binding_array|buffer|texel_buffer)$/;

/** `vec3`, `mat2x2`, `array`: names that become a type through a template list or a constructor's arguments. */
export type Generator =
  | { readonly kind: 'vector'; readonly size: 2 | 3 | 4 }
  | { readonly kind: 'matrix'; readonly columns: 2 | 3 | 4; readonly rows: 2 | 3 | 4 }
  | { readonly kind: 'array' };

/**
 * The type generator of a name: `generatorOf("mat2x3") // { kind: "matrix", columns: 2, rows: 3 }`; undefined for other
 * names.
 */
export function generatorOf(name: string): Generator | undefined {
  if (name === 'array') return { kind: 'array' };
  const [, size, columns, rows] = /^(?:vec([234])|mat([234])x([234]))$/.exec(name) ?? [];
  if (size) return { kind: 'vector', size: Number(size) as 2 };
  return columns ? { kind: 'matrix', columns: Number(columns) as 2, rows: Number(rows) as 2 } : undefined;
}

/** `f32`, `vec3u`, `mat4x4f`: types that the language names. */
export function predeclaredType(name: string): Type | undefined {
  if (Object.hasOwn(SCALAR_NAMES, name)) return SCALAR_NAMES[name];
  const [, size, scalar, columns, rows] = /^(?:vec([234])([fiu])|mat([234])x([234])f)$/.exec(name) ?? [];
  if (size) return { kind: 'vector', size: Number(size) as 2, of: SHORT[scalar!]! };
  return columns ? { kind: 'matrix', columns: Number(columns) as 2, rows: Number(rows) as 2, of: F32 } : undefined;
}

/** Does the language have a type of this name? */
export const isPredeclared = (name: string) =>
  predeclaredType(name) !== undefined || generatorOf(name) !== undefined || name === 'ptr' || LEFT_OUT.test(name);

/** @throws WgslError for a type that is not supported (f16, textures, …), with a fix if there is one */
export function refuseLeftOut(name: string, at: NameSyntax['at'], scope: Scope) {
  if (LEFT_OUT.test(name)) {
    const remedy = /^(f16|\w+h)$/.test(name)
      ? '; write f32'
      : /^te(xture|xel)|^sampler/.test(name)
        ? '; write a storage buffer'
        : '';
    scope.fail(`type '${name}' is not supported${remedy}`, at);
  }
}

/** @throws WgslError when the name is no type */
export function typeOf(syntax: ExpressionSyntax, scope: Scope): Type {
  if (syntax.kind !== 'name') return scope.fail('expected a type', syntax.at);
  const { name, template, at } = syntax;
  const entity = scope.find(name);
  if (entity && entity.kind !== 'type') scope.fail(`'${name}' is not a type`, at);
  const known = entity?.kind === 'type' ? entity.type : predeclaredType(name);
  if (known) {
    if (template) scope.fail(`type '${name}' takes no template arguments`, at);
    return known;
  }
  refuseLeftOut(name, at, scope);
  if (name === 'ptr') return pointerType(syntax, scope);
  const generator = generatorOf(name);
  if (!generator) return scope.fail(`unresolved type '${name}'`, at);
  if (!template)
    return scope.fail(`'${name}' needs template arguments; write ${name}<${name === 'array' ? 'f32, 4' : 'f32'}>`, at);
  return generator.kind === 'array' ? arrayType(syntax, scope) : composite(generator, syntax, scope);
}

function templateArguments({ name, template, at }: NameSyntax, least: number, most: number, scope: Scope) {
  const count = template?.length ?? 0;
  if (count < least || count > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    scope.fail(`'${name}' takes ${wanted} template argument${most === 1 ? '' : 's'}; found ${count}`, at);
  }
  return template!;
}

function composite(
  generator: Exclude<Generator, { kind: 'array' }>,
  syntax: NameSyntax,
  scope: Scope,
): VectorType | MatrixType {
  const [element] = templateArguments(syntax, 1, 1, scope);
  const of = typeOf(element!, scope);
  if (of.kind !== 'scalar')
    return scope.fail(`'${syntax.name}' is made of scalars; found '${typeName(of)}'`, element!.at);
  if (generator.kind === 'matrix' && of.name !== 'f32') {
    scope.fail(`matrix element type must be 'f32'; found '${of.name}'`, element!.at);
  }
  return { ...generator, of } as VectorType | MatrixType;
}

function arrayType(syntax: NameSyntax, scope: Scope): ArrayType {
  const [element, size] = templateArguments(syntax, 1, 2, scope);
  const of = typeOf(element!, scope);
  if (!isConstructible(of)) scope.fail(`'${typeName(of)}' cannot be an element of an array${endOf(of)}`, element!.at);
  if (isOverrideSized(of)) scope.fail(OVERRIDE_SIZED, element!.at);
  const counted = size && arrayCount(size, scope);
  const type: ArrayType = { kind: 'array', of, count: undefined, ...counted };
  if (nestingDepth(type) > 255) scope.fail('array has a nesting depth of more than 255', syntax.at);
  return type;
}

/** The error for an array sized by an `override` outside workgroup memory. */
export const OVERRIDE_SIZED =
  "an array whose length depends on an 'override' can only be the type of a 'var<workgroup>'; use 'const'";

function arrayCount(size: ExpressionSyntax, scope: Scope): Pick<ArrayType, 'countName'> & { readonly count: number } {
  const operand = expression(size, scope);
  if (operand.kind !== 'constant') {
    return scope.fail('array count must evaluate to a constant integer expression or override variable', size.at);
  }
  const integer = converted(operand, I32, scope) ?? converted(operand, U32, scope);
  if (integer?.kind !== 'constant') {
    return scope.fail(`array count must be an integer; found '${typeName(operand.type)}'`, size.at);
  }
  const count = integer.value as number;
  if (count < 1 && integer.known !== 'later') {
    scope.fail(`array count (${count}) must be greater than 0`, size.at);
  }
  if (integer.known === 'module') return { count };
  const { line, column } = size.at;
  const countName = size.kind === 'name' ? size.name : `expression at ${line}:${column}`;
  // No constant index is past the end of an array whose length is not known yet.
  return { count: integer.known === 'later' ? Infinity : count, countName };
}

const SPACES: readonly string[] = ['function', 'private', 'workgroup', 'uniform', 'storage'];
const ACCESSES: readonly string[] = ['read', 'write', 'read_write'];

/** The `storage, read` of `var<storage, read>` or `ptr<storage, f32, read>`. */
export function spaceOf(syntax: ExpressionSyntax, scope: Scope): AddressSpace {
  if (syntax.kind === 'name' && syntax.name === 'immediate') {
    scope.fail("address space 'immediate' is not supported; write uniform", syntax.at);
  }
  if (syntax.kind !== 'name' || !SPACES.includes(syntax.name)) {
    const found = syntax.kind === 'name' ? `'${syntax.name}'` : 'an expression';
    return scope.fail(`expected an address space (${SPACES.join(', ')}); found ${found}`, syntax.at);
  }
  refuseHidden(syntax.name, 'address space', syntax.at, scope);
  return syntax.name as AddressSpace;
}

/** The access mode of a variable or pointer: the written one, else the default of its address space. */
export function accessOf(
  syntax: ExpressionSyntax | undefined,
  space: AddressSpace,
  scope: Scope,
): PointerType['access'] {
  if (!syntax) return space === 'storage' || space === 'uniform' ? 'read' : 'read_write';
  if (syntax.kind !== 'name' || !ACCESSES.includes(syntax.name)) {
    const found = syntax.kind === 'name' ? `'${syntax.name}'` : 'an expression';
    return scope.fail(`expected an access mode (${ACCESSES.join(', ')}); found ${found}`, syntax.at);
  }
  if (space !== 'storage') scope.fail('only pointers in <storage> address space may specify an access mode', syntax.at);
  if (syntax.name === 'write')
    scope.fail("access mode 'write' is not valid for the <storage> address space", syntax.at);
  refuseHidden(syntax.name, 'access mode', syntax.at, scope);
  return syntax.name as PointerType['access'];
}

/** A module may declare `read` or `storage` itself; then the word loses its own meaning. */
function refuseHidden(name: string, what: string, at: Position, scope: Scope) {
  if (scope.find(name)) scope.fail(`'${name}' is a declaration of this module here, not the ${what}; rename it`, at);
}

function pointerType(syntax: NameSyntax, scope: Scope): PointerType {
  const [spaceName, pointee, accessName] = templateArguments(syntax, 2, 3, scope);
  const space = spaceOf(spaceName!, scope);
  const of = typeOf(pointee!, scope);
  if (of.kind === 'pointer') scope.fail('a pointer cannot point to a pointer', pointee!.at);
  checkStore(of, space, pointee!.at, scope);
  return { kind: 'pointer', space, of, access: accessOf(accessName, space, scope) };
}

/** The reason that a struct has no fixed size. */
export const endOf = ({ kind }: AnyType) => (kind === 'struct' ? ', since it ends in a runtime-sized array' : '');

/** Can memory of an address space hold a type? */
export function checkStore(type: Type, space: AddressSpace, at: Position, scope: Scope) {
  const isShared = space === 'storage' || space === 'uniform';
  if (isShared && !isHostShareable(type)) {
    const rule = `type '${typeName(type)}' cannot be used in address space '${space}' as it is non-host-shareable`;
    scope.fail(`${rule}; write u32 for bool`, at);
  }
  if (space !== 'storage' && !isConstructible(type)) {
    if (type.kind === 'pointer') scope.fail(`a variable cannot hold a pointer; a 'let' or a parameter can`, at);
    scope.fail(`runtime-sized arrays cannot be used in the <${space}> address space; write array<f32, 4>`, at);
  }
  if (space !== 'workgroup' && isOverrideSized(type)) scope.fail(OVERRIDE_SIZED, at);
  if (!isShared) checkCount(type, at, scope);
}

/**
 * Unbound memory is zeroed and copied element by element, so its arrays must be short. One sized by an `override` is in
 * workgroup memory, whose size the device limits.
 */
export function checkCount(type: AnyType, at: Position, scope: Scope) {
  if (type.kind === 'struct') for (const member of type.members) checkCount(member.type, at, scope);
  if (type.kind !== 'array') return;
  if (type.count! >= 65536 && type.countName === undefined)
    scope.fail(`array count (${type.count}) must be less than 65536`, at);
  checkCount(type.of, at, scope);
}
