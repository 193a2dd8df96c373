import { describe, expect, test } from 'vitest';
import { wgslCompiler } from '../../src/device/wgslCompiler.js';
import { parseModule, WgslError } from '../../src/wgsl/index.js';
import { checkWgsl } from '../support/checkShaders.js';
import { openCpu } from '../support/cpuDevice.js';
import { fileOf, shaderNames } from '../support/shaders.js';

// Each text goes to our front end and to Dawn's. What one refuses the other refuses, but for the list at the end.

/** Why the text is refused: `line:column: rule`, or undefined. */
function refusal(text: string): string | undefined {
  try {
    parseModule(text, { optionalOverrides: true });
    return undefined;
  } catch (error) {
    if (!(error instanceof WgslError)) throw error;
    return error.message.split('\n')[0];
  }
}

const dawnRefuses = async (text: string) => (await checkWgsl('snippet', text)).length > 0;

const ACCEPTED: readonly string[] = [
  // language features
  'requires swizzle_assignment; fn f() { var a = vec2i(1, 2); a.yx = a; }',
  'requires texture_and_sampler_let, fragment_depth; fn f() { }',
  // the size of subgroups
  'enable subgroup_size_control; @compute @workgroup_size(32) @subgroup_size(32) fn f() { }',
  'enable subgroups, subgroup_size_control; const n = 8i; @compute @subgroup_size(n) @workgroup_size(64) fn f() { }',
  // names and scopes
  'const Δ = 1; fn f() { let Δ = 2.0; _ = Δ; }',
  'fn min(a: i32) -> i32 { return a; } fn f() { _ = min(1); }',
  'fn f(a: i32) { let b = a; { let a = b; } if true { let b = a; } }',
  'struct f32x { f32: f32 } fn f(x: f32x) -> f32 { return x.f32; }',
  'fn f() { for (var i = 0; i < 2; i++) { let i = 1; _ = i; } }',
  // types
  'alias A = array<array<vec3f, 2>, 3>; fn f(a: A) -> f32 { return a[2][1].z; }',
  'struct A { a: i32, } struct B { a: A, b: array<A, 2>, } fn f(b: B) -> i32 { return b.b[1].a + b.a.a; }',
  'struct A { @align(32) @size(64) a: u32 } @group(0) @binding(0) var<uniform> a: A;',
  'struct A { n: u32, rest: array<f32> } @group(0) @binding(0) var<storage> a: A; fn f() -> u32 { return arrayLength(&a.rest); }',
  '@group(0) @binding(0) var<uniform> a: array<f32, 4>;',
  'fn f(p: ptr<function, array<i32, 2>>) -> i32 { return p[0] + (*p)[1]; }',
  'var<private> a = array(1, 2, 3); var<workgroup> b: array<bool, 4>;',
  'override n = 4u; var<workgroup> a: array<f32, n * 2>;',
  'override n = 4u; var<workgroup> a: array<f32, n>; fn f(p: ptr<workgroup, array<f32, n>>) { } fn g() { f(&a); }',
  'override n = 4u; alias A = array<f32, n * 2>; var<workgroup> a: A; fn f(p: ptr<workgroup, A>) { } fn g() { f(&a); }',
  'override n: u32; var<workgroup> a: array<f32, n>; fn f() { a[1000] = 1; }',
  'override n = 70000u; var<workgroup> a: array<f32, n>; @compute @workgroup_size(1) fn main() { a[0] = 1; }',
  'override n = 0; @compute @workgroup_size(n) fn main() { }',
  'enable subgroup_size_control; override n = 5; @compute @workgroup_size(4) @subgroup_size(n) fn main() { }',
  // expressions
  'const a = array<f32, select(1, 2, (3 > 2))>(); const b = array<vec2<f32>,2>();',
  'const a = array<f32, select(1, 2, 3 >= 2)>(); const b: vec2<i32>= vec2<i32>(1);',
  'fn f(a: i32) { var b = a; b >>= 1u; let c = a < b; let d = b >= a; let e = (a < b) != (b > a); }',
  'const a = 5; const b: f32 = a; const c: u32 = a; const d = a + 1.5;',
  'const a = vec3(1, 2.0, 3); const b = vec2<u32>(1, 2); const c = mat2x2(1, 2, 3, 4); const d = array(1, 2.5);',
  'fn f(a: u32) -> u32 { return a << 31u; }',
  'fn f(a: vec2f, b: mat2x3f) -> vec3f { return b * a + vec3f(1) * 2 - 1; }',
  'fn f(a: vec4i) -> vec2i { return a.wx + a.rg; }',
  'fn f(a: i32, b: i32) -> i32 { return a--b; }',
  'const a = false && (1 / 0 == 1); const b = true || (vec2(1, 2)[3] == 1);',
  'override n = 0; override x = false; override b = 1 / n; override c = x && (1 / n == 0); override d = false && (x && 1 / 0 == 0);',
  'override n = 0; override a = vec2(1, 2)[n + 2]; fn f(x: i32) { _ = x / n; } override b = clamp(n, 2, n);',
  'const a = bitcast<u32>(-1); const b = bitcast<vec2<f32>>(vec2i(1, 2));',
  'const a = -2147483648; const b: i32 = a; const c = 2147483647i + 1i;',
  'const a = clamp(5, 1, 3); const b = min(1, 2.5); const c = dot(vec2(1, 2), vec2(3, 4));',
  'const a = modf(1.5); const b: f32 = a.fract; const c = frexp(vec2f(1, 2)).exp.y;',
  'const a = select(vec2(1, 2), vec2(3.5, 4), vec2(true, false)); const b = all(vec2(true)) || any(false);',
  'const a = extractBits(0xffu, 4, 4) + insertBits(0u, 3u, 1, 2); const b = pack4x8unorm(vec4f(1)); const c = unpack4x8unorm(b).x;',
  'const a = abs(-9223372036854775807 - 1); const_assert a == -9223372036854775807 - 1; const b = pow(0f, 1f);',
  'const a = ldexp(0.5, 1024); const_assert ldexp(1e300, -2000) > 1e-303; const b = ldexp(1e-300, 1024); const c = ldexp(0.5f, 128);',
  'const_assert smoothstep(vec2(0), vec2(2), vec2(1, 3)).x == 0.5; const_assert smoothstep(0f, 2f, 5f) == 1; const_assert all(normalize(vec2f(3, 4)) == vec2f(3, 4) / 5);',
  'const_assert all(cross(vec3f(1, 2, 3), vec3f(4, 5, 7)) == vec3f(-1, 5, -3)); const_assert all(reflect(vec2(1, -1), vec2(0, 1)) == vec2(1, 1));',
  'const_assert all(refract(vec2f(0, -1), vec2f(0, 1), 0.5) == vec2f(0, -1)); const_assert all(faceForward(vec2(1, 2), vec2(1), vec2(1)) == -vec2(1, 2));',
  'const a = i32(4e9); const b = u32(-1.5); const c = u32(-1i); const d = f32(true);',
  'const a = quantizeToF16(1.0); const b = ldexp(1.5, 3); const c = refract(vec2f(1, 0), vec2f(0, 1), 1.5);',
  // statements
  'fn f() { var v = vec4f(); v.xy = vec2f(1, 2); v.wz *= 2; v.zyx[1] = 3; let p = &v; p.xz = p.zx; }',
  'fn f(i: i32) { switch i { case 1, 2: { } case 3, default { break; } } }',
  'fn f(i: i32) { var k = i; loop { if k > 3 { break; } continuing { k++; } } }',
  'fn f() { var k = 0; loop { continuing { k += 1; break if k == 4; } } }',
  'fn f() -> i32 { loop { return 1; } }',
  'fn f() -> i32 { return 1; var a = 2; a = 3; }',
  'fn f(a: bool) -> i32 { if a { return 1; } else { return 2; } }',
  'fn f() { _ = 1099511627776; _ = 1.5; _ = &w; } var<workgroup> w: i32;',
  '@must_use fn f() -> i32 { return 1; } fn g() { _ = f(); }',
  'fn f() -> i32 { return 1; } fn g() { f(); }',
  // functions and entry points
  'fn f(a: ptr<function, i32>, b: ptr<function, i32>) { *a += *b; } fn g() { var x = 1; var y = 2; f(&x, &y); }',
  'fn f(a: ptr<function, i32>, b: ptr<function, i32>) -> i32 { return *a + *b; } fn g() { var x = 1; _ = f(&x, &x); }',
  '@group(0) @binding(0) var<uniform> a: u32; @group(0) @binding(0) var<uniform> b: u32; fn f() { _ = a + b; }',
  'enable subgroups; @compute @workgroup_size(4, 2u, 1) fn main(@builtin(subgroup_size) n: u32) { _ = subgroupAdd(n) + quadSwapX(1u); }',
  'override x = 8; @compute @workgroup_size(x, x + 1) fn main(@builtin(local_invocation_index) i: u32) { }',
  'var<workgroup> w: u32; @compute @workgroup_size(1) fn main() { _ = workgroupUniformLoad(&w); storageBarrier(); }',
  'fn f() { g(); } fn g() { h(); } fn h() { }',
  'enable subgroups; override n = 200u; fn f(i: u32) { _ = subgroupShuffle(1, n) + subgroupShuffleXor(1, 127) + subgroupShuffle(1, i); }',
  // structs that a render stage shares
  `struct V { @builtin(position) @invariant p: vec4f, @location(0) @interpolate(flat, first) c: vec3u }
  @vertex fn v() -> V { return V(); } @compute @workgroup_size(1) fn f() { var v = V(); _ = v.c; }`,
  'struct V { @builtin(vertex_index) v: u32, @builtin(workgroup_id) i: vec3u } fn f(v: V) -> u32 { return v.v; }',
  'const_assert sizeOf_ == 4; const sizeOf_ = 4;',
  'diagnostic(off, derivative_uniformity); requires packed_4x8_integer_dot_product; const a = dot4I8Packed(1, 2);',
];

const nested = (levels: number) => `fn f(a: i32) { _ = ${'('.repeat(levels)}a${')'.repeat(levels)}; }`;
const inARow = (operands: number) => `fn f(a: i32) { _ = ${new Array(operands).fill('a').join('+')}; }`;
const members = (count: number) => `fn f(a: vec2f) { _ = a${'.xy'.repeat(count)}; }`;

/** What breaks, where, in our words. */
const REFUSED: readonly (readonly [text: string, message: string])[] = [
  // directives
  ['requires;', "1:10: expected the name of a language feature after 'requires'"],
  ['; enable subgroups;', "1:3: 'enable' must come before all declarations"],
  ['requires nothing_of_the_kind;', "1:10: language feature 'nothing_of_the_kind' is not supported"],
  ['fn f()\u00a0{ }', "1:7: invalid character '\u00a0'"],
  ['\ufefffn f() { }', "1:1: invalid character '\ufeff'"],
  ['fn f() { }\u2028foo', "2:1: expected a declaration; found 'foo'"],
  ['fn f() { }\r\nfoo\r', "2:1: expected a declaration; found 'foo'"],
  // sizes that a pipeline gives
  [
    'override n = 2; var<workgroup> a: array<u32, n>; fn f() { let b = a; }',
    "1:67: a value of type 'array<u32, n>' cannot be loaded; read its elements, or take its address with '&'",
  ],
  [
    'override n = 2; var<workgroup> a: array<u32, n>; var<workgroup> c: array<u32, n>; fn f() { c = a; }',
    "1:92: a value of type 'array<u32, n>' cannot be stored; store its elements",
  ],
  ['override n = 2; var<workgroup> a: array<u32, n>; fn f() { a[-1] = 1; }', '1:61: index -1 out of bounds'],
  ['struct S { @size(4) a: array<u32> }', "1:12: '@size' is for types of a fixed size, not for a runtime-sized array"],
  // constants that no value of an override makes right
  ['override n = 1; override b = n / 0;', '1:32: integer division by zero is invalid'],
  ['override n: i32; override b = 5 + (n % 0);', '1:38: integer division by zero is invalid'],
  ['override n = 1; fn f() { _ = n / 0; }', '1:32: integer division by zero is invalid'],
  ['override n = 1; var<private> p = n / 0;', '1:36: integer division by zero is invalid'],
  ['override n = 1; var<workgroup> a: array<f32, n / 0>;', '1:48: integer division by zero is invalid'],
  [
    'override n = 1u; override b = n << 32;',
    '1:33: shift left value must be less than the bit width of the lhs, which is 32',
  ],
  ['override x = false; override y = x && (1 / 0 == 0);', '1:42: integer division by zero is invalid'],
  ['override x = true; override y = x || (1 / 0 == 0);', '1:41: integer division by zero is invalid'],
  ['override x = 1.0; override y = clamp(x, 2, 1);', "1:32: clamp called with 'low' (2.0) greater than 'high' (1.0)"],
  // constants that a call at run time may not have
  ['fn f(x: f32) { _ = smoothstep(1.0, 1.0, x); }', "1:20: smoothstep called with 'low' (1.0) equal to 'high' (1.0)"],
  ['fn f() { _ = pack2x16float(vec2f(1e6)); }', "1:14: value 1000000.0 cannot be represented as 'f16'"],
  // pointers in variables
  [
    'fn f() { var a = 1; var b: ptr<function, i32>; }',
    "1:25: a variable cannot hold a pointer; a 'let' or a parameter can",
  ],
  // the size of subgroups
  [
    'enable subgroups; @compute @workgroup_size(32) @subgroup_size(32) fn f() { }',
    "1:48: use of '@subgroup_size' requires enabling extension 'subgroup_size_control'",
  ],
  [
    'enable subgroup_size_control; @compute @workgroup_size(32) @subgroup_size(24) fn f() { }',
    "1:75: '@subgroup_size' argument must be a power of 2",
  ],
  [
    'enable subgroup_size_control; @compute @workgroup_size(32) @subgroup_size(0) fn f() { }',
    "1:75: '@subgroup_size' argument must be at least 1",
  ],
  [
    'enable subgroup_size_control; @compute @workgroup_size(32) @subgroup_size(-4) fn f() { }',
    "1:75: '@subgroup_size' argument must be at least 1",
  ],
  [
    'enable subgroup_size_control; @compute @workgroup_size(32) @subgroup_size(4.0) fn f() { }',
    "1:75: '@subgroup_size' argument must be an i32 or u32 value",
  ],
  [
    'enable subgroup_size_control; @compute @workgroup_size(32) @subgroup_size(4, 4) fn f() { }',
    "1:60: '@subgroup_size' takes 1 arguments; found 2",
  ],
  [
    'enable subgroup_size_control; @compute @workgroup_size(32) @subgroup_size(4) @subgroup_size(4) fn f() { }',
    '1:78: duplicate subgroup_size attribute',
  ],
  [
    'enable subgroup_size_control; @subgroup_size(4) fn f() { }',
    "1:31: '@subgroup_size' is only valid for compute stages",
  ],
  // tokens and grammar
  ['fn f() {\n  let x = 1\n}', "3:1: expected ';' after the statement; found '}'"],
  [
    'fn k(a: bool, b: i32, c: bool) { } fn p(a: bool) -> i32 { return 1; } fn f(a: i32) { k(a < a, p(a >= a), a > (a)); }',
    "1:88: cannot call 'a': it is a variable, not a function",
  ],
  ['fn f( { }', "1:7: expected a parameter; found '{'"],
  ['const class = 1;', "1:7: 'class' is a reserved word; choose another name"],
  ['const __a = 1;', "1:7: '__a': a name must not start with two underscores"],
  ['const if = 1;', "1:7: expected a name after 'const'; found 'if'"],
  ['let a = 1;', "1:1: module-scope 'let' is invalid; use 'const'"],
  ['fn f() { let x = (1 + 2; }', "1:24: expected ')' to match '('; found ';'"],
  ['fn f() { let x = 1 && true || false; }', "1:28: mixing '&&' and '||' requires parentheses"],
  ['fn f() { 1 + 2; }', "1:10: expected a statement; found '1'"],
  ['fn f() { x ===  1; }', "1:12: expected '=' for assignment; found '=='"],
  ['fn f() { break if true; }', "1:16: 'break if' must be the last statement of a continuing block"],
  ['const a = 1; enable subgroups;', "1:14: 'enable' must come before all declarations"],
  ['enable nonsense;', "1:8: unrecognized extension 'nonsense'; known: subgroups, subgroup_size_control"],
  ['requires nonsense;', "1:10: language feature 'nonsense' is not supported"],
  ['diagnostic(loud, derivative_uniformity);', "1:12: expected a severity (error, warning, info, off); found 'loud'"],
  ['@size(4) const a = 1;', "1:1: '@size' is not valid for a const"],
  ['@compute @compute @workgroup_size(1) fn f() { }', '1:10: duplicate compute attribute'],
  ['fn f(a: i32 b: i32) { }', "1:13: expected ')' after the parameters; found 'b'"],
  ['fn f() { } // a\0', "1:16: invalid character '\\0', which a comment cannot have either"],
  ['fn f() { }\n/* \0 */', "2:4: invalid character '\\0', which a comment cannot have either"],
  ['@must_use() fn f() -> i32 { return 1; }', "1:1: '@must_use' has empty parentheses"],
  ['@compute() @workgroup_size(1) fn f() { }', "1:1: '@compute' has empty parentheses"],
  ['@compute @workgroup_size() fn f() { }', "1:10: '@workgroup_size' has empty parentheses"],
  [nested(127), '1:147: nested more than 127 levels deep; split it up'],
  [inARow(514), '1:1047: more than 512 operators in a row; split them up'],
  [members(513), '1:1562: more than 512 parts in a row; split them up'],
  // names
  ['fn f() { let a = foo; }', "1:18: unresolved value 'foo'"],
  ['fn f() { foo(); }', "1:10: unresolved call target 'foo'"],
  ['fn f(a: foo) { }', "1:9: unresolved type 'foo'"],
  ['const a = 1; const a = 2;', "1:20: redeclaration of 'a'"],
  ['fn f() { let a = 1; let a = 2; }', "1:25: redeclaration of 'a'"],
  ['fn f(a: i32) { let a = 2; }', "1:20: redeclaration of 'a'"],
  ['fn f() { { let a = 1; } _ = a; }', "1:29: unresolved value 'a'"],
  ['fn f() { let a = a; }', "1:18: unresolved value 'a'"],
  ['fn f() { let a = f32; }', "1:18: cannot use type 'f32' as value; write f32(…) to make one"],
  ['fn f() { let a = min; }', "1:18: cannot use builtin function 'min' as value; write min(…) to call it"],
  ['const a = b; const b = a;', "1:7: cyclic dependency found: 'a' -> 'b' -> 'a'"],
  ['fn f() { g(); } fn g() { f(); }', "1:4: cyclic dependency found: 'f' -> 'g' -> 'f'"],
  ['struct A { a: A }', "1:8: cyclic dependency found: 'A' -> 'A'"],
  [
    'fn read() { } @group(0) @binding(0) var<storage, read> x: i32;',
    "1:50: 'read' is a declaration of this module here, not the access mode; rename it",
  ],
  [
    'fn f() { let function = 1; var<function> y = 1; }',
    "1:32: 'function' is a declaration of this module here, not the address space; rename it",
  ],
  // types
  ['fn f(a: vec3) { }', "1:9: 'vec3' needs template arguments; write vec3<f32>"],
  ['fn f(a: vec3<i32, i32>) { }', "1:9: 'vec3' takes 1 template argument; found 2"],
  ['fn f(a: mat2x2<i32>) { }', "1:16: matrix element type must be 'f32'; found 'i32'"],
  ['fn f(a: array<f32, 0>) { }', '1:20: array count (0) must be greater than 0'],
  ['fn f(a: array<f32, 1.5>) { }', "1:20: array count must be an integer; found 'abstract-float'"],
  [
    'fn f() { let n = 2; var a: array<f32, n>; }',
    '1:39: array count must evaluate to a constant integer expression or override variable',
  ],
  [
    'fn f() { var a: array<f32>; }',
    '1:14: runtime-sized arrays cannot be used in the <function> address space; write array<f32, 4>',
  ],
  ['fn f() { var a: array<f32, 65536>; }', '1:14: array count (65536) must be less than 65536'],
  ['struct A { a: array<f32>, b: f32 }', '1:12: runtime arrays may only appear as the last member of a struct'],
  ['struct A { a: f32, a: f32 }', "1:20: redefinition of 'a'"],
  ['struct A { }', '1:8: structures must have at least one member'],
  ['struct A { @align(3) a: f32 }', "1:12: '@align' value must be a positive, power-of-two integer; found 3"],
  ['struct A { @size(2) a: f32 }', "1:12: '@size' must be at least as big as the type's size (4); found 2"],
  [
    '@group(0) @binding(0) var<storage> a: bool;',
    "1:36: type 'bool' cannot be used in address space 'storage' as it is non-host-shareable; write u32 for bool",
  ],
  [
    'override n = 4; fn f() { var a: array<f32, n>; }',
    "1:30: an array whose length depends on an 'override' can only be the type of a 'var<workgroup>'; use 'const'",
  ],
  [
    'override n = 4; var<workgroup> a: array<f32, n>; fn f(p: ptr<workgroup, array<f32, 4>>) { } fn g() { f(&a); }',
    "1:104: type mismatch for argument 1 in call to 'f', expected 'ptr<workgroup, array<f32, 4>, read_write>', got 'ptr<workgroup, array<f32, n>, read_write>'",
  ],
  [
    'override n = 4; override m = 4; var<workgroup> a: array<f32, n>; fn f(p: ptr<workgroup, array<f32, m>>) { } fn g() { f(&a); }',
    "1:120: type mismatch for argument 1 in call to 'f', expected 'ptr<workgroup, array<f32, m>, read_write>', got 'ptr<workgroup, array<f32, n>, read_write>'",
  ],
  [
    'override n = 4; var<workgroup> a: array<f32, n * 2>; fn f(p: ptr<workgroup, array<f32, n * 2>>) { } fn g() { f(&a); }',
    "1:112: type mismatch for argument 1 in call to 'f', expected 'ptr<workgroup, array<f32, expression at 1:90>, read_write>', got 'ptr<workgroup, array<f32, expression at 1:48>, read_write>'",
  ],
  // module scope
  ['var<uniform> a: f32;', "1:14: resource variables require '@group' and '@binding' attributes"],
  ['@group(0) @binding(0) var<private> a: f32;', "1:1: only resource variables may have '@group' and '@binding'"],
  [
    'var a: f32;',
    "1:5: module-scope 'var' declarations require an address space; write var<private> or var<workgroup>",
  ],
  [
    'var<workgroup> a: i32 = 1;',
    "1:16: 'var' initializer is only for <private> and <function>; <workgroup> cannot have one",
  ],
  ['var<private> a = 1; const b = a;', "1:31: var 'a' cannot be referenced at module-scope"],
  [
    'override a = 1; const b = a;',
    '1:27: const initializer requires a const-expression, but expression is an override-expression',
  ],
  ['override a: vec2f;', "1:10: 'override' must be a bool, i32, u32 or f32; found 'vec2<f32>'"],
  ['@id(1) override a = 1; @id(1) override b = 2;', "1:24: '@id' values must be unique; 1 is that of 'a' too"],
  ['const_assert 1 > 2;', '1:1: const assertion failed'],
  ['const_assert 1;', "1:14: const assertion condition must be a bool, got 'abstract-int'"],
  // constants
  ['const a: i32 = 2147483648;', "1:16: value 2147483648 cannot be represented as 'i32'"],
  ['const a = u32(-1);', "1:11: value -1 cannot be represented as 'u32'"],
  ['const a = 1 / 0;', '1:13: integer division by zero is invalid'],
  ['const a = 1.0 / 0;', "1:15: '1.0 / 0.0' cannot be represented as 'abstract-float'"],
  ['const a = 9223372036854775807 + 1;', "1:31: '9223372036854775807 + 1' cannot be represented as 'abstract-int'"],
  ['const a = 1e38f * 10;', "1:17: '99999996802856924650656260769173209088.0 * 10.0' cannot be represented as 'f32'"],
  ['const a = -2147483648i;', "1:12: value 2147483648 cannot be represented as 'i32'"],
  ['const a = 1i << 31;', '1:14: shift left operation results in sign change'],
  ['const a = 3u << 31;', "1:14: '3 << 31' cannot be represented as 'u32'"],
  ['const a = 1u >> 32;', '1:14: shift right value must be less than the bit width of the lhs, which is 32'],
  ['const a = sqrt(-1.0);', '1:11: sqrt must be called with a value >= 0'],
  ['const a = log(0);', '1:11: log must be called with a value > 0'],
  ['const a = exp(1000.0);', "1:11: value inf cannot be represented as 'abstract-float'"],
  ['const a = clamp(1, 3, 2);', "1:11: clamp called with 'low' (3) greater than 'high' (2)"],
  ['const a = array(1, 2)[2];', '1:23: index 2 out of bounds [0..1]'],
  ['const a = bitcast<f32>(0x7f800000u);', "1:11: value inf cannot be represented as 'f32'"],
  // steps of a constant that are not finite, or outside of a domain
  ...['-2.0, 2.0', '0.0, 0.0', '-2f, 2f', '0f, 0f', '0.0, -1.0'].map(
    (given) =>
      [
        `const a = pow(${given});`,
        '1:11: pow must be called with a base > 0, or a base of 0 and an exponent > 0',
      ] as const,
  ),
  ['const a = quantizeToF16(65510.0);', "1:11: value 65510.0 cannot be represented as 'f16'"],
  ['const a = quantizeToF16(vec2f(-65505, 1));', "1:11: value -65505.0 cannot be represented as 'f16'"],
  [
    'const a = (-9223372036854775807 - 1) % -1;',
    "1:38: '-9223372036854775808 % -1' cannot be represented as 'abstract-int'",
  ],
  ['const a = (-2147483647i - 1i) % -1i;', "1:31: '-2147483648 % -1' cannot be represented as 'i32'"],
  ...[
    'normalize(vec2f(1e30f, 0))',
    'distance(vec2f(1e30f, 0), vec2f())',
    'faceForward(vec2f(1), vec2f(1e30f), vec2f(1e30f))',
    'reflect(vec2f(1e30f), vec2f(1e30f))',
    'refract(vec2f(1e30f), vec2f(1e30f), 1)',
    'cross(vec3f(1e30f), vec3f(1e30f))',
  ].map(
    (call) =>
      [
        `const a = ${call};`,
        "1:11: '1000000015047466219876688855040.0 * 1000000015047466219876688855040.0' cannot be represented as 'f32'",
      ] as const,
  ),
  ['const a = normalize(vec2f());', '1:11: zero length vector can not be normalized'],
  [
    'const a = smoothstep(-3e38f, 3e38f, 1f);',
    "1:11: '300000000549775575777803994281145270272.0 - -300000000549775575777803994281145270272.0' cannot be represented as 'f32'",
  ],
  ['const a = smoothstep(0f, 1e-45f, 1f);', "1:11: '1.0 / 1.401298464324817e-45' cannot be represented as 'f32'"],
  ['const a = ldexp(1f, 129);', '1:11: e2 must be less than or equal to 128'],
  ['const a = ldexp(0.25, 1025);', '1:11: e2 must be less than or equal to 1024'],
  ['const a: f32 = 3.5e38;', "1:16: value 350000000000000001565567347835409530880.0 cannot be represented as 'f32'"],
  [
    'const a: f32 = 3.40282347e38;',
    "1:16: value 340282346999999984391321947108527833088.0 cannot be represented as 'f32'",
  ],
  ['const a = (true || false) && (1 / 0 == 1);', '1:33: integer division by zero is invalid'],
  ['const a = -1u;', "1:11: no matching overload for 'operator - (u32)'"],
  ['const a = pack2x16float(vec4f());', "1:11: no matching overload for 'pack2x16float(vec4<f32>)'"],
  // expressions
  ['fn f(a: mat2x3f, b: vec3f) { _ = a * b; }', "1:36: no matching overload for 'operator * (mat2x3<f32>, vec3<f32>)'"],
  [
    'fn f(a: vec2u) { _ = a << 1u; }',
    "1:24: no matching overload for 'operator << (vec2<u32>, u32)'; write vec2<u32>(…) around one side",
  ],
  [
    'fn f(a: f32, b: i32) { _ = a + b; }',
    "1:30: no matching overload for 'operator + (f32, i32)'; write f32(…) or i32(…) around one side",
  ],
  ['fn f(a: f32) { _ = a & 1; }', "1:22: no matching overload for 'operator & (f32, abstract-int)'"],
  [
    'fn f(a: f32, b: i32) { _ = a < b; }',
    "1:30: no matching overload for 'operator < (f32, i32)'; write f32(…) or i32(…) around one side",
  ],
  [
    'fn f(a: vec3u) { _ = a & 1; }',
    "1:24: no matching overload for 'operator & (vec3<u32>, abstract-int)'; write vec3<u32>(…) around one side",
  ],
  [
    'fn f(a: vec2i) { _ = a + 1u; }',
    "1:24: no matching overload for 'operator + (vec2<i32>, u32)'; write vec2<i32>(…) or vec2<u32>(…) around one side",
  ],
  ['fn f(a: bool) { _ = -a; }', "1:21: no matching overload for 'operator - (bool)'"],
  ['fn f(a: vec2f, b: vec3f) { _ = a * b; }', "1:34: no matching overload for 'operator * (vec2<f32>, vec3<f32>)'"],
  [
    'fn f(a: mat2x3f, b: mat2x3f) { _ = a * b; }',
    "1:38: no matching overload for 'operator * (mat2x3<f32>, mat2x3<f32>)'",
  ],
  ['fn f(a: i32) { _ = a && true; }', "1:22: no matching overload for 'operator && (i32, bool)'"],
  ['fn f(a: i32) { _ = a / 0; }', '1:22: integer division by zero is invalid'],
  ['fn f(a: u32) { _ = a << 32; }', '1:22: shift left value must be less than the bit width of the lhs, which is 32'],
  [
    'fn f(a: f32, b: i32) { _ = min(a, b); }',
    "1:28: no matching overload for 'min(f32, i32)'; write f32(…) around what is not an f32",
  ],
  ['fn f(a: i32) { _ = sqrt(a); }', "1:20: no matching overload for 'sqrt(i32)'"],
  ['fn f(a: vec3f) { _ = a[3]; }', '1:24: index 3 out of bounds [0..2]'],
  ['fn f(a: vec3f) { _ = a[1.0]; }', "1:24: index must be of type 'i32' or 'u32', found: 'abstract-float'"],
  ['fn f(a: vec2f) { _ = a.z; }', "1:24: invalid vector swizzle member 'z' of 'vec2<f32>', which has x, y"],
  ['fn f(a: vec2f) { _ = a.xr; }', "1:24: invalid vector swizzle member 'xr' of 'vec2<f32>', which has x, y"],
  ['struct S { a: i32 } fn f(s: S) { _ = s.b; }', "1:40: struct member b not found; 'S' has a"],
  ['fn f(a: i32) { _ = a.x; }', "1:22: cannot access member 'x' of type 'i32'"],
  ['fn f(a: u32) { _ = vec3f(a); }', "1:20: no matching constructor for 'vec3<f32>(u32)'"],
  ['fn f(a: f32) { _ = vec3(a, a); }', "1:20: no matching constructor for 'vec3(f32, f32)'"],
  ['struct S { a: i32, b: i32 } fn f() { _ = S(1); }', "1:42: 'S' constructor has too few inputs: expected 2, found 1"],
  [
    'fn f() { _ = array<f32, 2>(1, 2, 3); }',
    "1:14: 'array<f32, 2>' constructor has too many inputs: expected 2, found 3",
  ],
  ['fn f(a: f32) { _ = bitcast<bool>(a); }', "1:20: no matching overload for 'bitcast<bool>(f32)'"],
  ['fn f() { let a = 1; _ = &a; }', '1:25: cannot take the address of a value; put it into a var'],
  ['fn f() { var a = vec2f(); _ = &a.x; }', '1:31: cannot take the address of a vector component'],
  ['fn f(a: i32) { _ = *a; }', "1:20: cannot dereference expression of type 'i32'"],
  [
    'fn f(a: array<f32, 2>) { _ = arrayLength(a); }',
    "1:30: no matching overload for 'arrayLength(array<f32, 2>)': it takes a pointer to an array without a count",
  ],
  [
    '@group(0) @binding(0) var<storage> a: array<f32>; fn f() { let b = a; }',
    "1:68: a value of type 'array<f32>' cannot be loaded; read its elements, or take its address with '&'",
  ],
  // statements
  [
    'fn f(i: i32) -> i32 { switch i { case 1 { break; } default { return 1; } } }',
    "1:4: missing return at end of function 'f', which returns 'i32'",
  ],
  ['fn f() { var a = 1; a += vec2(1); }', "1:21: cannot assign 'vec2<i32>' to 'i32'"],
  ['fn f() { let a = 1; a = 2; }', "1:21: cannot assign to 'let a'; only memory of a 'var' can change"],
  ['fn f(a: i32) { a = 2; }', "1:16: cannot assign to parameter 'a'; only memory of a 'var' can change"],
  ['fn f() { const a = 1; a = 2; }', "1:23: cannot assign to 'const a'; only memory of a 'var' can change"],
  [
    '@group(0) @binding(0) var<storage> a: i32; fn f() { a = 2; }',
    "1:53: cannot store into a read-only type 'i32' in <storage>; declare it var<storage, read_write>",
  ],
  ['fn f() { var a = 1; a = 2.5; }', "1:25: cannot assign 'abstract-float' to 'i32'; write i32(…)"],
  ['fn f() { var a = 1.0; a++; }', "1:23: increment statement can only be applied to an integer scalar; found 'f32'"],
  [
    'fn f() { var a = 1; a += 1.5; }',
    "1:21: no matching overload for 'operator + (i32, abstract-float)'; write i32(…) around one side",
  ],
  [
    'fn f() { var v = vec2f(); v.xx = vec2f(); }',
    '1:27: cannot assign to vector swizzle with duplicate target components',
  ],
  [
    'fn f() { let a: i32 = 1.5; }',
    "1:23: cannot initialize 'let' of type 'i32' with value of type 'abstract-float'; write i32(…)",
  ],
  ['fn f() { var a; }', "1:14: 'var' declaration requires a type or initializer"],
  ['fn f() { if 1 { } }', "1:13: if statement condition must be bool, got 'abstract-int'"],
  ['fn f() { switch 1 { case 1: { } } }', '1:10: switch statement must have a default clause; write default: {}'],
  ['fn f() { switch 1 { case 1, 1: { } default: { } } }', "1:29: duplicate switch case '1'"],
  ['fn f() { switch 1u { case -1: { } default: { } } }', "1:27: value -1 cannot be represented as 'u32'"],
  [
    'fn f() { switch 1.5 { default: { } } }',
    "1:17: switch selector and case values must be of one type, i32 or u32; found 'abstract-float'",
  ],
  ['fn f() { loop { } }', '1:10: loop does not exit; write break, break if or return'],
  ['fn f() { for (;;) { } }', '1:10: for-loop does not exit; write a condition, break or return'],
  ['fn f() { break; }', "1:10: 'break' statement must be in a loop or switch case"],
  ['fn f() { switch 1 { default: { continue; } } }', "1:32: 'continue' statement must be in a loop"],
  [
    'fn f() { loop { break; continuing { break; } } }',
    "1:37: 'break' must not be used to exit from a continuing block; use 'break if'",
  ],
  ['fn f() { loop { break; continuing { return; } } }', '1:37: continuing blocks must not contain a return statement'],
  [
    'fn f(b: bool) { loop { if b { continue; } let x = 1; if b { break; } continuing { _ = x; } } }',
    "1:24: continue statement bypasses declaration of 'x', which the continuing block uses; declare it before the loop",
  ],
  [
    'fn f(b: bool) { loop { if b { continue; } const x = 1; if b { break; } continuing { _ = x; } } }',
    "1:24: continue statement bypasses declaration of 'x', which the continuing block uses; declare it before the loop",
  ],
  ['fn f() -> i32 { }', "1:4: missing return at end of function 'f', which returns 'i32'"],
  ['fn f(b: bool) -> i32 { if b { return 1; } }', "1:4: missing return at end of function 'f', which returns 'i32'"],
  [
    'fn f() -> u32 { return 1i; }',
    "1:17: return statement type must match its function return type, returned 'i32', expected 'u32'; write u32(…)",
  ],
  [
    'fn f() { return 1; }',
    "1:10: return statement type must match its function return type, returned 'abstract-int', expected 'void'",
  ],
  ['fn f() { min(1, 2); }', "1:10: ignoring return value of builtin 'min'; write _ = min(…)"],
  ['@must_use fn f() -> i32 { return 1; } fn g() { f(); }', "1:48: ignoring return value of 'f'; write _ = f(…)"],
  ['fn f() { } fn g() { _ = f(); }', "1:25: function 'f' does not return a value"],
  // functions
  [
    'fn f(a: ptr<function, i32>, b: ptr<function, i32>) { *b = *a; } fn g() { var x = 1; f(&x, &x); }',
    '1:91: invalid aliased pointer argument: the same memory is reached by another argument',
  ],
  ['fn f(a: i32) { } fn g() { f(); }', "1:27: too few arguments in call to 'f', expected 1, got 0"],
  [
    'fn f(a: i32) { } fn g() { f(1u); }',
    "1:29: type mismatch for argument 1 in call to 'f', expected 'i32', got 'u32'",
  ],
  [
    'fn f(a: ptr<function, i32>, b: ptr<function, i32>) { *a = *b; } fn g() { var x = 1; f(&x, &x); }',
    '1:91: invalid aliased pointer argument: the same memory is reached by another argument',
  ],
  [
    'var<private> x = 1; fn f(a: ptr<private, i32>) { *a = x; } fn g() { f(&x); }',
    "1:71: invalid aliased pointer argument: the same memory is reached by the function, which uses 'x' itself",
  ],
  ['fn f() { workgroupBarrier(1); }', "1:10: no matching overload for 'workgroupBarrier(abstract-int)'"],
  [
    'fn f() { _ = subgroupAdd(1); }',
    "1:14: cannot call built-in function 'subgroupAdd' without extension 'subgroups'; write enable subgroups; first",
  ],
  [
    'enable subgroups; fn f(i: u32) { _ = subgroupBroadcast(1, i); }',
    '1:59: the sourceLaneIndex argument of subgroupBroadcast must be a const-expression; subgroupShuffle takes any',
  ],
  [
    'enable subgroups; fn f() { _ = subgroupBroadcast(1, -1); }',
    '1:53: the sourceLaneIndex argument of subgroupBroadcast must be greater than or equal to zero',
  ],
  [
    'enable subgroups; fn f() { _ = quadBroadcast(1, 4); }',
    '1:49: the id argument of quadBroadcast must be less than 4',
  ],
  [
    'enable subgroups; fn f() { _ = subgroupShuffle(1, 128u); }',
    '1:51: the sourceLaneIndex argument of subgroupShuffle must be less than 128',
  ],
  [
    'enable subgroups; fn f() { _ = subgroupShuffle(1, -1); }',
    '1:51: the sourceLaneIndex argument of subgroupShuffle must be greater than or equal to zero',
  ],
  [
    'enable subgroups; fn f() { _ = subgroupShuffleUp(1, 128u); }',
    '1:53: the delta argument of subgroupShuffleUp must be less than 128',
  ],
  [
    'enable subgroups; fn f() { _ = subgroupShuffleDown(1, 200); }',
    '1:55: the delta argument of subgroupShuffleDown must be less than 128',
  ],
  [
    'enable subgroups; fn f() { _ = subgroupShuffleXor(1, 128); }',
    '1:54: the mask argument of subgroupShuffleXor must be less than 128',
  ],
  // entry points
  [
    '@compute @workgroup_size(1) fn f(@builtin(workgroup_id) a: vec3u, @builtin(workgroup_id) b: vec3u) { }',
    "1:90: '@builtin(workgroup_id)' appears multiple times as pipeline input",
  ],
  ['@compute fn f() { }', "1:1: a compute shader must include '@workgroup_size' in its attributes"],
  ['@workgroup_size(1) fn f() { }', "1:1: '@workgroup_size' is only valid for compute stages"],
  ['@compute @workgroup_size(0) fn f() { }', "1:26: '@workgroup_size' argument must be at least 1"],
  [
    '@compute @workgroup_size(1i, 1u) fn f() { }',
    "1:26: '@workgroup_size' arguments must be of the same type, either i32 or u32",
  ],
  [
    '@compute @workgroup_size(1) fn f() { } fn g() { f(); }',
    '1:49: entry point functions cannot be the target of a function call',
  ],
  [
    '@compute @workgroup_size(1) fn f(a: u32) { }',
    "1:34: missing entry point IO attribute on 'a'; write a @builtin(…) of compute shaders",
  ],
  [
    'struct V { @location(0) c: vec3f } @compute @workgroup_size(1) fn f(v: V) { }',
    "1:69: missing entry point IO attribute on 'c'; write a @builtin(…) of compute shaders",
  ],
  [
    'struct V { @builtin(position) p: vec4f } @compute @workgroup_size(1) fn f(v: V) { }',
    "1:75: missing entry point IO attribute on 'p'; write a @builtin(…) of compute shaders",
  ],
  ['struct V { @builtin(position) p: vec3f }', "1:31: store type of '@builtin(position)' must be 'vec4<f32>'"],
  [
    '@compute @workgroup_size(1) fn f(@builtin(position) p: vec4f) { }',
    "1:43: 'position' is no builtin value of a compute shader; there are local_invocation_id, local_invocation_index, global_invocation_id, global_invocation_index, workgroup_id, workgroup_index, num_workgroups, subgroup_invocation_id, subgroup_size, subgroup_id, num_subgroups",
  ],
  [
    '@compute @workgroup_size(1) fn f(@builtin(workgroup_id) a: u32) { }',
    "1:57: store type of '@builtin(workgroup_id)' must be 'vec3<u32>'",
  ],
  [
    '@compute @workgroup_size(1) fn f(@builtin(subgroup_size) a: u32) { }',
    "1:43: use of '@builtin(subgroup_size)' requires enabling extension 'subgroups'; write enable subgroups; first",
  ],
  [
    '@compute @workgroup_size(1) fn f() -> u32 { return 1; }',
    '1:32: a compute entry point returns nothing; write results to storage',
  ],
  [
    '@group(0) @binding(0) var<uniform> a: u32; @group(0) @binding(0) var<uniform> b: u32; @compute @workgroup_size(1) fn f() { _ = a + b; }',
    "1:79: entry point 'f' references multiple variables that use the same resource binding @group(0) @binding(0): 'a' and 'b'",
  ],
];

/** WGSL that is not built: refused by name and place, where Dawn takes it. */
const LEFT_OUT: readonly (readonly [text: string, message: string])[] = [
  ['enable f16; fn f(a: f16) { }', "1:8: extension 'f16' is not supported; write f32"],
  [
    'enable chromium_experimental_subgroup_matrix;',
    "1:8: extension 'chromium_experimental_subgroup_matrix' is not supported; write the product with loops",
  ],
  ['@group(0) @binding(0) var t: texture_2d<f32>;', "1:30: type 'texture_2d' is not supported; write a storage buffer"],
  ['@group(0) @binding(0) var t: sampler;', "1:30: type 'sampler' is not supported; write a storage buffer"],
  ['var<workgroup> a: atomic<u32>;', "1:19: type 'atomic' is not supported"],
  ['fn f() { _ = dpdx(1.0); }', "1:14: cannot call 'dpdx': derivatives are for fragment shaders"],
  ['fn f() { if true { discard; } }', "1:20: 'discard' is for fragment shaders; use 'return'"],
  ['@fragment fn f() { }', "1:1: '@fragment' is not supported; only @compute runs"],
  ['var<immediate> a: u32;', "1:5: address space 'immediate' is not supported; write uniform"],
];

describe('accepted', () => {
  test.each([...ACCEPTED, nested(126), inARow(513), members(512)])('%s', async (text) => {
    expect(refusal(text)).toBeUndefined();
    expect(await checkWgsl('snippet', text)).toEqual([]);
  });
});

describe('refused', () => {
  test.each(REFUSED)('%s', async (text, message) => {
    expect(refusal(text)).toBe(message);
    expect(await dawnRefuses(text)).toBe(true);
  });

  test('the message shows the line and points at the place', () => {
    expect(() => parseModule('fn f() {\n  let x = foo;\n}')).toThrow(
      ["2:11: unresolved value 'foo'", '    2 |   let x = foo;', `${' '.repeat(18)}^`].join('\n'),
    );
  });
});

test('the caret of an error stays below its column in a line with tabs, and its line has no line break', () => {
  expect(() => parseModule('fn f() {\r\n\t\tlet x = foo;\r\n}')).toThrow(
    ["2:11: unresolved value 'foo'", '    2 | \t\tlet x = foo;', `${' '.repeat(8)}\t\t${' '.repeat(8)}^`].join('\n'),
  );
});

test('an extension is refused where the device was requested without its feature', async () => {
  expect(() => parseModule('enable subgroups;', { extensions: [] })).toThrow(
    "1:8: extension 'subgroups' is not allowed",
  );
  const gpu = await openCpu({ compiler: wgslCompiler });
  gpu.pushErrorScope('validation');
  const lanes = '@compute @workgroup_size(8) @subgroup_size(8) fn main() { }';
  gpu.createShaderModule({ code: `enable subgroups, subgroup_size_control;\n${lanes}` });
  expect((await gpu.popErrorScope())?.message).toContain("1:19: extension 'subgroup_size_control' is not allowed");
});

describe('where we differ from Dawn', () => {
  test.each(LEFT_OUT)('%s is refused', async (text, message) => {
    expect(refusal(text)).toBe(message);
    expect(await dawnRefuses(text)).toBe(false);
  });
});

describe('our own kernels', () => {
  test.each(shaderNames)('%s is read, or refused for what it needs', (shader) => {
    const text = fileOf(shader);
    let prelude = 'enable subgroups;\n';
    for (;;) {
      const found = refusal(prelude + text);
      const missing = /unresolved value '([A-Z][A-Z0-9_]*)'/.exec(found ?? '')?.[1];
      if (missing === undefined) {
        const needsMatrices = shader === 'gpu/matmul.subgroupMatrix';
        expect(found).toEqual(
          needsMatrices ? expect.stringContaining("'subgroup_matrix_left' is not supported") : undefined,
        );
        return;
      }
      prelude += `const ${missing}: u32 = 8u;\n`;
    }
  });
});
