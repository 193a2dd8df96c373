import { describe, expect, test } from 'vitest';
import { SUBGROUP_SIZES } from '../../src/wgsl/index.js';
import { testDevice } from '../support/device.js';
import { interpret, type Memories, runOnDawn } from '../support/wgsl.js';

// Every builtin function, on numbers with its corner cases, compared with Dawn on the driver of the tests.

const N = 16;
const floats = (values: readonly number[]) => Float32Array.from({ length: N }, (_, i) => values[i % values.length]!);

const memories: Memories = {
  a: floats([0.3, -1.75, 2.5, -2.5, 0.5, -0, 7.125, -0.2, 100.5, 1, -1, 0.001, 3.4e5, -6.02, 0.75, 12]),
  b: floats([1.5, 0.25, -0.75, 3, 2, -4.5, 0.125]),
  c: floats([0.1, 0.9, 0.5, 2, -1, 0.25]),
  i: Int32Array.from({ length: N }, (_, i) => [0, 1, -1, 7, -8, 2147483647, -2147483648, 12345678][i % 8]! + (i >> 3)),
  j: Int32Array.from({ length: N }, (_, i) => [3, -5, 0x7f00ff, -2, 9, 1 << 30, 4][i % 7]!),
  u: Uint32Array.from({ length: N }, (_, i) => [0, 1, 4294967295, 0x80000000, 0x00f0ff10, 7, 0x12345678][i % 7]!),
  s: Uint32Array.from({ length: N }, (_, i) => [0, 1, 4, 31, 9, 16, 32, 40][i % 8]!),
};

/** One program that evaluates every expression at every index; results are stored as bits. */
function programOf(expressions: readonly string[]): string {
  const declared = Object.entries({ a: 'f32', b: 'f32', c: 'f32', i: 'i32', j: 'i32', u: 'u32', s: 'u32' });
  const bindings = declared.map(
    ([name, type], k) => `@group(0) @binding(${k}) var<storage, read> ${name}_: array<${type}>;`,
  );
  // All numbers pass through variables, so that nothing is folded, and every binding is used.
  return `${bindings.join('\n')}
@group(0) @binding(7) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(${N}) fn main(@builtin(local_invocation_index) n: u32) {
  let a = a_[n]; let b = b_[n]; let c = c_[n]; let i = i_[n]; let j = j_[n]; let u = u_[n]; let s = s_[n];
  y[n] = bitcast<u32>(a + b + c) ^ bitcast<u32>(i + j) ^ (u + s);
${expressions.map((expression, k) => `  y[${(k + 1) * N}u + n] = bitcast<u32>(${expression});`).join('\n')}
}`;
}

async function both(expressions: readonly string[]) {
  const given: Memories = Object.fromEntries(Object.entries(memories).map(([name, numbers]) => [`${name}_`, numbers]));
  const all = { ...given, y: new Uint32Array((expressions.length + 1) * N) };
  const text = programOf(expressions);
  const mine = interpret(text, all).y!;
  const theirs = (await runOnDawn(text, all)).y!;
  const rows = (y: typeof mine, k: number) => Uint32Array.from(y.slice((k + 1) * N, (k + 2) * N));
  return expressions.map((expression, k) => ({ expression, mine: rows(mine, k), theirs: rows(theirs, k) }));
}

/** Equal bits. WGSL pins neither those of NaN nor the sign of zero. */
function expectSameBits(rows: Awaited<ReturnType<typeof both>>): void {
  const different = rows.filter(({ mine, theirs }) =>
    mine.some((bits, n) => bits !== theirs[n] && !areSame(bits, theirs[n]!)),
  );
  expect(different).toEqual([]);
}

const asFloat = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
const areSame = (p: number, q: number) => {
  const [a, b] = [asFloat(p), asFloat(q)];
  return (a === 0 && b === 0) || (Number.isNaN(a) && Number.isNaN(b));
};

describe('builtins whose bits are pinned', () => {
  test('of floats', async () => {
    expectSameBits(
      await both([
        ...['abs', 'ceil', 'floor', 'trunc', 'round', 'sign', 'saturate'].map((f) => `${f}(a)`),
        ...['min(a, b)', 'max(a, b)', 'clamp(a, -1.0, 2.0)', 'step(a, b)', 'select(a, b, a < b)', 'fract(a)'],
        ...['ldexp(a, j & 7)', 'frexp(a).fract', 'frexp(a).exp', 'modf(a).fract', 'modf(a).whole'],
        'max(vec3f(a, b, c), vec3f(b, c, a)).y',
        'select(vec2f(a, b), vec2f(c), vec2<bool>(a < b, b < a)).y',
        'dot(vec4f(a, b, c, 1.0), vec4f(c, 2.0, a, b))',
        'cross(vec3f(a, b, c), vec3f(c, 2.0, a)).z',
        'faceForward(vec2f(a, b), vec2f(c, a), vec2f(1.0, b)).y',
        'reflect(vec2f(a, b), vec2f(0.6, c)).x',
        'determinant(mat2x2f(a, b, c, 1.0))',
        'transpose(mat3x2f(a, b, c, 1.0, 2.0, 3.0))[1].z',
        'frexp(vec2f(a, b)).exp.y',
        'modf(vec2f(a, b)).whole.y',
        'select(0u, 1u, any(vec3f(a, b, c) < vec3f(0.0)))',
        'select(0u, 1u, all(vec3f(a, b, c) < vec3f(1.0)))',
      ]),
    );
  });

  test('of integers', async () => {
    const bits = ['countOneBits', 'countLeadingZeros', 'countTrailingZeros', 'reverseBits'];
    const ends = ['firstLeadingBit', 'firstTrailingBit', 'abs'];
    expectSameBits(
      await both([
        ...[...bits, ...ends].flatMap((f) => [`${f}(i)`, `${f}(u)`]),
        ...['min(i, j)', 'max(i, j)', 'clamp(i, -9, 9)', 'min(u, s)', 'max(u, s)', 'clamp(u, 3u, 99u)', 'sign(i)'],
        ...['extractBits(i, s, 7u)', 'extractBits(u, s, 7u)', 'extractBits(u, 3u, s)', 'extractBits(i, 3u, s)'],
        ...['insertBits(i, j, s, 5u)', 'insertBits(u, u >> 3u, 3u, s)'],
        ...['dot(vec3i(i, j, 3), vec3i(j, 7, i))', 'dot(vec2u(u, s), vec2u(s, 9u))'],
        ...['dot4I8Packed(u, s * 0x01030507u)', 'dot4U8Packed(u, s * 0x01030507u)'],
        'countOneBits(vec2i(i, j)).y',
      ]),
    );
  });

  test('packing', async () => {
    expectSameBits(
      await both([
        ...['pack4x8snorm', 'pack4x8unorm'].map((f) => `${f}(vec4f(a * 0.97, b, c * 0.97, 0.31))`),
        ...['pack2x16snorm', 'pack2x16unorm'].map((f) => `${f}(vec2f(a, c) * 0.97)`),
        'pack2x16float(vec2f(b, 2.5))',
        ...['pack4xI8', 'pack4xI8Clamp'].map((f) => `${f}(vec4i(i, j, 3, -4))`),
        ...['pack4xU8', 'pack4xU8Clamp'].map((f) => `${f}(vec4u(u, s, 3u, 400u))`),
        ...['unpack4xI8', 'unpack4xU8'].map((f) => `${f}(u).y`),
        'unpack2x16float(u & 0x3fff3fffu).y',
      ]),
    );
  });
});

test('builtins with an error of their own: the interpreter and Dawn are close', async () => {
  const rows = await both([
    ...['exp', 'exp2'].map((f) => `${f}(clamp(a, -20.0, 20.0))`),
    ...['log', 'log2', 'sqrt', 'inverseSqrt'].map((f) => `${f}(abs(a) + 0.01)`),
    ...['sin', 'cos', 'sinh', 'cosh', 'atan', 'tanh', 'asinh', 'degrees', 'radians'].map(
      (f) => `${f}(clamp(a, -3.0, 3.0))`,
    ),
    ...['tan', 'asin', 'acos', 'atanh'].map((f) => `${f}(clamp(a, -0.9, 0.9))`),
    ...['acosh(abs(a) + 1.0)', 'pow(abs(a) + 0.1, c)', 'atan2(a + 0.01, b)', 'fma(a, b, c)', 'mix(a, b, c)'],
    ...['mix(vec2f(a, b), vec2f(c), c).y', 'smoothstep(-1.0, 2.0, a)', 'length(vec3f(a, b, c))', 'length(a)'],
    ...['distance(vec2f(a, b), vec2f(c, a))', 'normalize(vec3f(a, b, c)).y', 'distance(a, b)'],
    ...['refract(vec2f(a, b) * 0.01, vec2f(0.6, 0.8), 0.5).y', 'determinant(mat3x3f(a, b, c, b, c, 1.0, 2.0, a, 3.0))'],
    'determinant(mat4x4f(a, 1.0, c, 2.0, b, c, 1.0, 3.0, 2.0, a, 3.0, 4.0, 1.0, 0.5, 0.25, b))',
    'quantizeToF16(c) * 0.1', // the driver rounds to zero
    ...['unpack4x8snorm(u).y', 'unpack4x8unorm(u).y', 'unpack2x16snorm(u).y', 'unpack2x16unorm(u).y'],
  ]);
  for (const { expression, mine, theirs } of rows) {
    mine.forEach((bits, n) => {
      const [got, wanted] = [asFloat(bits), asFloat(theirs[n]!)];
      if (Number.isNaN(wanted)) return;
      const error = Math.abs(got - wanted) / Math.max(1, Math.abs(wanted));
      expect(error, `${expression} at ${n}: got ${got}, Dawn ${wanted}`).toBeLessThan(2e-4);
    });
  }
});

// ---- subgroups ----

const OPERATIONS = [
  ...['Add', 'Mul', 'Min', 'Max', 'InclusiveAdd', 'ExclusiveAdd', 'InclusiveMul', 'ExclusiveMul'].flatMap((name) => [
    `subgroup${name}(v)`,
    `bitcast<f32>(subgroup${name}(n * 3u + 1u))`,
  ]),
  ...['And', 'Or', 'Xor'].map((name) => `bitcast<f32>(subgroup${name}(n * 5u + 2u))`),
  ...['subgroupAll(v > 0.5)', 'subgroupAny(v > 0.5)', 'subgroupElect()'].map((e) => `f32(${e})`),
  'bitcast<f32>(subgroupBallot(v > 0.5).x)',
  ...['subgroupBroadcast(v, 2u)', 'subgroupBroadcastFirst(v)', 'subgroupShuffle(v, 3u - (n & 3u))'],
  ...['subgroupShuffleXor(v, 1u)', 'select(0.0, subgroupShuffleUp(v, 1u), lane > 0u)'],
  'select(0.0, subgroupShuffleDown(v, 1u), lane + 1u < size)',
  ...['quadBroadcast(v, 1u)', 'quadSwapX(v)', 'quadSwapY(v)', 'quadSwapDiagonal(v)'],
  'subgroupMax(vec2f(v, -v)).y',
  'f32(lane + size * 10u)',
];

const SUBGROUPS = `enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(
  @builtin(local_invocation_index) n: u32, @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) size: u32,
) {
  let v = x[n];
${OPERATIONS.map((operation, k) => `  y[${k * 64}u + n] = ${operation};`).join('\n')}
}`;

/** Quarters, so that sums are exact in any order; products of a few of them too. */
const lanes: Memories = {
  x: Float32Array.from({ length: 64 }, (_, i) => [0.5, 1, 2, -1, 0.25, 1, -2, 4][(i * 5) % 8]!),
  y: new Float32Array(64 * OPERATIONS.length),
};

describe('subgroup operations', () => {
  test('as Dawn gives them, at the size of the driver', async () => {
    const { subgroupSize } = await testDevice();
    const size = SUBGROUP_SIZES.find((each) => each === subgroupSize);
    if (size === undefined) throw new Error(`no subgroups of ${subgroupSize}`);
    const mine = interpret(SUBGROUPS, lanes, { subgroupSize: size }).y!;
    const theirs = (await runOnDawn(SUBGROUPS, lanes)).y!;
    OPERATIONS.forEach((operation, k) => {
      const row = (y: typeof mine) => Array.from(new Uint32Array(y.slice(k * 64, k * 64 + 64).buffer));
      expect(row(mine), operation).toEqual(row(theirs));
    });
  });

  test.each(SUBGROUP_SIZES)('subgroups of %d', (size) => {
    const { y } = interpret(SUBGROUPS, lanes, { subgroupSize: size });
    const of = (operation: string) => Array.from(y!.slice(OPERATIONS.indexOf(operation) * 64).slice(0, 64));
    const values = Array.from(lanes.x!);
    const first = (i: number) => Math.floor(i / size) * size;
    const sum = (from: number, to: number) => values.slice(from, to).reduce((total, v) => total + v, 0);
    expect(of('subgroupAdd(v)')).toEqual(values.map((_, i) => sum(first(i), first(i) + size)));
    expect(of('subgroupExclusiveAdd(v)')).toEqual(values.map((_, i) => sum(first(i), i)));
    expect(of('subgroupInclusiveAdd(v)')).toEqual(values.map((_, i) => sum(first(i), i + 1)));
    expect(of('subgroupBroadcast(v, 2u)')).toEqual(values.map((_, i) => values[first(i) + 2]));
    expect(of('f32(subgroupElect())')).toEqual(values.map((_, i) => Number(i % size === 0)));
    expect(of('quadSwapX(v)')).toEqual(values.map((_, i) => values[i ^ 1]));
    expect(of('f32(lane + size * 10u)')).toEqual(values.map((_, i) => (i % size) + size * 10));
  });
});

describe('lanes that parted', () => {
  const program = (body: string) => `enable subgroups;
diagnostic(off, subgroup_uniformity);
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
fn half(v: f32, lane: u32) -> f32 { if (lane >= 2u) { return 0.0; } return subgroupAdd(v); }
@compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { let v = f32(i + 1u); ${body} }`;
  const run = (body: string) =>
    Array.from(interpret(program(body), { y: new Float32Array(4) }, { subgroupSize: 4 }).y!);

  test('only lanes of the same branch combine, and all reconverge after it', () => {
    expect(
      run('if (i < 3u) { y[i] = subgroupAdd(v); } else { y[i] = -subgroupAdd(v); } y[i] += subgroupAdd(1.0);'),
    ).toEqual([10, 10, 10, 0]);
  });

  test('iterations are told apart, lanes that left wait behind the loop', () => {
    // Lane i goes through i + 1 iterations: in iteration k the lanes i >= k are there.
    expect(
      run('for (var k = 0u; k <= i; k++) { y[i] += subgroupAdd(1.0); } y[i] += 100.0 * subgroupAdd(1.0);'),
    ).toEqual([404, 407, 409, 410]);
  });

  test('a lane that continues joins the others in the next iteration', () => {
    const values = 'f32(k + 1u)';
    expect(
      run(`for (var k = 0u; k < 2u; k++) { if (i == 0u && k == 0u) { continue; } y[i] += subgroupAdd(${values}); }`),
    ).toEqual([8, 11, 11, 11]);
  });

  test('two calls of one function are two places', () => {
    expect(run('if (i == 0u) { y[i] = half(v, 0u); } else { y[i] = half(v, 1u); }')).toEqual([1, 9, 9, 9]);
  });

  test('an early return of a function ends with the call', () => {
    expect(run('y[i] = half(v, i) + 10.0 * subgroupAdd(1.0);')).toEqual([43, 43, 40, 40]);
  });

  test('the cases of a switch', () => {
    expect(
      run(
        'switch (i) { case 0u, 3u: { y[i] = subgroupAdd(v); } case 1u: { break; } default: { y[i] = subgroupAdd(v); } }',
      ),
    ).toEqual([5, 0, 3, 5]);
  });

  test('both sides of a short-circuit', () => {
    expect(run('if (i < 2u && subgroupAdd(1.0) == 2.0) { y[i] = 1.0; } y[i] += subgroupAdd(1.0);')).toEqual([
      5, 5, 4, 4,
    ]);
  });
});
