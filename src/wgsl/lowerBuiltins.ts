/** The functions of the language as operations on scalars, with the interpreter's order of sums. */

import { countOf, scalarOf } from './flatten.js';
import { constant, type Expr, operation, type Scalar, type SubgroupOperator } from './ir.js';
import type { Lowering } from './lower.js';
import { type Arithmetic, RECIPES } from './math.js';
import type { Expression } from './tree.js';

type Call = Extract<Expression, { kind: 'builtin' }>;

const f32 = (value: number) => constant('f32', Math.fround(value));
const i32 = (value: number) => constant('i32', value);
const u32 = (value: number) => constant('u32', value);
const add = (a: Expr, b: Expr) => operation('add', a.type, a, b);
const sub = (a: Expr, b: Expr) => operation('sub', a.type, a, b);
const mul = (a: Expr, b: Expr) => operation('mul', a.type, a, b);
const div = (a: Expr, b: Expr) => operation('div', a.type, a, b);
const and = (a: Expr, b: Expr) => operation('and', a.type, a, b);
const or = (a: Expr, b: Expr) => operation('or', a.type, a, b);
const shl = (a: Expr, b: Expr) => operation('shl', a.type, a, b);
const shr = (a: Expr, b: Expr) => operation('shr', a.type, a, b);
const min = (a: Expr, b: Expr) => operation('min', a.type, a, b);
const max = (a: Expr, b: Expr) => operation('max', a.type, a, b);
const lt = (a: Expr, b: Expr) => operation('lt', 'bool', a, b);
const eq = (a: Expr, b: Expr) => operation('eq', 'bool', a, b);
const not = (a: Expr) => operation('not', a.type, a);
const select = (condition: Expr, yes: Expr, no: Expr) => operation('select', yes.type, condition, yes, no);
const bits = (type: Scalar, a: Expr) => operation('bits', type, a);
const unary = (operator: 'abs' | 'floor' | 'ceil' | 'trunc' | 'nearest' | 'sqrt', a: Expr) =>
  operation(operator, a.type, a);

/** The arithmetic of `math.ts` as expressions; each result in a local, to avoid computing it twice. */
function expressions(lowering: Lowering): Arithmetic<Expr, Expr> {
  const pin = (value: Expr) => lowering.pin(value);
  const int = (a: Expr) => bits('i32', a);
  return {
    f32,
    i32,
    add: (a, b) => pin(add(a, b)),
    sub: (a, b) => pin(sub(a, b)),
    mul: (a, b) => pin(mul(a, b)),
    div: (a, b) => pin(div(a, b)),
    sqrt: (a) => pin(unary('sqrt', a)),
    abs: (a) => pin(unary('abs', a)),
    nearest: (a) => pin(unary('nearest', a)),
    min: (a, b) => pin(min(a, b)),
    max: (a, b) => pin(max(a, b)),
    toInt: (a) => pin(operation('convert', 'i32', a)),
    toFloat: (a) => pin(operation('convert', 'f32', a)),
    asInt: int,
    asFloat: (a) => bits('f32', a),
    addInt: (a, b) => pin(add(a, b)),
    subInt: (a, b) => pin(sub(a, b)),
    and: (a, b) => pin(and(a, b)),
    or: (a, b) => pin(or(a, b)),
    shl: (a, by) => pin(shl(a, u32(by))),
    shr: (a, by) => pin(shr(a, u32(by))),
    lt: (a, b) => pin(lt(a, b)),
    eq: (a, b) => pin(eq(a, b)),
    eqInt: (a, b) => pin(eq(a, b)),
    select: (condition, yes, no) => pin(select(condition, yes, no)),
  };
}

/** Componentwise functions: the scalars of one component in, one out. */
const COMPONENTWISE: Readonly<Record<string, (lowering: Lowering, ...operands: Expr[]) => Expr>> = {
  abs: (_, x) => (x!.type === 'u32' ? x! : unary('abs', x!)),
  ceil: (_, x) => unary('ceil', x!),
  floor: (_, x) => unary('floor', x!),
  trunc: (_, x) => unary('trunc', x!),
  round: (_, x) => unary('nearest', x!),
  sqrt: (_, x) => unary('sqrt', x!),
  min: (_, a, b) => min(a!, b!),
  max: (_, a, b) => max(a!, b!),
  clamp: (_, x, low, high) => min(max(x!, low!), high!),
  saturate: (_, x) => min(max(x!, f32(0)), f32(1)),
  fma: (_, a, b, c) => add(mul(a!, b!), c!),
  fract: (_, x) => sub(x!, unary('floor', x!)),
  inverseSqrt: (_, x) => div(f32(1), unary('sqrt', x!)),
  degrees: (_, x) => mul(x!, f32(180 / Math.PI)),
  radians: (_, x) => mul(x!, f32(Math.PI / 180)),
  mix: (_, a, b, t) => add(mul(a!, sub(f32(1), t!)), mul(b!, t!)),
  step: (_, edge, x) => select(operation('le', 'bool', edge!, x!), f32(1), f32(0)),
  sign: (_, x) => {
    const zero = constant(x!.type, 0);
    const [one, minus] = x!.type === 'f32' ? [f32(1), f32(-1)] : [i32(1), i32(-1)];
    return select(lt(zero, x!), one, select(lt(x!, zero), minus, zero));
  },
  smoothstep: (lowering, low, high, x) => {
    const ratio = div(sub(x!, low!), sub(high!, low!));
    const t = lowering.pin(min(max(ratio, f32(0)), f32(1)));
    return mul(mul(t, t), sub(f32(3), mul(f32(2), t)));
  },
  // select(no, yes, condition)
  select: (_, no, yes, condition) => select(condition!, yes!, no!),
  ldexp: (lowering, x, exponent) => {
    // Three factors that are floats, 2^278 at most. The last one is as far from 1 as it can be: where a product before it is
    // subnormal, and so rounded, the result is 0 anyway.
    const clamped = (n: Expr, low: number, high: number) => lowering.pin(min(max(n, i32(low)), i32(high)));
    const power = (n: Expr) => bits('f32', shl(add(n, i32(127)), u32(23)));
    const e = clamped(exponent!, -278, 278);
    const last = clamped(e, -126, 127);
    const second = clamped(sub(e, last), -126, 127);
    const first = sub(sub(e, last), second);
    return mul(mul(mul(x!, power(first)), power(second)), power(last));
  },
  quantizeToF16: (lowering, x) => unpackHalf(lowering, packHalf(lowering, x!)),
  countLeadingZeros: (_, x) => operation('clz', x!.type, x!),
  countTrailingZeros: (_, x) => operation('ctz', x!.type, x!),
  countOneBits: (_, x) => operation('popcnt', x!.type, x!),
  firstLeadingBit: (lowering, given) => {
    const x = lowering.pin(given!);
    // For a signed number: the first bit that differs from the sign.
    const searched = x.type === 'i32' ? operation('xor', 'i32', x, shr(x, u32(31))) : x;
    return sub(constant(x.type, 31), operation('clz', x.type, searched)); // 31 - 32 is -1: no such bit
  },
  firstTrailingBit: (lowering, given) => {
    const x = lowering.pin(given!);
    return select(
      eq(x, constant(x.type, 0)),
      constant(x.type, x.type === 'i32' ? -1 : 0xffffffff),
      operation('ctz', x.type, x),
    );
  },
  reverseBits: (lowering, given) => {
    let x = bits('u32', given!);
    for (const [by, mask] of [
      [1, 0x55555555],
      [2, 0x33333333],
      [4, 0x0f0f0f0f],
      [8, 0x00ff00ff],
      [16, 0x0000ffff],
    ] as const) {
      x = lowering.pin(x);
      x = or(and(shr(x, u32(by)), u32(mask)), shl(and(x, u32(mask)), u32(by)));
    }
    return bits(given!.type, x);
  },
  extractBits: (lowering, value, offset, count) => {
    const o = lowering.pin(min(offset!, u32(32)));
    const c = lowering.pin(min(count!, sub(u32(32), o)));
    const up = sub(sub(u32(32), o), c);
    // A shift by 32 is a shift by 0 in WGSL: nothing is extracted if count is 0.
    const moved = shr(shl(value!, and(up, u32(31))), and(sub(u32(32), c), u32(31)));
    return select(eq(c, u32(0)), constant(value!.type, 0), moved);
  },
  insertBits: (lowering, value, inserted, offset, count) => {
    const o = lowering.pin(min(offset!, u32(32)));
    const c = lowering.pin(min(count!, sub(u32(32), o)));
    const ones = select(
      operation('ge', 'bool', c, u32(32)),
      u32(0xffffffff),
      sub(shl(u32(1), and(c, u32(31))), u32(1)),
    );
    const mask = lowering.pin(shl(ones, and(o, u32(31))));
    const kept = and(bits('u32', value!), not(mask));
    const put = and(shl(bits('u32', inserted!), and(o, u32(31))), mask);
    const whole = or(kept, put);
    return bits(value!.type, select(eq(c, u32(0)), bits('u32', value!), whole));
  },
};

/** The parts of a call. */
export function lowerBuiltin(lowering: Lowering, call: Call): Expr[] {
  const { name, arguments: given, type } = call;
  const recipe = RECIPES[name];
  if (recipe !== undefined) {
    const [x, y] = lowering.operands(given);
    const arithmetic = expressions(lowering);
    return x!.map((part, i) => recipe.build(arithmetic, lowering.pin(part), lowering.pin(y?.[i] ?? f32(0))));
  }
  const componentwise = COMPONENTWISE[name];
  if (componentwise !== undefined) {
    const operands = lowering.operands(given).map((parts) => parts.map((part) => lowering.pin(part)));
    // A scalar among vectors is used for every component: mix(a, b, 0.5), select(a, b, condition), extractBits(v, 0,
    // 4).
    return Array.from({ length: countOf(type) }, (_, i) =>
      componentwise(lowering, ...operands.map((parts) => parts[parts.length === 1 ? 0 : i]!)),
    );
  }
  if (name.startsWith('subgroup') || name.startsWith('quad')) return lowerSubgroup(lowering, call);
  switch (name) {
    case 'workgroupBarrier':
    case 'storageBarrier':
    case 'textureBarrier':
      lowering.barrier(call.at);
      return [];
    case 'workgroupUniformLoad':
      return lowering.loadUniform(given[0]!, call.at);
    case 'arrayLength':
      return [lowering.arrayLength(given[0]!)];
    case 'bitcast':
      return lowering.values(given[0]!).map((part) => bits(scalarOf(type), part));
    default:
  }
  const operands = lowering.operands(given).map((parts) => parts.map((part) => lowering.pin(part)));
  return lowerComposite(lowering, call, operands);
}

const total = (terms: readonly Expr[]) => terms.reduce(add);
const dot = (a: readonly Expr[], b: readonly Expr[]) => total(a.map((x, i) => mul(x, b[i]!)));
const length = (v: readonly Expr[]) => (v.length === 1 ? unary('abs', v[0]!) : unary('sqrt', dot(v, v)));

/** Functions of whole vectors and matrices, and of packed words. */
function lowerComposite(lowering: Lowering, { name, type, at }: Call, operands: Expr[][]): Expr[] {
  const [a = [], b = [], c = []] = operands;
  const pin = (value: Expr) => lowering.pin(value);
  switch (name) {
    case 'all':
      return [a.reduce(and)];
    case 'any':
      return [a.reduce(or)];
    case 'dot':
      return [dot(a, b)];
    case 'length':
      return [length(a)];
    case 'distance':
      return [length(a.map((x, i) => pin(sub(x, b[i]!))))];
    case 'normalize': {
      const size = pin(length(a));
      return a.map((x) => div(x, size));
    }
    case 'cross': {
      const part = (i: number, j: number) => sub(mul(a[i]!, b[j]!), mul(a[j]!, b[i]!));
      return [part(1, 2), part(2, 0), part(0, 1)];
    }
    case 'faceForward': {
      const behind = pin(lt(dot(b, c), f32(0)));
      return a.map((x) => select(behind, x, operation('neg', 'f32', x)));
    }
    case 'reflect': {
      const twice = pin(mul(f32(2), dot(b, a)));
      return a.map((x, i) => sub(x, mul(twice, b[i]!)));
    }
    case 'refract': {
      const [ratio] = c as [Expr];
      const d = pin(dot(b, a));
      const k = pin(sub(f32(1), mul(mul(ratio, ratio), sub(f32(1), mul(d, d)))));
      const along = pin(add(mul(ratio, d), unary('sqrt', k)));
      const none = pin(lt(k, f32(0)));
      return a.map((x, i) => select(none, f32(0), sub(mul(ratio, x), mul(along, b[i]!))));
    }
    case 'transpose': {
      if (type.kind !== 'matrix') throw new Error('transpose of no matrix');
      const { columns, rows } = type;
      return Array.from({ length: columns * rows }, (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]!);
    }
    case 'determinant':
      return [determinant(a, Math.sqrt(a.length), pin)];
    case 'modf': {
      const whole = a.map((x) => pin(unary('trunc', x)));
      return [...a.map((x, i) => sub(x, whole[i]!)), ...whole];
    }
    case 'frexp': {
      const split = a.map((x) => frexp(lowering, x));
      return [...split.map(([part]) => part), ...split.map(([, exponent]) => exponent)];
    }
    case 'dot4U8Packed':
    case 'dot4I8Packed': {
      const to: Scalar = name === 'dot4U8Packed' ? 'u32' : 'i32';
      const byte = (word: Expr, i: number) => byteOf(bits(to, word), i);
      return [total([0, 1, 2, 3].map((i) => mul(byte(a[0]!, i), byte(b[0]!, i))))];
    }
    default:
  }
  const packed = lowerPacking(lowering, name, a);
  if (packed === undefined) throw lowering.error(`${name} is not compiled`, at);
  return packed;
}

/** Byte i of a word, counted from the lowest; sign-extended for an i32. */
function byteOf(word: Expr, i: number): Expr {
  return shr(shl(word, u32(24 - 8 * i)), u32(24));
}

function determinant(m: readonly Expr[], n: number, pin: (value: Expr) => Expr): Expr {
  const at = (column: number, row: number) => m[column * n + row]!;
  if (n === 2) return sub(mul(at(0, 0), at(1, 1)), mul(at(1, 0), at(0, 1)));
  // Along the first column; signs alternate.
  const terms = Array.from({ length: n }, (_, row) => {
    const minor = Array.from({ length: n - 1 }, (_, column) =>
      Array.from({ length: n }, (_, r) => r)
        .filter((r) => r !== row)
        .map((r) => at(column + 1, r)),
    ).flat();
    return pin(mul(at(0, row), pin(determinant(minor, n - 1, pin))));
  });
  return terms.reduce((sum, term, row) => (row % 2 === 1 ? sub(sum, term) : add(sum, term)));
}

/** x = part * 2^exponent with part in [0.5, 1); 0, infinities and NaN are their own part, with exponent 0. */
function frexp(lowering: Lowering, x: Expr): [Expr, Expr] {
  const tiny = lowering.pin(lt(unary('abs', x), f32(2 ** -126)));
  const scaled = lowering.pin(bits('i32', select(tiny, mul(x, f32(2 ** 24)), x)));
  const field = lowering.pin(and(shr(scaled, u32(23)), i32(255)));
  const plain = or(eq(x, f32(0)), eq(field, i32(255)));
  const none = lowering.pin(plain);
  const part = bits('f32', or(and(scaled, i32(0x807fffff | 0)), i32(0x3f000000)));
  const exponent = sub(sub(field, i32(126)), select(tiny, i32(24), i32(0)));
  return [select(none, x, part), select(none, i32(0), exponent)];
}

/** The f16 nearest a float, ties to even, as 16 bits. */
function packHalf(lowering: Lowering, x: Expr): Expr {
  const word = lowering.pin(bits('u32', x));
  const sign = and(shr(word, u32(16)), u32(0x8000));
  const size = lowering.pin(and(word, u32(0x7fffffff)));
  // Normal halves: move the exponent by 127 - 15, and round the 13 dropped bits.
  const odd = and(shr(size, u32(13)), u32(1));
  const normal = shr(sub(add(add(size, u32(0xfff)), odd), u32((127 - 15) << 23)), u32(13));
  // Subnormal ones: adding 1/2 · 2^-13 leaves the bits at the bottom of the sum, rounded by the addition.
  const magic = f32(0.5);
  const subnormal = sub(bits('u32', add(bits('f32', size), magic)), bits('u32', magic));
  const infinite = select(lt(u32(0x7f800000), size), u32(0x7e00), u32(0x7c00));
  const finite = select(lt(size, u32(113 << 23)), subnormal, normal);
  return or(sign, select(operation('ge', 'bool', size, u32(0x477ff000)), infinite, finite));
}

function unpackHalf(lowering: Lowering, given: Expr): Expr {
  const half = lowering.pin(given);
  const sign = shl(and(half, u32(0x8000)), u32(16));
  const size = lowering.pin(and(half, u32(0x7fff)));
  const moved = lowering.pin(shl(size, u32(13)));
  const normal = add(moved, u32((127 - 15) << 23));
  const subnormal = bits('u32', mul(operation('convert', 'f32', size), f32(2 ** -24)));
  const special = or(moved, u32(0x7f800000));
  const finite = select(lt(size, u32(0x400)), subnormal, normal);
  return bits('f32', or(sign, select(operation('ge', 'bool', size, u32(0x7c00)), special, finite)));
}

function lowerPacking(lowering: Lowering, name: string, a: readonly Expr[]): Expr[] | undefined {
  const pin = (value: Expr) => lowering.pin(value);
  const join = (parts: readonly Expr[], width: number) =>
    parts.map((part, i) => shl(and(bits('u32', part), u32(2 ** width - 1)), u32(width * i))).reduce(or);
  const signed = (x: Expr, most: number) => {
    const clamped = min(max(x, f32(-1)), f32(1));
    return operation('convert', 'i32', unary('floor', add(f32(0.5), mul(f32(most), clamped))));
  };
  const unsigned = (x: Expr, most: number) => {
    const clamped = min(max(x, f32(0)), f32(1));
    return operation('convert', 'u32', unary('floor', add(f32(0.5), mul(f32(most), clamped))));
  };
  const [word] = a.map((part) => pin(part));
  const field = (i: number, width: number, type: Scalar) =>
    shr(shl(bits(type, word!), u32(32 - width * (i + 1))), u32(32 - width));
  const float = (x: Expr) => operation('convert', 'f32', x);
  const every = (count: number, build: (i: number) => Expr) => Array.from({ length: count }, (_, i) => build(i));
  switch (name) {
    case 'pack4x8snorm':
      return [
        join(
          a.map((x) => signed(x, 127)),
          8,
        ),
      ];
    case 'pack4x8unorm':
      return [
        join(
          a.map((x) => unsigned(x, 255)),
          8,
        ),
      ];
    case 'pack2x16snorm':
      return [
        join(
          a.map((x) => signed(x, 32767)),
          16,
        ),
      ];
    case 'pack2x16unorm':
      return [
        join(
          a.map((x) => unsigned(x, 65535)),
          16,
        ),
      ];
    case 'pack2x16float':
      return [
        join(
          a.map((x) => packHalf(lowering, x)),
          16,
        ),
      ];
    case 'pack4xI8':
    case 'pack4xU8':
      return [join(a, 8)];
    case 'pack4xI8Clamp':
      return [
        join(
          a.map((x) => min(max(x, i32(-128)), i32(127))),
          8,
        ),
      ];
    case 'pack4xU8Clamp':
      return [
        join(
          a.map((x) => min(x, u32(255))),
          8,
        ),
      ];
    case 'unpack4x8snorm':
      return every(4, (i) => max(div(float(field(i, 8, 'i32')), f32(127)), f32(-1)));
    case 'unpack4x8unorm':
      return every(4, (i) => div(float(field(i, 8, 'u32')), f32(255)));
    case 'unpack2x16snorm':
      return every(2, (i) => max(div(float(field(i, 16, 'i32')), f32(32767)), f32(-1)));
    case 'unpack2x16unorm':
      return every(2, (i) => div(float(field(i, 16, 'u32')), f32(65535)));
    case 'unpack2x16float':
      return every(2, (i) => unpackHalf(lowering, field(i, 16, 'u32')));
    case 'unpack4xI8':
      return every(4, (i) => field(i, 8, 'i32'));
    case 'unpack4xU8':
      return every(4, (i) => field(i, 8, 'u32'));
    default:
      return undefined;
  }
}

/** Subgroup functions, composed of seven operators; a quad is a whole gang. */
function lowerSubgroup(lowering: Lowering, { name, arguments: given, at }: Call): Expr[] {
  const operands = lowering.operands(given).map((parts) => parts.map((part) => lowering.pin(part)));
  const [parts = [], [second] = []] = operands;
  const lane = () => lowering.builtin('lane');
  const each = (operator: SubgroupOperator, index?: Expr) =>
    parts.map((part) => lowering.subgroup(operator, part.type, part, index));
  const index = () => bits('u32', second!);
  const by = /^subgroup(Inclusive|Exclusive)?(Add|Mul|Min|Max|And|Or|Xor)$/.exec(name);
  if (by !== null) {
    const kind = by[1] === 'Inclusive' ? 'inclusive' : by[1] === 'Exclusive' ? 'exclusive' : 'reduce';
    return each({ kind, by: by[2]!.toLowerCase() as 'add' });
  }
  const ballot = (condition: Expr) => lowering.subgroup({ kind: 'ballot' }, 'u32', condition);
  switch (name) {
    case 'subgroupElect':
      return [lowering.subgroup({ kind: 'elect' }, 'bool', constant('bool', 1))];
    case 'subgroupBallot':
      return [ballot(parts[0]!), u32(0), u32(0), u32(0)];
    case 'subgroupAny':
      return [operation('ne', 'bool', ballot(parts[0]!), u32(0))];
    case 'subgroupAll':
      return [eq(ballot(not(parts[0]!)), u32(0))];
    case 'subgroupBroadcast':
    case 'quadBroadcast':
      return each({ kind: 'broadcast' }, index());
    case 'subgroupBroadcastFirst':
      return each({ kind: 'first' });
    case 'subgroupShuffle':
      return each({ kind: 'shuffle' }, index());
    case 'subgroupShuffleXor':
      return each({ kind: 'shuffle' }, operation('xor', 'u32', lane(), index()));
    case 'subgroupShuffleUp':
      return each({ kind: 'shuffle' }, sub(lane(), index()));
    case 'subgroupShuffleDown':
      return each({ kind: 'shuffle' }, add(lane(), index()));
    case 'quadSwapX':
      return each({ kind: 'shuffle' }, operation('xor', 'u32', lane(), u32(1)));
    case 'quadSwapY':
      return each({ kind: 'shuffle' }, operation('xor', 'u32', lane(), u32(2)));
    case 'quadSwapDiagonal':
      return each({ kind: 'shuffle' }, operation('xor', 'u32', lane(), u32(3)));
    default:
      throw lowering.error(`${name} is not compiled`, at);
  }
}
