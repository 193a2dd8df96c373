/** Values constructed from parts: `vec3f(1, v.xy)`, `array(1, 2, 3)`, `Particle(position, velocity)`. */
import { foldConstruct } from './constants.js';
import {
  type ConstantOperand,
  converted,
  expressionOf,
  fold,
  loaded,
  type Operand,
  type ValueOperand,
  value,
} from './operands.js';
import type { Scope } from './scope.js';
import type { Position } from './tree.js';
import { checkCount, type Generator } from './typeNames.js';
import {
  ABSTRACT_FLOAT,
  ABSTRACT_INT,
  type AnyArray,
  type AnyMatrix,
  type AnyScalar,
  type AnyType,
  type AnyVector,
  BOOL,
  commonType,
  concrete,
  convertsTo,
  F32,
  I32,
  isConstructible,
  isOverrideSized,
  sameType,
  scalarOf,
  typeName,
  U32,
} from './types.js';

/** The types of the converted arguments, and the type of the result. */
interface Plan {
  readonly type: AnyType;
  readonly parameters: readonly AnyType[];
}

/** @param wanted a type, or a name such as `vec3` whose scalar follows from the arguments */
export function construct(
  wanted: AnyType | Generator,
  name: string,
  given: readonly Operand[],
  at: Position,
  scope: Scope,
): ConstantOperand | ValueOperand {
  const types = given.map((operand) => operand.type);
  const plan = planOf(wanted, types, name, at, scope);
  if (!plan) {
    const printed =
      'of' in wanted || wanted.kind === 'scalar' || wanted.kind === 'struct' ? typeName(wanted as AnyType) : name;
    return scope.fail(`no matching constructor for '${printed}(${types.map(typeName).join(', ')})'`, at);
  }
  const { parameters, type } = plan;
  if (!isConstructible(type)) scope.fail(`a value of type '${typeName(type)}' cannot be made`, at);
  checkCount(type, at, scope);
  if (isOverrideSized(type)) {
    scope.fail(`a value of type '${typeName(type)}', whose length depends on an 'override', cannot be made`, at);
  }
  const only = given.length === 1 ? loaded(given[0]!, scope) : undefined;
  if (only?.kind === 'value' && sameType(only.type, type)) return only;
  if (given.every((operand) => operand.kind === 'constant')) {
    return fold(scope, at, given as ConstantOperand[], type, () => {
      const parts = given.map((operand, i) => converted(operand, parameters[i]!, scope) as ConstantOperand);
      return foldConstruct(type, parts);
    });
  }
  const values = given.map((operand, i) => converted(operand, concrete(parameters[i]!), scope)!);
  return value({
    kind: 'construct',
    type: concrete(type),
    at,
    arguments: values.map((argument) => expressionOf(argument, scope)),
  });
}

/** Scalars in the order in which an untyped constructor prefers them. */
const SCALARS: readonly AnyScalar[] = [BOOL, ABSTRACT_INT, I32, U32, ABSTRACT_FLOAT, F32];

function planOf(
  wanted: AnyType | Generator,
  given: readonly AnyType[],
  name: string,
  at: Position,
  scope: Scope,
): Plan | undefined {
  switch (wanted.kind) {
    case 'scalar':
      if (given.length === 0) return { type: wanted, parameters: [] };
      return given.length === 1 && given[0]!.kind === 'scalar' ? { type: wanted, parameters: given } : undefined;
    case 'vector':
      return vectorPlan(wanted.size, 'of' in wanted ? wanted.of : undefined, given);
    case 'matrix':
      return matrixPlan(wanted, 'of' in wanted ? wanted.of : undefined, given);
    case 'array':
      return 'of' in wanted ? partsPlan(wanted, given, at, scope) : inferredArray(given, name, at, scope);
    case 'struct':
      return partsPlan(wanted, given, at, scope);
    default:
      return undefined;
  }
}

/** The scalar that all parts convert to. */
function commonScalar(given: readonly AnyType[], among: readonly AnyScalar[]): AnyScalar | undefined {
  const scalars = given.map(scalarOf);
  if (scalars.includes(undefined)) return undefined;
  return among.find((to) => scalars.every((from) => convertsTo(from!, to)));
}

function vectorPlan(size: 2 | 3 | 4, of: AnyScalar | undefined, given: readonly AnyType[]): Plan | undefined {
  const [first] = given;
  const vectorOf = (scalar: AnyScalar): AnyVector => ({ kind: 'vector', size, of: scalar });
  if (!first) return { type: vectorOf(of ?? ABSTRACT_INT), parameters: [] };
  if (given.length === 1 && first.kind === 'vector') {
    // A whole vector may convert any scalar to any other.
    return first.size === size ? { type: vectorOf(of ?? first.of), parameters: given } : undefined;
  }
  const scalar = commonScalar(given, of ? [of] : SCALARS);
  if (!scalar) return undefined;
  const components = given.reduce((sum, type) => sum + sizeIn(type), 0);
  if (components !== size && !(given.length === 1 && first.kind === 'scalar')) return undefined;
  const parameters = given.map((type): AnyType => (type.kind === 'vector' ? { ...type, of: scalar } : scalar));
  return { type: vectorOf(scalar), parameters };
}

/** Number of components in a part of a vector; NaN for an invalid part. */
function sizeIn(type: AnyType): number {
  return type.kind === 'scalar' ? 1 : type.kind === 'vector' ? type.size : Number.NaN;
}

function matrixPlan(
  { columns, rows }: Pick<AnyMatrix, 'columns' | 'rows'>,
  of: AnyScalar | undefined,
  given: readonly AnyType[],
): Plan | undefined {
  const matrixOf = (scalar: AnyScalar): AnyMatrix => ({ kind: 'matrix', columns, rows, of: scalar });
  const [first] = given;
  if (!first) return of && { type: matrixOf(of), parameters: [] };
  const scalar = commonScalar(given, of ? [of] : [ABSTRACT_FLOAT, F32]);
  if (!scalar) return undefined;
  const type = matrixOf(scalar);
  if (given.length === 1 && first.kind === 'matrix') {
    return first.columns === columns && first.rows === rows ? { type, parameters: [type] } : undefined;
  }
  const isColumn = (part: AnyType) => part.kind === 'vector' && part.size === rows;
  if (given.length === columns && given.every(isColumn)) {
    return { type, parameters: given.map(() => ({ kind: 'vector', size: rows, of: scalar }) as const) };
  }
  const allScalars = given.length === columns * rows && given.every((part) => part.kind === 'scalar');
  return allScalars ? { type, parameters: given.map(() => scalar) } : undefined;
}

/** Elements of an array or members of a struct: none, or every one. */
function partsPlan(type: AnyType, given: readonly AnyType[], at: Position, scope: Scope): Plan | undefined {
  if (given.length === 0) return { type, parameters: [] };
  const parameters =
    type.kind === 'struct'
      ? type.members.map((member) => member.type)
      : new Array<AnyType>((type as AnyArray).count ?? 0).fill((type as AnyArray).of);
  if (given.length !== parameters.length) {
    const few = given.length < parameters.length ? 'few' : 'many';
    scope.fail(
      `'${typeName(type)}' constructor has too ${few} inputs: expected ${parameters.length}, found ${given.length}`,
      at,
    );
  }
  return given.every((part, i) => convertsTo(part, parameters[i]!)) ? { type, parameters } : undefined;
}

function inferredArray(given: readonly AnyType[], name: string, at: Position, scope: Scope): Plan | undefined {
  if (given.length === 0) scope.fail(`cannot infer the element type of '${name}()'; write array<f32, 4>()`, at);
  const element = commonType(given);
  return element && { type: { kind: 'array', of: element, count: given.length }, parameters: given.map(() => element) };
}
