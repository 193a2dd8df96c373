/**
 * The functions of the language: their parameter and result types.
 *
 * A signature is written in a small notation. `S` is a scalar of the kinds listed; `V` a vector of it, `V2` to `V4` one of
 * that size, and `T` either; within one call they have one scalar and one size. `T:bool` has the shape of T and another
 * scalar. Anything else is a type by its name.
 *
 * @see https://www.w3.org/TR/WGSL/#builtin-functions
 */
import {
  type AnyScalar,
  type AnyScalarName,
  type AnyType,
  type AnyVector,
  BOOL,
  convertsTo,
  F32,
  I32,
  resultStruct,
  SCALARS,
  U32,
  VOID,
} from './types.js';

interface Signature {
  /** the types allowed for S, the best first */
  readonly over: readonly AnyScalarName[];
  readonly takes: readonly string[];
  readonly gives: string;
}

/** The resolved call of a function of the language. */
export interface ResolvedBuiltin {
  /** type to which each argument is converted */
  readonly parameters: readonly AnyType[];
  readonly returns: AnyType;
}

const FLOAT = ['abstract-float', 'f32'] as const;
const INTEGER = ['i32', 'u32'] as const;
const NUMBER = ['abstract-int', 'i32', 'u32', 'abstract-float', 'f32'] as const;
const SIGNED = ['abstract-int', 'i32', 'abstract-float', 'f32'] as const;
const ANY = ['bool', ...NUMBER] as const;
const RUNTIME_NUMBER = ['i32', 'u32', 'f32'] as const;

const signature = (over: readonly AnyScalarName[], takes: string, gives: string): Signature => ({
  over,
  takes: takes === '' ? [] : takes.split(' '),
  gives,
});
/** The same signatures under several names. */
const named = (names: string, ...signatures: readonly Signature[]) =>
  names.split(/\s+/).map((name) => [name, signatures] as const);

/** Pure functions, allowed in constant expressions. */
const OF_VALUES: Readonly<Record<string, readonly Signature[]>> = Object.fromEntries([
  ...named(
    `acos acosh asin asinh atan atanh ceil cos cosh degrees exp exp2 floor fract inverseSqrt log log2 radians round saturate
     sin sinh sqrt tan tanh trunc`,
    signature(FLOAT, 'T', 'T'),
  ),
  ...named('quantizeToF16', signature(['f32'], 'T', 'T')),
  ...named('abs', signature(NUMBER, 'T', 'T')),
  ...named('sign', signature(SIGNED, 'T', 'T')),
  ...named('min max', signature(NUMBER, 'T T', 'T')),
  ...named('clamp', signature(NUMBER, 'T T T', 'T')),
  ...named('atan2 pow step', signature(FLOAT, 'T T', 'T')),
  ...named('fma smoothstep', signature(FLOAT, 'T T T', 'T')),
  ...named('mix', signature(FLOAT, 'T T T', 'T'), signature(FLOAT, 'V V S', 'V')),
  ...named('ldexp', signature(FLOAT, 'T T:i32', 'T')),
  ...named('frexp', signature(FLOAT, 'T', 'frexp')),
  ...named('modf', signature(FLOAT, 'T', 'modf')),
  ...named('cross', signature(FLOAT, 'V3 V3', 'V')),
  ...named('distance', signature(FLOAT, 'T T', 'S')),
  ...named('length', signature(FLOAT, 'T', 'S')),
  ...named('normalize', signature(FLOAT, 'V', 'V')),
  ...named('dot', signature(NUMBER, 'V V', 'S')),
  ...named('faceForward', signature(FLOAT, 'V V V', 'V')),
  ...named('reflect', signature(FLOAT, 'V V', 'V')),
  ...named('refract', signature(FLOAT, 'V V S', 'V')),
  ...named(
    'countLeadingZeros countOneBits countTrailingZeros firstLeadingBit firstTrailingBit reverseBits',
    signature(INTEGER, 'T', 'T'),
  ),
  ...named('extractBits', signature(INTEGER, 'T u32 u32', 'T')),
  ...named('insertBits', signature(INTEGER, 'T T u32 u32', 'T')),
  ...named('all any', signature(['bool'], 'T', 'S')),
  ...named('select', signature(ANY, 'T T T:bool', 'T'), signature(ANY, 'V V bool', 'V')),
  ...named('dot4I8Packed', signature([], 'u32 u32', 'i32')),
  ...named('dot4U8Packed', signature([], 'u32 u32', 'u32')),
  ...named('pack4x8snorm pack4x8unorm', signature(['f32'], 'V4', 'u32')),
  ...named('pack2x16snorm pack2x16unorm pack2x16float', signature(['f32'], 'V2', 'u32')),
  ...named('pack4xI8 pack4xI8Clamp', signature(['i32'], 'V4', 'u32')),
  ...named('pack4xU8 pack4xU8Clamp', signature(['u32'], 'V4', 'u32')),
  ...named('unpack4x8snorm unpack4x8unorm', signature([], 'u32', 'vec4<f32>')),
  ...named('unpack2x16snorm unpack2x16unorm unpack2x16float', signature([], 'u32', 'vec2<f32>')),
  ...named('unpack4xI8', signature([], 'u32', 'vec4<i32>')),
  ...named('unpack4xU8', signature([], 'u32', 'vec4<u32>')),
]);

/** Between the invocations of a subgroup or a quad: `enable subgroups`. */
const OF_SUBGROUPS: Readonly<Record<string, readonly Signature[]>> = Object.fromEntries([
  ...named(
    `subgroupAdd subgroupMul subgroupMin subgroupMax subgroupInclusiveAdd subgroupInclusiveMul subgroupExclusiveAdd
     subgroupExclusiveMul subgroupBroadcastFirst quadSwapX quadSwapY quadSwapDiagonal`,
    signature(RUNTIME_NUMBER, 'T', 'T'),
  ),
  ...named('subgroupAnd subgroupOr subgroupXor', signature(INTEGER, 'T', 'T')),
  ...named('subgroupAll subgroupAny', signature(['bool'], 'S', 'S')),
  ...named('subgroupElect', signature([], '', 'bool')),
  ...named('subgroupBallot', signature([], 'bool', 'vec4<u32>')),
  ...named(
    'subgroupBroadcast subgroupShuffle quadBroadcast',
    signature(RUNTIME_NUMBER, 'T i32', 'T'),
    signature(RUNTIME_NUMBER, 'T u32', 'T'),
  ),
  ...named('subgroupShuffleUp subgroupShuffleDown subgroupShuffleXor', signature(RUNTIME_NUMBER, 'T u32', 'T')),
]);

const BARRIERS: Readonly<Record<string, readonly Signature[]>> = Object.fromEntries(
  named('workgroupBarrier storageBarrier', signature([], '', 'void')),
);

const TABLE = { ...OF_VALUES, ...OF_SUBGROUPS, ...BARRIERS };

/** Functions whose types the table cannot express; expressions.ts handles them. */
export const SPECIAL = ['bitcast', 'arrayLength', 'workgroupUniformLoad', 'transpose', 'determinant'] as const;

/** Functions of WGSL that are not implemented, with the reason. */
export const LEFT_OUT: Readonly<Record<string, string>> = Object.fromEntries([
  ['print', 'printing is not supported'],
  ...`bufferView bufferArrayView bufferLength`
    .split(' ')
    .map((name) => [name, 'buffers without a type are not supported']),
  ...`dpdx dpdxCoarse dpdxFine dpdy dpdyCoarse dpdyFine fwidth fwidthCoarse fwidthFine`
    .split(' ')
    .map((name) => [name, 'derivatives are for fragment shaders']),
  ...`atomicLoad atomicStore atomicAdd atomicSub atomicMax atomicMin atomicAnd atomicOr atomicXor atomicExchange
      atomicCompareExchangeWeak`
    .split(/\s+/)
    .map((name) => [name, 'atomics are not supported']),
  ...`textureDimensions textureGather textureGatherCompare textureLoad textureNumLayers textureNumLevels textureNumSamples
      textureSample textureSampleBias textureSampleCompare textureSampleCompareLevel textureSampleGrad textureSampleLevel
      textureSampleBaseClampToEdge textureStore textureBarrier`
    .split(/\s+/)
    .map((name) => [name, 'textures are not supported; write a storage buffer']),
]);

/** Does the language have a function of this name? `isBuiltin("clamp") // true`. */
export const isBuiltin = (name: string) => Object.hasOwn(TABLE, name) || (SPECIAL as readonly string[]).includes(name);
/** Does a function need `enable subgroups;`? `needsSubgroups("subgroupAdd") // true`. */
export const needsSubgroups = (name: string) => Object.hasOwn(OF_SUBGROUPS, name);
/** Whether invocations come together for it: `isCooperative("workgroupBarrier") // true`. */
export const isCooperative = (name: string) =>
  needsSubgroups(name) || Object.hasOwn(BARRIERS, name) || name === 'workgroupUniformLoad';
/** Is a call with constants a constant? */
export const isOfValues = (name: string) =>
  Object.hasOwn(OF_VALUES, name) || ['bitcast', 'transpose', 'determinant'].includes(name);

/**
 * The first signature that the arguments convert to, with the best scalar for it.
 *
 * @returns undefined if no signature fits
 */
export function resolveBuiltin(name: string, given: readonly AnyType[]): ResolvedBuiltin | undefined {
  for (const { over, takes, gives } of TABLE[name]!) {
    if (takes.length !== given.length) continue;
    const shape = shapeOf(takes, given);
    if (shape === undefined) continue;
    for (const scalarName of over.length > 0 ? over : (['u32'] as const)) {
      const scalar = SCALARS[scalarName];
      const parameters = takes.map((pattern) => instantiate(pattern, scalar, shape));
      if (given.every((type, i) => convertsTo(type, parameters[i]!))) {
        return { parameters, returns: instantiate(gives, scalar, shape) };
      }
    }
  }
  return undefined;
}

type Shape = 1 | 2 | 3 | 4;

/** The size that T and V have in this call; undefined if an argument is no such vector or scalar. */
function shapeOf(takes: readonly string[], given: readonly AnyType[]): Shape | undefined {
  const at = takes.findIndex((pattern) => /^[TV]/.test(pattern));
  if (at === -1) return 1;
  const type = given[at]!;
  const size = type.kind === 'vector' ? type.size : type.kind === 'scalar' ? 1 : undefined;
  const [letter, wanted] = takes[at]!;
  if (letter === 'V' && (size === 1 || (wanted !== undefined && Number(wanted) !== size))) return undefined;
  return size;
}

function instantiate(pattern: string, scalar: AnyScalar, shape: Shape): AnyType {
  const shaped = (of: AnyScalar): AnyType => (shape === 1 ? of : ({ kind: 'vector', size: shape, of } as AnyVector));
  switch (pattern) {
    case 'S':
      return scalar;
    case 'T':
    case 'V':
    case 'V2':
    case 'V3':
    case 'V4':
      return shaped(scalar);
    case 'T:bool':
      return shaped(BOOL);
    case 'T:i32':
      return shaped(I32);
    case 'frexp':
      return resultStruct('fract', shaped(scalar), 'exp', shaped(scalar === F32 ? I32 : SCALARS['abstract-int']));
    case 'modf':
      return resultStruct('fract', shaped(scalar), 'whole', shaped(scalar));
    case 'void':
      return VOID;
  }
  const vector = /^vec([24])<(\w+)>$/.exec(pattern);
  if (vector) {
    return { kind: 'vector', size: Number(vector[1]) as 2 | 4, of: SCALARS[vector[2] as AnyScalarName] };
  }
  return { bool: BOOL, i32: I32, u32: U32 }[pattern as 'bool' | 'i32' | 'u32'];
}
