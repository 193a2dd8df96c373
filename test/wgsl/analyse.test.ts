import { describe, expect, test } from 'vitest';
import {
  alignOf,
  type Module,
  parseModule,
  type StructType,
  sizeOf,
  strideOf,
  typeName,
} from '../../src/wgsl/index.js';
import { printFunction } from '../support/printTree.js';

/** The body of `f` in a module, as it was understood. */
const body = (text: string) => printFunction(parseModule(text), 'f');
/** A statement in a function with a few variables. */
const statement = (text: string) =>
  body(`
    struct S { x: f32, v: vec3f }
    var<workgroup> w: array<u32, 8>;
    fn g(p: ptr<function, i32>) -> i32 { return *p; }
    fn f(i: i32, u: u32, a: f32, b: bool, v: vec3f, m: mat3x2f, s: S) { ${text} }`);
/** The value of an expression of constants, as the literal that it became. */
const folded = (expression: string) => body(`fn f() { let x = ${expression}; }`).replace(/^let x: \S+( \d>)? = /, '');

describe('types and layout', () => {
  const layout = (members: string) => {
    const module = parseModule(`struct S { ${members} } @group(0) @binding(0) var<storage> s: S;`);
    const { members: placed, size, align } = module.globals[0]!.type as StructType;
    return { offsets: placed.map(({ offset }) => offset), size, align };
  };

  test.each([
    ['a: f32, b: vec3f, c: f32', [0, 16, 28], 32, 16],
    ['a: vec2f, b: f32', [0, 8], 16, 8],
    ['a: u32, b: array<vec3u, 2>, c: i32', [0, 16, 48], 64, 16],
    ['a: mat2x2f, b: mat3x3f', [0, 16], 64, 16],
    ['@size(16) a: f32, b: f32', [0, 16], 20, 4],
    ['a: f32, @align(16) b: f32', [0, 16], 32, 16],
    ['n: u32, rest: array<vec2f>', [0, 8], 16, 8],
  ])('struct { %s }', (members, offsets, size, align) => {
    expect(layout(members)).toEqual({ offsets, size, align });
  });

  test('sizes, strides and names', () => {
    const module = parseModule(`@group(0) @binding(0) var<storage> s: array<mat4x3<f32>, 5>;`);
    const { type } = module.globals[0]!;
    expect([typeName(type), sizeOf(type), strideOf(type), alignOf(type)]).toEqual([
      'array<mat4x3<f32>, 5>',
      320,
      64,
      16,
    ]);
  });

  test('types have short names, aliases and counts from constants', () => {
    const text = `
      alias Row = array<vec4f, N * 2>;
      const N = 4u;
      fn f(a: Row, b: array<vec4<f32>, 8>, c: mat2x3f, d: ptr<workgroup, u32>) { }`;
    const names = parseModule(text).functions[0]!.parameters.map(({ type }) => typeName(type));
    expect(names).toEqual([
      'array<vec4<f32>, 8>',
      'array<vec4<f32>, 8>',
      'mat2x3<f32>',
      'ptr<workgroup, u32, read_write>',
    ]);
  });
});

describe('conversions', () => {
  test.each([
    ['let x = 1;', 'let x: i32 = 1i'],
    ['let x = 1.5;', 'let x: f32 = 1.5f'],
    ['let x: u32 = 1;', 'let x: u32 = 1u'],
    ['let x: f32 = 1;', 'let x: f32 = 1f'],
    ['let x = a + 1;', 'let x: f32 = (a + 1f)'],
    ['let x = 2 * v;', 'let x: vec3<f32> = (2f * v)'],
    ['let x = u << 1;', 'let x: u32 = (u << 1u)'],
    ['let x = 1 << u;', 'let x: i32 = (1i << u)'],
    ['let x = min(u, 3);', 'let x: u32 = min(u, 3u)'],
    ['let x = clamp(a, 0, 1);', 'let x: f32 = clamp(a, 0f, 1f)'],
    ['let x = select(1, 2, b);', 'let x: i32 = select(1i, 2i, b)'],
    ['let x = f32(i);', 'let x: f32 = f32(i)'],
    ['let x = f32(a);', 'let x: f32 = a'],
    ['let x = vec3(1, a, 2);', 'let x: vec3<f32> = vec3<f32>(1f, a, 2f)'],
    ['let x = vec3(v);', 'let x: vec3<f32> = v'],
    ['let x = vec3i(v);', 'let x: vec3<i32> = vec3<i32>(v)'],
    ['let x = vec4f(v.xy, 0, 1);', 'let x: vec4<f32> = vec4<f32>(v.xy, 0f, 1f)'],
    ['let x = array(1, 2u);', 'let x: array<u32, 2> = array<u32, 2>(1u, 2u)'],
    ['let x = array(u, 2);', 'let x: array<u32, 2> = array<u32, 2>(u, 2u)'],
    ['let x = mat2x2(a, 1, 2, 3);', 'let x: mat2x2<f32> = mat2x2<f32>(a, 1f, 2f, 3f)'],
    ['let x = m * v;', 'let x: vec2<f32> = (m * v)'],
    ['let x = v.xy * m;', 'let x: vec3<f32> = (v.xy * m)'],
    ['let x = S(1, v);', 'let x: S = S(1f, v)'],
    ['let x = bitcast<u32>(a);', 'let x: u32 = bitcast<u32>(a)'],
    ['let x = frexp(a).exp;', 'let x: i32 = frexp(a).1'],
    ['let x = modf(v).whole.y;', 'let x: f32 = modf(v).1.y'],
    ['let x = all(v < vec3f(1));', 'let x: bool = all((v < vec3<f32>(1f, 1f, 1f)))'],
  ])('%s', (text, expected) => expect(statement(text)).toBe(expected));
});

describe('constants', () => {
  test.each([
    ['1 + 2 * 3', '7i'],
    ['7 / 2', '3i'],
    ['-7 % 3', '-1i'],
    ['7.5 % 2', '1.5f'],
    ['-7.5 % 2', '-1.5f'],
    ['1.0 / 3.0', `${Math.fround(1 / 3)}f`],
    ['0.1f + 0.2f', `${Math.fround(Math.fround(0.1) + Math.fround(0.2))}f`],
    ['4294967295u + 1u', '0u'],
    ['-2147483648', '-2147483648i'],
    ['u32(-1i)', '4294967295u'],
    ['i32(1.9)', '1i'],
    ['u32(true)', '1u'],
    ['bool(0.0)', 'false'],
    ['1u << 31', '2147483648u'],
    ['-8 >> 1u', '-4i'],
    ['(5 & 3) | 8', '9i'],
    ['~0u', '4294967295u'],
    ['true && (1 > 2)', 'false'],
    ['false && (1 / 0 == 1)', 'false'],
    ['max(3, 4.5)', '4.5f'],
    ['sqrt(16)', '4f'],
    ['dot(vec3(1, 2, 3), vec3(4, 5, 6))', '32i'],
    ['length(vec2(3, 4))', '5f'],
    ['cross(vec3f(1, 0, 0), vec3f(0, 1, 0))', 'vec3<f32>(0f, 0f, 1f)'],
    ['select(1, 2, true)', '2i'],
    ['vec3(1, 2, 3).zyx', 'vec3<i32>(3i, 2i, 1i)'],
    ['vec3(1, 2, 3).y', '2i'],
    ['array(5, 6, 7)[1 + 1]', '7i'],
    ['vec2(1, 2) * 2 + 1', 'vec2<i32>(3i, 5i)'],
    ['mat2x2(1, 2, 3, 4) * vec2(1, 1)', 'vec2<f32>(4f, 6f)'],
    ['vec2(1, 1) * mat2x2(1, 2, 3, 4)', 'vec2<f32>(3f, 7f)'],
    ['determinant(mat2x2(1, 2, 3, 4))', '-2f'],
    ['transpose(mat2x2(1, 2, 3, 4))[0]', 'vec2<f32>(1f, 3f)'],
    ['vec3f()', 'vec3<f32>()'],
    ['vec2f(0, -0.0)', 'vec2<f32>(0f, 0f)'],
    ['bitcast<i32>(0xffffffffu)', '-1i'],
    ['countOneBits(255)', '8i'],
    ['firstLeadingBit(8u)', '3u'],
    ['pack4xU8(vec4u(1, 2, 3, 4))', '67305985u'],
    ['unpack4xU8(67305985)', 'vec4<u32>(1u, 2u, 3u, 4u)'],
    ['frexp(6.0).fract', '0.75f'],
    ['frexp(6.0).exp', '3i'],
    ['modf(-2.5).whole', '-2f'],
    ['round(2.5)', '2f'],
    ['sign(-3)', '-1i'],
    ['mix(1, 3, 0.5)', '2f'],
  ])('%s is %s', (expression, expected) => {
    expect(folded(expression)).toBe(expected);
  });

  test('declarations may come in any order and build on each other', () => {
    const text = `
      fn f() { let x = AREA; }
      const AREA = WIDTH * HEIGHT;
      const WIDTH = 6u;
      const HEIGHT: u32 = WIDTH + 1;
      const_assert AREA == 42;`;
    expect(body(text)).toBe('let x: u32 = 42u');
  });

  test('an inner const hides an outer one from its declaration on', () => {
    const text = 'const n = 1; fn f() { let x = n; { const n = n + 1; let y = n; } let z = n; }';
    expect(body(text)).toBe('let x: i32 = 1i\nblock\n  let y: i32 = 2i\nlet z: i32 = 1i');
  });

  test('a table of constants may be indexed at run time', () => {
    expect(body('const T = array(1u, 2u); fn f(i: u32) -> u32 { return T[i]; }')).toBe(
      'return array<u32, 2>(1u, 2u)[i]',
    );
  });
});

describe('places, pointers and assignments', () => {
  test.each([
    ['var x = 1; x += i; x++;', 'var x: i32 = 1i\nx += i\nx += 1i'],
    [
      'var x = 1; let p = &x; *p = *p + 1;',
      'var x: i32 = 1i\nlet p: ptr<function, i32, read_write> = &x\n*p = (load(*p) + 1i)',
    ],
    ['var x = 1; *&x = 2; let y = g(&x);', 'var x: i32 = 1i\nx = 2i\nlet y: i32 = g(&x)'],
    ['w[i] = u; w[2u] -= 1;', 'w[i] = u\nw[2u] -= 1u'],
    ['let p = &w; p[u] = (*p)[0];', 'let p: ptr<workgroup, array<u32, 8>, read_write> = &w\n*p[u] = load(*p[0i])'],
    ['var t: S; t.v.y = t.x;', 'var t: S\nt.1[1u] = load(t.0)'],
    ['var t: S; let p = &t; p.v[i] *= 2;', 'var t: S\nlet p: ptr<function, S, read_write> = &t\n*p.1[i] *= 2f'],
    ['var t = v; t *= 2; t = t + v;', 'var t: vec3<f32> = v\nt *= 2f\nt = (load(t) + v)'],
    ['var t = m; t[0] = v.xy; t[1].x = 3;', 'var t: mat3x2<f32> = m\nt[0i] = v.xy\nt[1i][0u] = 3f'],
    ['_ = i; _ = 3; _ = w[0];', '_ = i\n_ = load(w[0i])'],
    ['let y = v.xy + s.v.zz;', 'let y: vec2<f32> = (v.xy + s.1.zz)'],
  ])('%s', (text, expected) => expect(statement(text)).toBe(expected));

  test('an assignment to a swizzle stores each component, after the value is known', () => {
    expect(statement('var t = v; t.yx = t.xy;')).toBe(`var t: vec3<f32> = v
block
  let swizzle: vec2<f32> = load(t).xy
  t[1u] = swizzle.x
  t[0u] = swizzle.y`);
  });

  test('the vector of a swizzle is found once', () => {
    expect(statement('var t: array<vec3f, 4>; t[i].xz *= 2;')).toBe(`var t: array<vec3<f32>, 4>
block
  let swizzle: ptr<function, vec3<f32>, read_write> = &t[i]
  let swizzle: vec2<f32> = load(*swizzle).xz
  let swizzle: vec2<f32> = (swizzle * 2f)
  *swizzle[0u] = swizzle.x
  *swizzle[2u] = swizzle.y`);
  });

  test('a component of a swizzle is a place of its own', () => {
    expect(statement('var t = v; t.zyx[i] += 1; t.yz.y = 2;')).toBe(
      'var t: vec3<f32> = v\nt[vec3<u32>(2u, 1u, 0u)[i]] += 1f\nt[2u] = 2f',
    );
  });
});

describe('control flow', () => {
  test.each([
    [
      'if b { return; } else if i > 0 { _ = u; } else { return; }',
      'if b\n  return\nelse\n  if (i > 0i)\n    _ = u\n  else\n    return',
    ],
    [
      'for (var k = 0; k < i; k++) { if b { continue; } _ = k; }',
      'block\n  var k: i32 = 0i\n  loop while (load(k) < i)\n    if b\n      continue\n    _ = load(k)\n  continuing\n    k += 1i',
    ],
    ['for (;;) { break; }', 'block\n  loop\n    break'],
    ['while b { }', 'loop while b'],
    [
      'loop { let k = i; if b { break; } continuing { _ = k; break if k > 3; } }',
      'loop\n  let k: i32 = i\n  if b\n    break\ncontinuing\n  _ = k\nbreak if (k > 3i)',
    ],
    [
      'switch u { case 1, 2u { _ = i; } case 0x10, default: { break; } }',
      'switch u\ncase 1, 2\n  _ = i\ncase 16, default\n  break',
    ],
    ['switch 3 { default { } }', 'switch 3i\ncase default'],
    ['{ let i = u; _ = i; } ;;', 'block\n  let i: u32 = u\n  _ = i'],
    ['@diagnostic(off, derivative_uniformity) if b { }', 'if b'],
    ['const_assert 1 < 2; workgroupBarrier();', '_ = workgroupBarrier()'],
  ])('%s', (text, expected) => expect(statement(text)).toBe(expected));

  test('a function may return in both branches, and what is not reached is kept', () => {
    expect(body('fn f(b: bool) -> i32 { if b { return 1; } else { return 2; } return 3; }')).toContain('return 3i');
    expect(() => body('fn f(b: bool) -> i32 { loop { if b { return 1; } } }')).not.toThrow();
    expect(() => body('fn f(k: i32) -> i32 { switch k { case 1 { return 1; } default { return 2; } } }')).not.toThrow();
  });
});

describe('the module', () => {
  const text = `
    enable subgroups;
    requires pointer_composite_access;
    diagnostic(off, derivative_uniformity);
    struct In { @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3<u32> }
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @group(0) @binding(1) var<storage> x: array<f32>;
    @group(1) @binding(0) var<uniform> scale: f32;
    var<workgroup> shared_: array<f32, SIZE>;
    var<private> mine = vec2f(1, 2);
    override SIZE = 32u;
    @id(7) override factor: f32;
    fn helper(i: u32) -> f32 { return x[i] * factor * mine.x; }
    @compute @workgroup_size(SIZE, 2) fn main(in: In, @builtin(subgroup_size) lanes: u32) {
      y[in.group.x] = helper(lanes) + shared_[0];
    }
    @compute @workgroup_size(1) fn other() { y[0] = scale; }`;
  const module = (): Module => parseModule(text, { overrides: { SIZE: 64, 7: 0.5 } });

  test('an entry point knows its size, builtins, variables and overrides', () => {
    const [main, other] = module().entryPoints;
    expect(main!.workgroupSize).toEqual([64, 2, 1]);
    expect(main!.globals.map(({ name }) => name)).toEqual(['y', 'x', 'shared_', 'mine']);
    expect(main!.overrides.map(({ name }) => name)).toEqual(['SIZE', 'factor']);
    expect(other!.globals.map(({ name }) => name)).toEqual(['y', 'scale']);
    const [group, lanes] = main!.function.parameters;
    expect((group!.type as StructType).members.map(({ builtin }) => builtin)).toEqual([
      'workgroup_id',
      'num_workgroups',
    ]);
    expect(lanes!.builtin).toBe('subgroup_size');
  });

  test('variables have their space, access, binding and first value; ids are unique', () => {
    const { globals, functions, enables } = module();
    expect(
      globals.map(({ name, space, access, binding }) => [name, space, access, binding?.group, binding?.binding]),
    ).toEqual([
      ['y', 'storage', 'read_write', 0, 0],
      ['x', 'storage', 'read', 0, 1],
      ['scale', 'uniform', undefined, 1, 0],
      ['shared_', 'workgroup', undefined, undefined, undefined],
      ['mine', 'private', undefined, undefined, undefined],
    ]);
    expect(globals[3]!.type).toMatchObject({ kind: 'array', count: 64, countName: 'SIZE' });
    expect(globals[4]!.initial).toMatchObject({ kind: 'construct', arguments: [{ value: 1 }, { value: 2 }] });
    expect(functions.map(({ name }) => name)).toEqual(['helper', 'main', 'other']);
    const ids = [...globals, ...functions.flatMap(({ parameters }) => parameters)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(enables).toEqual(['subgroups']);
  });

  test('callees come before callers, however they are written', () => {
    const { functions } = parseModule('fn c() { b(); } fn b() { a(); } fn a() { }');
    expect(functions.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('overrides', () => {
  const values = (
    overrides: Record<string, number>,
    text = '@id(3) override a: i32; override b = 2.5; override c = true;',
  ) => printFunction(parseModule(`${text} fn f() { let x = a; let y = b; let z = c; }`, { overrides }), 'f');

  test('values are given by name or by id, as the type of the override', () => {
    expect(values({ 3: -1 })).toBe('let x: i32 = -1i\nlet y: f32 = 2.5f\nlet z: bool = true');
    expect(values({ a: 4, b: 0.1, c: 0 })).toBe(
      `let x: i32 = 4i\nlet y: f32 = ${Math.fround(0.1)}f\nlet z: bool = false`,
    );
  });

  test('a number that is not whole loses its fraction, as in WebGPU', () => {
    expect(values({ 3: -1.5 })).toMatch('let x: i32 = -1i');
  });

  test('one may build on another', () => {
    const text = 'override n: u32; override twice = n * 2; fn f() { let x = twice; }';
    expect(printFunction(parseModule(text, { overrides: { n: 8 } }), 'f')).toBe('let x: u32 = 16u');
  });

  test.each([
    [{}, "1:17: override 'a' has no value; give one when the pipeline is made"],
    [{ a: 2 ** 31 }, "value 2147483648 cannot be represented as 'i32'"],
    [{ a: 1, b: Number.NaN }, "override 'b' is of type f32; NaN is none"],
    [{ a: 1, b: 1e39 }, "cannot be represented as 'f32'"],
    [{ a: 1, d: 1 }, "the module has no override 'd'; there are a, 3, b, c"],
  ])('%j is refused', (overrides, message) => {
    expect(() => values(overrides as Record<string, number>)).toThrow(message);
  });

  test('each entry point needs the overrides that it reaches, by way of types and other overrides too', () => {
    const text = `
      override n: u32;
      override twice = n * 2;
      override unused = 1;
      override lone: f32;
      var<workgroup> w: array<f32, twice>;
      fn helper() -> f32 { return w[0]; }
      @compute @workgroup_size(1) fn main() { _ = helper(); }
      @compute @workgroup_size(4) fn other() { _ = f(); }
      fn f() -> f32 { return lone; }`;
    // `lone` has no value, and main does not need one.
    const { entryPoints } = parseModule(text, { overrides: { n: 4 }, optionalOverrides: true });
    const needed = entryPoints.map(({ overrides }) => overrides.map(({ name }) => name));
    expect(needed).toEqual([['n', 'twice'], ['lone']]);
    expect(entryPoints[0]!.globals[0]!.type).toMatchObject({ count: 8, countName: 'twice' });
    // Read for one entry point, the module is what that reaches.
    const alone = parseModule(text, { overrides: { n: 4 }, entryPoint: 'main' });
    expect(alone.functions.map(({ name }) => name)).toEqual(['helper', 'main']);
    expect(alone.overrides.map(({ name }) => name)).toEqual(['n', 'twice', 'unused', 'lone']);
    expect(alone.globals[0]!.type).toMatchObject({ count: 8, countName: 'twice' });
    expect(() => parseModule(text, { overrides: { n: 4 }, entryPoint: 'other' })).toThrow("'lone' has no value");
    expect(() => parseModule(text, { overrides: { lone: 4 }, entryPoint: 'other' })).not.toThrow();
    expect(() => parseModule(text, { overrides: { lone: 4, n: -1 }, entryPoint: 'other' })).toThrow(
      "cannot be represented as 'u32'",
    );
  });

  test('a value that the pipeline may still replace makes nothing impossible', () => {
    const text = 'override n = 0; override m = 8 / n;';
    expect(() => parseModule(text, { optionalOverrides: true })).not.toThrow();
    const rule = 'integer division by zero is invalid';
    expect(() => parseModule(text, { optionalOverrides: true, overrides: {} })).toThrow(rule);
    expect(() => parseModule(text)).toThrow(rule);
  });

  test('without values a module can be checked all the same', () => {
    const text = `
      override n: u32;
      override size = 10 / (n - 1);
      var<workgroup> w: array<f32, n - 1>;
      @compute @workgroup_size(n) fn main() { w[n] = 1.0; }`;
    const { overrides, entryPoints } = parseModule(text, { optionalOverrides: true });
    expect(overrides).toMatchObject([
      { name: 'n', required: true },
      { name: 'size', required: false },
    ]);
    expect(entryPoints[0]!.overrides.map(({ name }) => name)).toEqual(['n']);
    expect(() => parseModule(text, { overrides: { n: 1 } })).toThrow('integer division by zero is invalid');
    expect(() => parseModule(text, { overrides: { n: 5 } })).toThrow('index 5 out of bounds [0..3]');
  });
});
