import { describe, expect, test } from 'vitest';
import { compiled, differences, interpret, type Memories, type WgslRun } from '../support/wgsl.js';

/** Numbers from -1 to 1, always the same. */
function noise(length: number, seed: number): Float32Array {
  let state = seed * 7919 + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const MEMORIES: Memories = {
  x: noise(512, 1),
  y: noise(512, 2),
  z: Uint32Array.from({ length: 512 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0),
};
const HEADER = `enable subgroups;
diagnostic(off, subgroup_uniformity);
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<u32>;
`;

interface Case {
  /** of `main`, which writes y[i] or z[i], i its global index */
  readonly body: string;
  readonly declares?: string;
  readonly size?: string;
  readonly grid?: readonly [number, number, number];
}

function textOf({ body, declares = '', size = '64' }: Case): string {
  return `${HEADER}${declares}
@compute @workgroup_size(${size}) fn main(
  @builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u,
  @builtin(num_workgroups) grid: vec3u, @builtin(subgroup_invocation_id) sub: u32,
) { let i = id.x; ${body} }`;
}

/** Compiled, with and without clamped indices, equals interpreted. */
function agree(text: string, memories: Memories, options: WgslRun): void {
  const wanted = interpret(text, memories, { ...options, subgroupSize: 4 });
  expect(differences(wanted, memories), 'the kernel changes nothing').not.toEqual([]);
  for (const robust of [true, false]) {
    expect(differences(compiled(text, memories, { ...options, robust }), wanted), `robust ${robust}`).toEqual([]);
  }
}

type Cases = Readonly<Record<string, string | Case>>;

function agreeAll(cases: Cases): void {
  test.each(Object.entries(cases))('%s', (_, given) => {
    const kernel = typeof given === 'string' ? { body: given } : given;
    agree(textOf(kernel), MEMORIES, { workgroups: kernel.grid ?? [3, 1, 1] });
  });
}

test('a scaling whose result is subnormal rounds once', () => {
  const words = Uint32Array.from({ length: 64 }, (_, i) => ((i + 1) * 0x10001b7) & 0x83ffffff);
  const text = `@group(0) @binding(0) var<storage, read_write> z: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
      z[i] = bitcast<u32>(ldexp(bitcast<f32>(z[i]), -i32(i) / 2 - 1));
    }`;
  agree(text, { z: words }, {});
  agree(
    text.replace('-i32(i) / 2 - 1', '-130 - i32(i)').replace('f32>(z[i])', 'f32>(z[i] | 0x78000000u)'),
    { z: words },
    {},
  );
});

describe('control flow', () => {
  agreeAll({
    'a guard': 'if (i >= 150u) { return; } y[i] = x[i];',
    'two guards': 'if (i >= 150u) { return; } if (x[i] < 0.0) { return; } y[i] = x[i];',
    'a guard behind a store': 'y[i] = 1.0; if (i >= 150u) { return; } y[i] += x[i];',
    'a loop whose continuing is never reached':
      'loop { y[i] = 3.0; break; let w = x[i]; continuing { y[i] = w; break if w > 0.0; } }',
    'a loop': 'var s = 0.0; for (var k = 0u; k < 10u; k++) { s += x[i + k]; } y[i] = s;',
    'a loop that ends lane by lane': 'var s = 0.0; for (var k = 0u; k < i % 7u; k++) { s += x[k]; } y[i] = s;',
    'a branch that varies': 'if (x[i] > 0.0) { y[i] = sqrt(x[i]); } else { y[i] = -x[i] * 2.0; }',
    'else if':
      'if (x[i] > 0.5) { y[i] = 1.0; } else if (x[i] > 0.0) { y[i] = 2.0; } else if (i % 2u == 0u) { y[i] = 3.0; }',
    'continue, break and return in loops': `var s = 0.0;
      for (var k = 0u; k < i % 5u; k++) {
        if (x[k + i] < 0.0) { continue; }
        for (var j = 0u; j < 3u; j++) { if (x[j] > s) { break; } s += x[k * 3u + j]; }
        if (s > 1.5) { return; }
      }
      y[i] = s;`,
    'an inner loop that keeps its counter': `var k = 0u; var n = 0u;
      for (var j = 0u; j < 5u; j++) { loop { if (k > i % 4u + j) { break; } k += 1u + i % 2u; n += k; } n += 100u; }
      z[i] = n;`,
    'a variable of the outer loop that the inner one sets': `var n = 0u;
      for (var j = 0u; j < 4u; j++) { var last = 7u; for (var k = 0u; k < (i + j) % 4u; k++) { last = k; } n = n * 10u + last; }
      z[i] = n;`,
    while: `var k = i; var n = 0u;
      while (k != 1u && n < 50u) { if (k % 2u == 0u) { k = k / 2u; } else { k = 3u * k + 1u; } n++; }
      z[i] = n;`,
    'loop with continuing and break if': `var k = 0u;
      loop { k += 1u; if (k % 3u == 0u) { continue; } y[i] += x[k]; continuing { k += i % 2u; break if k > 20u; } }`,
    'break if that is the same for all': 'var k = 0u; loop { y[i] += x[k]; continuing { k++; break if k == 9u; } }',
    'continuing reads what the body declares': `var s = 0.0; var k = 0u;
      loop { let v = x[i + k]; if (v > 0.5) { break; } continuing { s += v; k++; break if k > i % 6u; } } y[i] = s;`,
    switch: `var r = 0.0;
      switch i % 5u { case 0u: { r = 1.0; } case 1u, 2u: { r = x[i]; if (r > 0.0) { break; } r = 5.0; } default: { r = -1.0; } }
      y[i] = r;`,
    'switch with default among other values': `var n = 1u;
      switch (i32(i) - 70) % 4 { case -1: { n = 2u; } case 0, default: { n = 3u; } case 2: { n = 4u; if (i > 90u) { return; } } }
      z[i] = n;`,
    'switch that is the same for all':
      'switch group.x { case 1u: { y[i] = 1.0; } case 2u: { y[i] = 2.0; } default: { y[i] = 3.0; } }',
    'switch in a loop, continue in a switch': `var n = 0u;
      for (var k = 0u; k < 6u; k++) { switch (i + k) % 3u { case 0u: { continue; } case 1u: { n += 10u; break; } default: { n++; } } n += 1000u; }
      z[i] = n;`,
    'code behind a return': {
      body: 'y[i] = f(x[i]);',
      declares: 'fn f(v: f32) -> f32 { if (v > 0.0) { return v; } else { return 3.0; } }',
    },
    'short circuit': 'if ((i > 0u && x[i - 1u] > 0.0) || x[i] < -0.9) { y[i] = 1.0; } else { y[i] = 0.0; }',
    'short circuit that calls': {
      body: 'if ((i % 2u == 0u && bump() > 3u) || (i % 3u == 0u && bump() > 1u)) { n += 100u; } z[i] = n;',
      declares: 'var<private> n: u32 = 2u; fn bump() -> u32 { n += 1u; return n; }',
    },
    'phony assignment calls': {
      body: '_ = bump(); z[i] = n + i;',
      declares: 'var<private> n: u32; fn bump() -> u32 { n += 1u; return n; }',
    },
    'a uniform branch in a varying loop': `var s = 0.0;
      for (var k = 0u; k < i % 9u; k++) { if (k == 3u) { continue; } if (k == group.x + 5u) { break; } s += x[k]; } y[i] = s;`,
    'a uniform return in a varying branch':
      'if (x[i] > 0.0) { y[i] = 7.0; if (group.x == 1u) { return; } y[i] = 8.0; } y[i] += 1.0;',
    'a uniform store in a varying branch':
      'if (i == 37u) { y[400] = 1.0; } if (x[i] > 2.0) { y[401] = 2.0; } y[i] = 0.0;',
    'a store at one place, the last lane wins': 'if (lane == 0u) { y[group.x] = x[i]; }',
  });
});

describe('functions', () => {
  agreeAll({
    'several returns': {
      body: 'y[i] = f(x[i]) + f(-x[i]);',
      declares: `fn f(v: f32) -> f32 {
        if (v > 0.5) { return v * 2.0; } if (v < -0.5) { return -1.0; }
        var r = v; for (var k = 0; k < 5; k++) { if (r > 0.3) { return r; } r += 0.11; }
        return r;
      }`,
    },
    'calls in calls, and returns in divergent flow': {
      body: 'if (x[i] > -0.5) { for (var k = 0; k < 3; k++) { y[i] += f(x[i], k); if (y[i] > 2.0) { return; } } } y[i] *= 2.0;',
      declares: `fn g(v: f32) -> f32 { if (v < 0.2) { return v; } for (var k = 0; k < 4; k++) { if (v * f32(k) > 1.0) { return f32(k); } } return 0.5; }
      fn f(v: f32, n: i32) -> f32 { if (n == 1) { return g(g(v) + 0.1); } let r = g(v * 1.5); if (r > 1.0) { return r - 1.0; } return r + g(r); }`,
    },
    'a pointer to an element': {
      body: `var a = array<f32, 4>(1.0, 2.0, 3.0, 4.0);
        for (var k = 0u; k < 4u; k++) { bump(&a[(i + k) % 4u], x[i]); }
        y[i] = a[0] + a[1] * a[2] - a[3];`,
      declares: 'fn bump(p: ptr<function, f32>, by: f32) { *p += by; if (by < 0.0) { return; } *p *= 2.0; }',
    },
    'a pointer to a vector, a member and a column': {
      body: `var s: S; let p = &s.v; (*p).y = x[i]; let q = &s.m[i % 2u]; (*q)[1] = 5.0; p.x = 3.0; swap(&s.v);
        y[i] = s.v.x + s.m[0].y * 2.0 + s.m[1].y * 3.0 + s.v.y;`,
      declares: 'struct S { v: vec2f, m: mat2x2f } fn swap(p: ptr<function, vec2f>) { *p = (*p).yx; }',
    },
    'a pointer keeps the index it was made with':
      'var a = array<u32, 3>(1u, 2u, 3u); var k = i % 3u; let p = &a[k]; k = 0u; *p = 9u; z[i] = a[0] * 100u + a[1] * 10u + a[2] + k;',
    'the place of an assignment is found before its value': {
      body: 'var a = array<u32, 3>(0u, 0u, 0u); n = i % 2u; a[n] = bump(); a[n] += bump(); z[i] = a[0] * 100u + a[1] * 10u + a[2];',
      declares: 'var<private> n: u32; fn bump() -> u32 { n += 1u; if (n > 2u) { n = 0u; } return n + 4u; }',
    },
    'arguments are taken in order': {
      body: 'var a = array<u32, 4>(0u, 0u, 0u, 0u); n = i % 2u; f(&a[n], n, bump(), n); z[i] = n + bump() * n + a[0] + a[1] * 7u;',
      declares: `var<private> n: u32; fn bump() -> u32 { n += 1u; return n; }
        fn f(p: ptr<function, u32>, a: u32, b: u32, c: u32) { *p = a * 100u + b * 10u + c; }`,
    },
    'structs and arrays given and returned': {
      body: 'let p = f(S(x[i], array<u32, 3>(1u, 2u, i)), 2.0); y[i] = p.a + f32(p.b[2]) + f32(p.b[i % 3u]);',
      declares:
        'struct S { a: f32, b: array<u32, 3> } fn f(s: S, by: f32) -> S { var r = s; if (s.a < 0.0) { return r; } r.b[1] = 9u; r.a *= by; return r; }',
    },
    'a result that is first set in a loop from which other lanes continue': {
      body: 'z[i] = f(z[i]) + 100u * f(z[i + 1u]);',
      declares: `fn f(n: u32) -> u32 {
        for (var k = 0u; k < 3u; k++) { if ((n >> k) % 2u == 0u) { continue; } return n % 50u; }
        return 77u; }`,
    },
    'private variables': {
      body: 'v.y = x[i]; f(); f(); y[i] = v.x + v.y + f32(a[i % 3u]) + select(0.0, 1.0, b);',
      declares: `var<private> v: vec2f = vec2f(1.0, 2.0); var<private> a: array<i32, 3> = array<i32, 3>(4, 5, 6); var<private> b: bool;
        fn f() { v.x += v.y; a[1] += 1; if (v.x > 1.0) { b = !b; return; } a[2] = 0; }`,
    },
  });

  test('an entry point whose parameter is a struct', () => {
    const text = `${HEADER}struct In { @builtin(workgroup_index) group: u32, @builtin(global_invocation_index) at: u32, @builtin(num_subgroups) n: u32,
      @builtin(subgroup_id) s: u32, @builtin(subgroup_size) size: u32 }
      @compute @workgroup_size(3, 2) fn main(in: In, @builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) id: vec3u) {
        let at = ((id.y * 2u) + id.x) * 6u + lane;
        z[at] = in.at + in.group * 1000u + in.n * 100000u + in.s * 1000000u + in.size * 10000000u;
      }`;
    agree(text, MEMORIES, { workgroups: [2, 3, 1] });
  });
});

describe('quotients and remainders of an index', () => {
  // Uniform and linear where a gang begins at a multiple of 4 and the divisor is one, varying everywhere else.
  const both = (index: string, divisor: string, size = '64') => ({
    size,
    body: `let a = ${index}; y[i] = x[a % ${divisor}] + x[a / ${divisor} % 512u]; z[i] = z[i] + a / ${divisor} * 1000u + a % ${divisor};`,
  });
  agreeAll({
    'by 12': both('i', '12u'),
    'by 4, of a local index in a workgroup of 5 × 3': both('lane', '4u', '5, 3'),
    'by 8, along x in rows of 6': both('local.x', '8u', '6, 4'),
    'by 6': both('i', '6u'),
    'by 8, from an odd number on': both('i + 3u', '8u'),
    'by 8, from a multiple of 4 that wraps around': both('i + 0xffffffc0u', '8u'),
    'by 8, of a product': both('(group.x * 12u + lane)', '8u'),
    'by 8, of a sum with a number that is no multiple of 4': both('(group.x * 3u + lane)', '8u'),
    'by 8, of a loop counter': `var sum = 0.0; for (var j = i; j < 400u; j += 6u) { sum += x[j % 8u] * f32(j / 8u); } y[i] = sum;`,
    'by 8, of a counter in steps of 4': `var sum = 0.0; for (var j = lane; j < 400u; j += 4u) { sum += x[j % 8u] * f32(j / 8u); } y[i] = sum;`,
    'by 8, after a branch': `var j = i; if (x[i] > 0.0) { j = i + 1u; } y[i] = x[j % 8u] + f32(j / 8u);`,
    'by −8, signed, and of negative numbers': `let j = i32(lane) - 32; z[i] = u32(j / 8) + 1000u * u32(j % 8) + u32(j / -8);`,
    'by 8, of the bits of a float': `var f = 16777220.0; if (x[0] > 2.0) { f = 8.0; } let j = bitcast<u32>(f) + lane; z[i] = j / 8u + j % 8u;`,
    'by a number that may be 0': `let j = z[0] * 0u; z[i] = i / j + i % j;`,
  });
});

describe('values', () => {
  agreeAll({
    vectors:
      'let v = vec3f(x[i], x[i + 1u], 2.0); let w = v.yxz * v + normalize(v); y[i] = dot(w, v) + length(cross(v, w)) + w.z;',
    'vectors and scalars':
      'let v = vec4f(x[i]) - 1.0; let w = 2.0 * v / (x[i + 1u] + 3.0); let n = vec2i(i32(i), 7) % 5 + 3 * vec2i(1, -2); y[i] = w.x + v.w + f32(n.x * n.y);',
    'one number for every component':
      'let v = mix(vec2f(x[i], 1.0), vec2f(2.0, x[i + 1u]), 0.25); let w = select(v, v.yx, i % 2u == 0u); y[i] = v.x * 3.0 + w.y;',
    'assignments to components':
      'var v = vec4f(1.0, 2.0, x[i], 4.0); v = v.wzyx; v.x += v.y; v[2] = v.x; v = vec4f(v.yz, v.xw); y[i] = dot(v, vec4f(1.0, 10.0, 100.0, 1000.0));',
    'a component by a run-time index':
      'var v = vec4f(1.0, 2.0, x[i], 4.0); v[i % 4u] += 3.0; let w = v * 2.0; y[i] = w[(i + 1u) % 4u] + v.x + vec3f(v.yzw)[i % 3u];',
    matrices:
      'let m = mat3x2f(x[i], 1.0, 2.0, 3.0, 4.0, 5.0); let v = m * vec3f(1.0, 2.0, x[i]); let t = transpose(m) * v; y[i] = v.x + v.y * t.z + determinant(mat2x2f(v, v.yx));',
    'products of matrices': `let a = mat2x3f(x[i], 1.0, 2.0, 3.0, x[i + 1u], 5.0); let b = mat4x2f(1.0, 2.0, 3.0, 4.0, 5.0, x[i], 7.0, 8.0);
      let c = a * b; let d = vec3f(1.0, x[i], 3.0) * a; let e = (c + c * 0.5 - 2.0 * c) * 1.5; y[i] = c[3].z + d.x + d.y + e[1].y + dot(c[2], e[0]);`,
    'determinants and dynamic columns': `var m = mat4x4f(x[i], 1.0, 2.0, 0.5, 3.0, x[i + 1u], 5.0, 0.1, 1.0, 0.2, x[i + 2u], 4.0, 0.3, 0.4, 0.6, x[i + 3u]);
      let d = determinant(m); m[i % 4u][(i + 1u) % 4u] = 9.0; m[2] = vec4f(1.0); y[i] = d + determinant(m) + m[(i + 3u) % 4u].y + determinant(mat3x3f(m[0].xyz, m[1].xyz, m[3].xyz));`,
    booleans: `let b = x[i] > 0.0; let c = i % 2u == 0u; y[i] = select(1.0, 2.0, b && c) + f32(b | c) + f32(b != c) + f32(!b);
      var f = b; if (c) { f = !f; } y[i] += f32(f) + f32(u32(b & c)) + f32(all(vec3<bool>(b, c, f))) * 10.0 + f32(any(vec2<bool>(b, c) == vec2<bool>(true, f))) * 100.0;`,
    conversions: `let a = x[i] * 1e10; y[i] = f32(i32(a)) + f32(u32(a)) + f32(u32(-x[i])) + f32(i32(i) - 60) + f32(bool(a)) + f32(i32(x[i] > 0.0)) + vec2f(vec2i(3, i32(i))).y;
      z[i] = u32(i32(i) - 100) + u32(bool(i % 3u)) + u32(x[i] * 9.0);`,
    'the same bits':
      'y[i] = bitcast<f32>((bitcast<u32>(x[i]) & 0xffff0000u) | 1u); z[i] = bitcast<vec2u>(vec2f(x[i], 1.0)).x + bitcast<u32>(i32(i) - 5);',
    'integers wrap, and division is defined everywhere': `let a = i32(z[i]); let b = i32(i) - 60; let low = -2147483647 - i32(lane > 70u) - 1; let u = z[i];
      z[i] = u32(a / b) + u32(a % b) * 3u + u32(low / (b / 60)) + u32(low % (b / 60)) + u / (i % 4u) + u % (i % 4u) + u / 7u + u % 7u + u32(a / -7) + u32(a % 7) + u * u + u32(-a) + u32(a * b) + u32(a / -1);`,
    shifts:
      'let a = i32(z[i]); z[i] = (z[i] << (i % 40u)) + (z[i] >> (i % 37u)) + u32(a >> (i % 33u)) + (z[i] << 3u) + u32(a >> 5u) + u32((a << (i % 9u)) >> 2u) + (z[i] >> group.x);',
    'bits of integers': `let a = i32(z[i] >> (i % 32u)); let u = z[i] >> (i % 32u);
      z[i] = countOneBits(u) + u32(countLeadingZeros(a)) * 3u + countTrailingZeros(u) * 5u + u32(firstLeadingBit(a)) * 7u + firstLeadingBit(u) * 11u
        + u32(firstTrailingBit(a)) * 13u + firstTrailingBit(u & 0u) + reverseBits(u) + u32(reverseBits(a)) + (u ^ ~u) + u32(a & 77) + (u | 5u) + u32(abs(a)) + u32(sign(a))
        + u32(clamp(a, -9, 100)) + min(u, 70u) + max(u, i) + u32(max(a, -3)) + u32(dot(vec2i(a, 3), vec2i(a, a))) + countLeadingZeros(u) + u32(countTrailingZeros(a)) + u32(countOneBits(a));`,
    'extractBits and insertBits': `let a = i32(z[i]); z[i] = u32(extractBits(a, 3u, i % 40u)) + extractBits(z[i], i % 35u, 7u) + insertBits(z[i], i, i % 33u, 4u) + u32(insertBits(a, 5, 2u, i % 34u))
      + extractBits(vec2u(z[i], 3u), 4u, 9u).x;`,
    comparisons:
      'let a = x[i]; let b = x[i + 1u]; let n = i32(i) - 9; z[i] = u32(a < b) + u32(a <= b) * 2u + u32(a > b) * 4u + u32(a >= a) * 8u + u32(a == b) * 16u + u32(n != 3) * 32u + u32(n < -3) * 64u + u32(n >= 0) * 128u + u32(i > 30u) * 256u + u32(!(a < b)) * 512u + u32(!(n <= 4)) * 1024u;',
    'comparisons with NaN':
      'let nan = sqrt(x[i]); z[i] = u32(nan < 0.5) + u32(!(nan < 0.5)) * 2u + u32(nan == nan) * 4u + u32(!(nan != nan)) * 8u + u32(!(nan >= 0.1)) * 16u; y[i] = min(nan, 0.5) + max(0.25, nan) + f32(i32(nan)) + clamp(nan, 0.1, 0.2);',
    'a uniform value with linear ones':
      'let k = group.x * 2u + 3u; let a = i * 3u - k; let b = (i << 2u) + a; z[i] = a + b * k + (b - a) * 2u + min(a, b) + u32(i32(a) - i32(b)) * 3u;',
    'constants fold as they run':
      'y[i] = x[i] * 0.0 + (1.0 - 3.0) * 0.1 + -0.0; z[i] = (0xffffffffu + i) + (7u / 2u) * 3u + u32(-7i / 2i + 9i) + u32(-7i % 4i + 9i);',
  });
});

describe('functions of the language', () => {
  const floats = `floor(a * 3.0) ceil(a * 2.1) trunc(a * 3.3) round(a * 7.0) round(trunc(a*9.0)+0.5) fract(a * 5.0) sign(a) abs(a) sqrt(b) inverseSqrt(b) saturate(a*2.0)
    degrees(a) radians(a) exp(a*50.0) exp2(a*90.0) log(b) log2(b) pow(b,a*3.0) sin(a*20.0) cos(a*20.0) tan(a) asin(a) acos(a) atan(a*5.0) sinh(a) cosh(a) tanh(a*4.0)
    asinh(a) acosh(1.0+b) atanh(a*0.99) atan2(a,x[i+1u]) min(a,b) max(a,-b) clamp(a,-0.2,0.4) mix(a,2.0,0.25) smoothstep(-0.5,0.7,a) step(0.1,a) fma(a,b,1.0) ldexp(a,i32(i)-90)
    a%0.3 quantizeToF16(a*1000.0) quantizeToF16(a*1e-6) frexp(a*37.0).fract f32(frexp(a*1e-38).exp) modf(a*11.0).fract modf(a*11.0).whole distance(a,b) length(a)`;
  agreeAll(
    Object.fromEntries(
      floats.split(/\s+(?![^()]*\))/).map((call) => [call, `let a = x[i]; let b = abs(a); y[i] = ${call};`]),
    ),
  );
  agreeAll({
    'on vectors': `let v = vec3f(x[i], x[i + 1u], x[i + 2u]); let w = vec3f(0.5, x[i + 3u], -0.25); let n = normalize(w);
      y[i] = dot(reflect(v, n), refract(v, n, 0.7)) + dot(faceForward(v, w, n), cross(v, w)) + distance(v, w) + length(fract(v * 9.0)) + dot(exp(v), sin(w)) + pow(abs(v), vec3f(0.5)).y
        + frexp(v).fract.y + f32(frexp(v * 9.0).exp.z) + modf(v * 3.0).whole.x + dot(clamp(v, -abs(w), abs(w)), smoothstep(vec3f(-1.0), vec3f(1.0), v)) + dot(step(v, w), sign(v)) + refract(v, n, 9.0).x;`,
    packing: `let a = x[i]; let v = vec4f(a, -a, a * 2.0, x[i + 1u]); let s = vec4i(i32(i) - 100, 300, -300, 5);
      z[i] = pack4x8snorm(v) ^ (pack4x8unorm(v) * 3u) ^ (pack2x16snorm(v.xy) * 5u) ^ (pack2x16unorm(v.xw) * 7u) ^ (pack2x16float(v.zw * 1e3) * 11u) ^ (pack2x16float(v.xy * 1e-6) * 13u)
        ^ (pack4xI8(s) * 17u) ^ (pack4xI8Clamp(s) * 19u) ^ (pack4xU8(vec4u(s)) * 23u) ^ (pack4xU8Clamp(vec4u(i, 3u, 400u, 255u)) * 29u);`,
    unpacking: `let p = z[i]; let h = p & 0x7bff7bffu; let s = vec4f(unpack4xI8(p)) + vec4f(unpack4xU8(p));
      y[i] = dot(unpack4x8snorm(p), unpack4x8unorm(p)) + dot(unpack2x16snorm(p), unpack2x16unorm(p)) + unpack2x16float(h).x * 0.01 + unpack2x16float(h & 0x03ff83ffu).y + dot(s, vec4f(1.0, 2.0, 3.0, 4.0))
        + f32(dot4I8Packed(p, 0x7f80ff01u)) + f32(dot4U8Packed(p, p));`,
    arrayLength: 'z[i] = arrayLength(&x) + arrayLength(&z) * 1000u;',
  });
});

describe('private memory', () => {
  agreeAll({
    'an array that loops index': `var a: array<f32, 8>; for (var k = 0u; k < 8u; k++) { a[k] = x[i + k]; }
      var s = 0.0; for (var k = 0u; k < 8u; k++) { s += a[(k * 3u) % 8u] * a[7u - k]; } y[i] = s;`,
    'loops that are written out, with continue and if': `var a: array<f32, 8>;
      for (var k = 0u; k < 8u; k += 1u) { if (x[i + k] < 0.0) { continue; } a[k] = x[i + k]; if (k == 3u) { a[k] *= 2.0; } }
      var s = 0.0; for (var k = 0; k <= 6; k += 2) { s += a[k] - a[k + 1]; } y[i] = s;`,
    'a loop counted in floats':
      'var a: array<f32, 16>; var n = 0u; for (var t = 0.0; t < 4.0; t += 0.3) { a[n] = t; n++; } y[i] = a[i % 16u] + f32(n);',
    'a loop that leaves early over an array':
      'var a = array<u32, 4>(5u, 6u, 7u, 8u); var n = 0u; for (var k = 0u; k < 4u; k++) { if (a[k] > 5u + i % 4u) { break; } n += a[k]; } z[i] = n;',
    'an index that varies':
      'var a: array<f32, 8>; for (var k = 0u; k < 8u; k++) { a[k] = x[i + k]; } y[i] = a[i % 8u] + a[(i / 3u) % 8u];',
    'stores under a mask': `var a: array<f32, 5>; for (var k = 0u; k < 9u; k++) { if (x[i + k] > 0.0) { a[(i + k) % 5u] += x[i + k]; } if (x[k + i] > 0.9) { break; } }
      if (x[i] < 0.0) { a[2] = 5.0; a[i % 2u] = 7.0; } y[i] = a[0] + a[1] * 2.0 + a[2] * 3.0 + a[3] * 4.0 + a[i % 5u];`,
    'an array that starts again in a loop': `var n = 0u; for (var k = 0u; k < 3u + i % 3u; k++) { var a: array<u32, 4>; a[(i + k) % 4u] += k + 1u; n = n * 7u + a[k % 4u] + a[(i * k) % 4u]; } z[i] = n;`,
    'arrays of structs, vectors and matrices': {
      declares: 'struct S { v: vec3f, m: mat2x2f, b: bool }',
      body: `var a: array<S, 3>; for (var k = 0u; k < 3u; k++) { a[(i + k) % 3u].v = vec3f(f32(k), x[i], 2.0); a[k].m[i % 2u][k % 2u] = x[i + k]; a[k].b = x[i + k] > 0.0; }
      let s = a[i % 3u]; var c = a; c[1] = s; y[i] = s.v.x + s.m[1].x + c[1].v.y * 2.0 + select(0.0, 9.0, c[(i + 1u) % 3u].b) + a[0].v[i % 3u];`,
    },
    structs: {
      body: 'var s: T; s.a = x[i]; s.b = vec2f(1.0, s.a); s.c[1] = s.b.yx; let t = s; s.a = 0.0; y[i] = t.c[1].x + t.b.y + t.a + s.a;',
      declares: 'struct T { a: f32, b: vec2f, c: array<vec2f, 2> }',
    },
    'a value indexed at run time':
      'let a = array<f32, 6>(x[i], 1.0, 2.0, x[i + 1u], 4.0, 5.0); y[i] = a[i % 6u] + array<f32, 3>(7.0, 8.0, x[i])[(i + 1u) % 3u];',
    'booleans in an array':
      'var a: array<bool, 5>; for (var k = 0u; k < 5u; k++) { a[(k * i) % 5u] = x[i + k] > 0.0; } z[i] = u32(a[0]) + 2u * u32(a[i % 5u]) + 4u * u32(a[3]);',
    'an array of arrays':
      'var a: array<array<u32, 3>, 2>; for (var k = 0u; k < 6u; k++) { a[k % 2u][(k + i) % 3u] += k * i + 1u; } let r = a[i % 2u]; z[i] = r[0] + 10u * r[i % 3u] + a[1][2];',
    'more than a thousand words':
      'var a: array<u32, 1100>; a[5] = i; a[i * 5u] += 3u; a[1099] = 2u; z[i] = a[5] + a[1099] + a[i * 5u];',
  });
});

describe('workgroup memory and barriers', () => {
  const tile = 'var<workgroup> tile: array<f32, 64>;';
  const among = (body: string, size = '64', declares = tile): Case => ({ body, size, declares });
  agreeAll({
    'an exchange': among('tile[lane] = x[i]; workgroupBarrier(); y[i] = tile[63u - lane] + tile[(lane + 1u) % 64u];'),
    'a sum by halves': among(`tile[lane] = x[i]; workgroupBarrier();
      for (var s = 32u; s > 0u; s = s / 2u) { if (lane < s) { tile[lane] += tile[lane + s]; } workgroupBarrier(); } y[i] = tile[0] * x[i];`),
    'variables that live across barriers in a loop': among(`var sum = x[i]; let k = lane * 2u;
      for (var t = 0u; t < 4u; t++) { tile[lane] = sum + f32(t); workgroupBarrier(); sum += tile[(k + t) % 64u]; workgroupBarrier(); } y[i] = sum;`),
    'a private array across a barrier':
      among(`var a: array<f32, 4>; for (var k = 0u; k < 4u; k++) { a[k] = x[i + k]; } tile[lane] = a[i % 4u];
      workgroupBarrier(); a[lane % 3u] += 1.0; workgroupBarrier(); y[i] = a[(i + 1u) % 4u] + tile[lane ^ 5u];`),
    'a private array indexed at run time in a loop around a barrier': among(
      'var a = array<f32, 4>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]); for (var t = 0u; t < 2u + group.x; t++) { a[i % 4u] = a[(group.x + 1u) % 4u] + 1.0; workgroupBarrier(); } y[i] = a[lane % 3u];',
      '64',
      '',
    ),
    'a uniform load used after a barrier': among(
      'let k = x[3]; let m = x[group.x]; tile[lane] = x[i]; workgroupBarrier(); y[i] = tile[lane ^ 1u] * k + x[i] * m;',
    ),
    'linear and uniform numbers across a barrier': among(
      'let a = lane * 3u + 1u; let b = group.x + 4u; var c = 5u; tile[lane] = 1.0; workgroupBarrier(); c += b; tile[lane] += f32(a + c); workgroupBarrier(); y[i] = f32(a * b + c) + tile[(a + b) % 64u];',
    ),
    'bool across a barrier': among(
      'let b = x[i] > 0.0; var any_ = group.x == 1u; tile[lane] = x[i]; workgroupBarrier(); if (b) { any_ = !any_; } workgroupBarrier(); y[i] = select(tile[lane ^ 3u], 9.0, any_ || b);',
    ),
    'a return behind the last barrier': among(
      'tile[lane] = x[i]; workgroupBarrier(); if (lane > 10u) { return; } y[i] = tile[lane + 1u];',
    ),
    'returns in a loop behind the last barrier': among(
      'tile[lane] = x[i]; workgroupBarrier(); for (var k = 0u; k < 9u; k++) { if (tile[(lane + k) % 64u] > 0.5) { return; } y[i] += 1.0; }',
    ),
    'a return from a uniform branch with a barrier': among(
      'if (group.x == 1u) { tile[lane] = x[i]; workgroupBarrier(); if (x[i] > 0.0) { return; } y[i] = tile[lane ^ 1u]; } y[i] += 3.0; if (y[i] > 3.5) { return; } y[i] *= 2.0;',
    ),
    'break out of a uniform switch with a barrier': among(
      'switch group.x { case 0u: { tile[lane] = x[i]; workgroupBarrier(); if (lane % 3u == 0u) { break; } y[i] = tile[lane ^ 2u]; } default: { y[i] = 1.0; } } y[i] += 1.0; workgroupBarrier(); y[i] += tile[lane];',
    ),
    'an early return from a function with a barrier': among(
      'y[i] = f(lane, x[i]); y[i] += f(lane, -y[i]);',
      '64',
      `${tile} fn f(at: u32, v: f32) -> f32 { workgroupBarrier(); tile[at] = v; workgroupBarrier(); for (var k = 0u; k < 5u; k++) { if (tile[(at + k) % 64u] > 0.5) { return f32(k); } } return v; }`,
    ),
    'barriers in uniform branches': among(
      'if (group.x == 1u) { tile[lane] = x[i]; workgroupBarrier(); y[i] = tile[lane ^ 7u]; } else { y[i] = 2.0; } if (group.x < 2u) { workgroupBarrier(); tile[63u - lane] = 3.0; } workgroupBarrier(); y[i] += tile[lane];',
    ),
    'barriers in a uniform switch': among(
      'switch group.x { case 0u: { tile[lane] = x[i]; workgroupBarrier(); y[i] = tile[lane ^ 2u]; } case 1u: { y[i] = 5.0; } default: { tile[lane] = 1.0; workgroupBarrier(); y[i] = tile[63u - lane] + 2.0; } }',
    ),
    'a barrier in a function': among(
      'y[i] = shared_(lane, x[i]); y[i] += shared_(63u - lane, x[i] * 2.0);',
      '64',
      `${tile} fn shared_(at: u32, v: f32) -> f32 { workgroupBarrier(); tile[at] = v; workgroupBarrier(); return tile[at ^ 1u]; }`,
    ),
    'a loop with a uniform break around a barrier': among(
      'var s = 0.0; for (var k = 0u; ; k++) { if (k == 3u + group.x) { break; } tile[lane] = x[i + k]; workgroupBarrier(); if (lane % 2u == 0u) { s += tile[lane + 1u]; } workgroupBarrier(); } y[i] = s;',
    ),
    'a loop with continue around barriers': among(
      'var s = 0.0; for (var k = 0u; k < 5u; k++) { workgroupBarrier(); tile[lane] = x[i + k]; if (k == group.x) { continue; } workgroupBarrier(); s += tile[lane ^ k]; } y[i] = s;',
    ),
    'a varying loop between barriers': among(
      'var s = 0.0; tile[lane] = x[i]; workgroupBarrier(); for (var k = 0u; k < lane % 7u; k++) { if (tile[k] < 0.0) { continue; } s += tile[k + lane % 8u]; } workgroupBarrier(); tile[lane] = s; workgroupBarrier(); y[i] = tile[lane ^ 9u] + s;',
    ),
    'nested loops around a barrier': among(
      'var s = 0.0; for (var a = 0u; a < 3u; a++) { let start = a * 7u; for (var b = 0u; b < 2u + group.x; b++) { tile[(lane + b) % 64u] = x[i + start] + s; workgroupBarrier(); s += tile[(lane * 5u + start) % 64u]; workgroupBarrier(); } } y[i] = s;',
    ),
    'control flow around a barrier that depends on a variable that was different before': among(
      'var k = lane; tile[lane] = x[i] * f32(k); k = group.x + 1u; for (var t = 0u; t < k; t++) { workgroupBarrier(); y[i] += tile[(lane + t) % 64u]; }',
    ),
    'a barrier in a branch that depends on a private array': among(
      'var a: array<u32, 4>; a[group.x % 4u] = 2u; tile[lane] = x[i]; if (a[1] > 1u) { workgroupBarrier(); y[i] = tile[lane ^ 3u]; } else { y[i] = 4.0; }',
    ),
    'a barrier behind what always returns': among(
      'y[i] = 1.0; if (lane > 3u) { y[i] = 2.0; return; } else { return; } workgroupBarrier(); y[i] = 3.0;',
    ),
    workgroupUniformLoad: among(
      'if (lane == 5u) { n = group.x + 2u; } let k = workgroupUniformLoad(&n); for (var t = 0u; t < k; t++) { tile[lane] = x[i + t]; workgroupBarrier(); y[i] += tile[lane ^ 1u]; workgroupBarrier(); }',
      '64',
      `${tile} var<workgroup> n: u32;`,
    ),
    'workgroupUniformLoad of a struct': among(
      'if (lane == 0u) { s = S(x[i], vec3u(1u, group.x, 3u)); } let t = workgroupUniformLoad(&s); if (t.b.y == 1u) { workgroupBarrier(); } y[i] = t.a + f32(t.b.y + t.b.z);',
      '64',
      'struct S { a: f32, b: vec3u } var<workgroup> s: S;',
    ),
    'bool in workgroup memory': among(
      'flags[lane] = x[i] > 0.0; if (lane == 0u) { one.b = x[i] < 0.0; one.v = vec3<bool>(true, false, x[i] > 0.0); } workgroupBarrier(); z[i] = u32(flags[lane ^ 1u]) + 2u * u32(one.b) + 4u * u32(one.v.z) + 8u * u32(all(one.v.xz));',
      '64',
      'struct One { b: bool, v: vec3<bool> } var<workgroup> flags: array<bool, 64>; var<workgroup> one: One;',
    ),
    'workgroup memory starts at zero in every workgroup': among(
      'y[i] = tile[lane] + x[i]; workgroupBarrier(); tile[63u - lane] = 5.0;',
    ),
    'pointers to elements of workgroup memory': among(
      'let p = &grid_[lane / 8u][lane % 8u]; *p = vec3f(x[i], f32(lane), 1.0); workgroupBarrier(); let q = &grid_[7u - lane / 8u]; f(&grid_[lane % 8u][lane / 8u], lane); workgroupBarrier(); y[i] = (*q)[lane % 8u].x + grid_[lane / 8u][3].y;',
      '64',
      'var<workgroup> grid_: array<array<vec3f, 8>, 8>; fn f(p: ptr<workgroup, vec3f>, k: u32) { (*p).y += 1.0; if (k > 40u) { (*p).x *= 2.0; return; } p.z = 0.0; }',
    ),
    storageBarrier: among('z[i] = lane; storageBarrier(); z[group.x * 64u + 64u + (lane ^ 1u)] = z[i] + 5u;', '64', ''),
  });

  for (const size of [
    '1',
    '2',
    '3',
    '4',
    '5',
    '6',
    '7',
    '8',
    '12',
    '64',
    '256',
    '8, 8',
    '3, 2',
    '3, 2, 2',
    '1, 4, 2',
    '4, 1, 3',
    '2, 2, 2',
    '1, 1, 5',
    '1, 3, 4',
    '5, 5',
  ]) {
    const [sx = 1, sy = 1, sz = 1] = size.split(',').map(Number);
    const total = sx * sy * sz;
    const at = `((group.z * grid.y + group.y) * grid.x + group.x) * ${total}u + lane`;
    const grid: [number, number, number] = total > 60 ? [2, 1, 1] : [2, 2, 2];
    agreeAll({
      [`a workgroup of ${size}: ids`]: {
        body: `z[${at}] = local.x + 10u * local.y + 100u * local.z + 1000u * id.x + 10000u * id.y + 100000u * id.z + 1000000u * grid.y;`,
        size,
        grid,
      },
      [`a workgroup of ${size}: a barrier, and what lives across it`]: {
        body: `let v = x[lane + group.x * 7u]; var k = local.x * 3u + local.y; tile[lane] = v; workgroupBarrier(); k += u32(tile[(lane + 1u) % ${total}u] * 100.0 + 100.0);
          if (v > 0.0) { k += 1000u; } workgroupBarrier(); z[${at}] = k + local.z;`,
        declares: `var<workgroup> tile: array<f32, ${total}>;`,
        size,
        grid,
      },
      [`a workgroup of ${size}: rows apart, in a loop with a barrier`]: {
        body: `for (var k = 0u; k < 3u; k++) { if (local.y == 1u || local.z == 1u) { tile[lane] += k + 5u; } workgroupBarrier(); } z[${at}] = tile[lane];`,
        declares: `var<workgroup> tile: array<u32, ${total}>;`,
        size,
        grid,
      },
      [`a workgroup of ${size}: divergent`]: {
        body: `var s = x[lane]; for (var k = 0u; k < local.x + local.y * 2u; k++) { s += x[k]; if (s > 2.0) { break; } } y[${at}] = s + f32(group.y);`,
        size,
        grid,
      },
      [`a workgroup of ${size}: subgroups`]: {
        body: `let v = x[lane]; var s = subgroupAdd(v) + f32(subgroupBallot(v > 0.0).x); if (v > -0.3) { s += subgroupMax(v) + subgroupExclusiveAdd(v); } y[${at}] = s;`,
        size,
        grid,
      },
    });
  }
});

describe('subgroups', () => {
  agreeAll({
    reductions:
      'let v = x[i]; let n = z[i]; y[i] = subgroupAdd(v) + subgroupMax(v) * subgroupMin(v) + subgroupMul(v); z[i] = subgroupAnd(n) + subgroupOr(n) * 3u + subgroupXor(n) * 5u + subgroupAdd(n) + subgroupMul(n) + subgroupMin(n) + u32(subgroupMax(i32(n)));',
    scans:
      'let v = x[i]; y[i] = subgroupInclusiveAdd(v) + subgroupExclusiveAdd(v) * 2.0 + subgroupInclusiveMul(v) + subgroupExclusiveMul(v); z[i] = subgroupInclusiveAdd(z[i]) + subgroupExclusiveMul(z[i]);',
    moves:
      'let v = x[i]; y[i] = subgroupBroadcast(v, 2u) + subgroupBroadcastFirst(v) * 3.0 + subgroupShuffle(v, (sub + 1u) % 4u) * 5.0 + subgroupShuffleXor(v, 1u) + quadBroadcast(v, 1u) + quadSwapX(v) * quadSwapDiagonal(v) + quadSwapY(v) * 7.0;',
    votes:
      'let v = x[i]; z[i] = subgroupBallot(v > 0.0).x + u32(subgroupAny(v > 0.9)) * 16u + u32(subgroupAll(v < 0.9)) * 32u + u32(subgroupElect()) * 64u + subgroupBallot(v < 0.0).y;',
    'from lanes that do not exist: zero':
      'let v = x[i] + 2.0; y[i] = subgroupShuffle(v, sub + 1u) + subgroupShuffleUp(v, 1u) * 3.0 + subgroupShuffleDown(v, 2u) * 5.0 + subgroupShuffleXor(v, 4u) * 7.0 + subgroupBroadcast(v, 9u); z[i] = u32(subgroupShuffle(i, 0xffffff00u + sub) + subgroupShuffleXor(i + 1u, 3u));',
    'from lanes that are not active: zero':
      'let v = x[i] + 2.0; if (i % 4u != group.x) { y[i] = subgroupShuffle(v, sub ^ 1u) + subgroupShuffleUp(v, 1u) * 3.0 + subgroupBroadcast(v, 0u) * 5.0 + quadSwapY(v) * 7.0 + quadBroadcast(v, 2u); }',
    'of a gang that is not full': {
      body: 'if (lane < 6u) { y[i] = quadSwapX(x[i]) + subgroupShuffleDown(x[i] + 2.0, 1u); z[i] = subgroupBroadcast(i + 1u, 3u); }',
      size: '6',
    },
    'of vectors':
      'let v = vec3f(x[i], 1.0, x[i + 1u]); let w = subgroupAdd(v) * subgroupShuffleXor(v, 3u) + subgroupInclusiveAdd(v); y[i] = dot(w, vec3f(1.0, 2.0, 3.0));',
    'in divergent control flow': `let v = x[i]; if (v > 0.0) { y[i] += subgroupAdd(v) + f32(subgroupElect()) + subgroupBroadcastFirst(v) + subgroupInclusiveAdd(v) + subgroupMin(v); } else { y[i] = subgroupMul(v) + f32(subgroupBallot(true).x) + subgroupExclusiveAdd(v) + f32(subgroupAll(v < -0.2)); }
      for (var k = 0u; k < i % 5u; k++) { z[i] += subgroupAdd(k + i) + u32(subgroupElect()) * 1000u; if (subgroupAny(x[i + k] > 0.8)) { break; } }`,
    'least and largest of some lanes with NaN': `let v = sqrt(x[i]); if (i % 4u != group.x) { y[i] = subgroupMin(v); z[i] = u32(subgroupMin(v) < 9.0) + 2u * u32(subgroupMax(v) < 9.0) + 4u * u32(subgroupMax(v) > 0.1); }`,
    'after lanes have returned':
      'if (x[i] < -0.5) { return; } z[i] = subgroupAdd(i) + subgroupBallot(true).x * 1000u; if (subgroupElect()) { y[i] = subgroupMax(x[i]); }',
    'in a function with early returns': {
      body: 'y[i] = f(x[i]) + f(x[i + 1u]);',
      declares:
        'fn f(v: f32) -> f32 { if (v < 0.0) { return subgroupAdd(v); } let s = subgroupAdd(v); if (s > 1.0) { return 0.5; } return s + subgroupInclusiveAdd(v); }',
    },
    'across barriers': {
      body: 'let s = subgroupAdd(x[i]); if (subgroupElect()) { sums[lane / 4u] = s; } workgroupBarrier(); var t = 0.0; for (var k = 0u; k < 16u; k++) { t += sums[k]; } y[i] = t + s;',
      declares: 'var<workgroup> sums: array<f32, 16>;',
    },
  });
});

describe('storage and uniform memory', () => {
  test('host layout: gaps, padding, nested structs, matrices and arrays', () => {
    const text = `struct Inner { a: f32, v: vec3f, b: u32, w: vec2i }
struct Outer { n: u32, @align(32) m: mat3x3f, inner: array<Inner, 2>, @size(20) t: f32, q: mat2x3f, r: array<vec3f, 2>, rest: array<Inner> }
struct Params { scale: f32, v: vec3f, list: array<vec4f, 2>, m: mat2x2f, inner: Inner }
@group(0) @binding(0) var<storage, read_write> o: Outer;
@group(0) @binding(1) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read_write> y: array<f32>;
@group(1) @binding(3) var<storage, read_write> list: array<array<vec3f, 2>>;
fn bump(q: ptr<storage, Inner, read_write>, by: f32) { (*q).v.y += by; q.b += 1u; if (by < 0.0) { return; } (*q).w = (*q).w.yx; }
@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let item = o.rest[i];
  let e = &o.rest[i];
  bump(e, p.v.z - f32(i));
  (*e).a = item.v.x + p.list[i % 2u].z + p.m[1].x + p.inner.v[i % 3u] + f32(p.inner.w.y);
  list[i][i % 2u] = o.m * p.v + o.r[i % 2u];
  list[i][(i + 1u) % 2u].y = o.q[1].z * p.scale;
  if (i == 3u) { o.inner[1] = item; o.m[2].y = 9.0; o.r[1] = vec3f(1.0, 2.0, 3.0); o.q = mat2x3f(o.m[0], p.v) * 2.0; }
  y[i] = f32(arrayLength(&o.rest)) + f32(arrayLength(&list)) * 100.0 + o.t;
}`;
    const memories = { o: noise(172, 3), p: noise(40, 4), y: noise(8, 5), list: noise(64, 6) };
    agree(text, memories, { workgroups: [2, 1, 1] });
  });

  test('overrides set the workgroup size, array sizes and values', () => {
    const text = `${HEADER}override size: u32 = 8; @id(7) override scale: f32; override twice = scale * 2.0;
      var<workgroup> tile: array<f32, size * 2u>;
      @compute @workgroup_size(size) fn main(@builtin(local_invocation_index) lane: u32, @builtin(global_invocation_id) id: vec3u) {
        tile[lane * 2u + 1u] = x[id.x] * scale; workgroupBarrier(); y[id.x] = tile[(lane * 2u + 3u) % (size * 2u)] + twice;
      }`;
    agree(text, MEMORIES, { workgroups: [3, 1, 1], overrides: { size: 20, 7: 0.3 } });
  });

  test('indices out of bounds are clamped, as in the interpreter', () => {
    const clamped: Cases = {
      'read and written': 'y[i + 400u] = x[i + 450u];',
      'from below': 'y[i - 20u] = x[i32(i) - 40];',
      'in an array, a vector and a matrix':
        'var a = array<f32, 3>(1.0, 2.0, 3.0); var v = vec3f(4.0, 5.0, 6.0); var m = mat2x2f(1.0, 2.0, 3.0, 4.0); a[i] += x[i]; v[i32(i) - 2] *= 2.0; m[i][i * 2u] = 8.0; y[i] = a[i] + a[0] * v[i] + v.z + m[i32(i) - 1].x + m[1].y;',
      'in workgroup memory': {
        body: 'if (lane == 0u) { tile[group.x * 100u] = x[i]; } workgroupBarrier(); y[i] = tile[i] + tile[0];',
        declares: 'var<workgroup> tile: array<f32, 70>;',
      },
    };
    for (const [name, given] of Object.entries(clamped)) {
      const text = textOf(typeof given === 'string' ? { body: given } : given);
      const options: WgslRun = { workgroups: [3, 1, 1] };
      // One workgroup after another and lane after lane, so that the result at the last element is determined.
      const wanted = interpret(text, MEMORIES, { ...options, subgroupSize: 4 });
      expect(differences(compiled(text, MEMORIES, options), wanted), name).toEqual([]);
    }
  });
});
