import { describe, expect, test } from 'vitest';
import { compileKernel, parseModule, WgslError } from '../../src/wgsl/index.js';
import { checkWgsl } from '../support/checkShaders.js';
import { expectNoFailure } from '../support/madeUp.js';
import { UNIFORM_WORDS, uniformKernel } from '../support/uniformKernel.js';
import { compiled, differences, interpret } from '../support/wgsl.js';

// Which programs let all invocations come to their barriers and subgroup operations: Dawn says the same of each, at the same place.

const HEADER = `enable subgroups;
@group(0) @binding(0) var<storage, read> ro: array<u32>;
@group(0) @binding(1) var<storage, read_write> rw: array<u32>;
@group(0) @binding(2) var<uniform> un: vec4u;
var<workgroup> wg: array<u32, 64>;
var<private> pr: u32;
`;
const MAIN = `@compute @workgroup_size(64) fn main(@builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) li: u32,
  @builtin(global_invocation_id) gid: vec3u, @builtin(subgroup_size) ss: u32, @builtin(subgroup_invocation_id) si: u32,
  @builtin(subgroup_id) sgid: u32, @builtin(num_subgroups) ns: u32, @builtin(workgroup_index) wi: u32,
  @builtin(global_invocation_index) gi: u32) {`;

type Program = readonly [body: string, declares?: string];

const textOf = ([body, declares = '']: Program) =>
  `${HEADER}${declares}\n${MAIN}\n${body}\n}`
    .replaceAll('BARRIER;', 'workgroupBarrier();')
    .replaceAll('SUBGROUP;', '_ = subgroupElect();');

/** The first error that each front end finds: its place and rule. */
function ourError(text: string): string | undefined {
  try {
    parseModule(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof WgslError)) throw error;
    return `${error.at.line}:${error.at.column} ${error.rule}`;
  }
}

async function dawnsError(text: string): Promise<string | undefined> {
  const [first] = await checkWgsl('', text);
  return first && /^:(.*)/.exec(first)![1];
}

/** Values of `if (value > 3u)` around a barrier: what is the same in a workgroup, and what need not be. */
const WORKGROUP = {
  same: [
    'wid.x',
    'nw.x',
    'ss',
    'ns',
    'ro[0]',
    'ro[wid.x]',
    'un.x',
    'arrayLength(&ro)',
    'arrayLength(&rw)',
    'workgroupUniformLoad(&wg[0])',
  ],
  apart: [
    'lid.x',
    'li',
    'gid.x',
    'si',
    'sgid',
    'wi',
    'gi',
    'ro[lid.x]',
    'rw[0]',
    'wg[0]',
    'pr',
    'subgroupAdd(1u)',
    'subgroupBroadcastFirst(1u)',
  ],
};

/** Values of `if (value > 3u)` around a subgroup operation: what is the same in a subgroup, and what need not be. */
const SUBGROUP = {
  same: [
    'sgid',
    'ss',
    'ns',
    'ro[sgid]',
    'subgroupAdd(1u)',
    'subgroupAdd(sgid)',
    'subgroupMul(1u)',
    'subgroupMin(1u)',
    'subgroupMax(1u)',
    'subgroupAnd(1u)',
    'subgroupOr(1u)',
    'subgroupXor(1u)',
    'subgroupBroadcastFirst(1u)',
    'subgroupBroadcast(1u, 0u)',
    'subgroupBallot(true).x',
    'u32(subgroupAny(true))',
    'u32(subgroupAll(true))',
    'workgroupUniformLoad(&wg[0])',
  ],
  apart: [
    'wi',
    'gi',
    'si',
    'rw[0]',
    'pr',
    'wg[0]',
    'ro[si]',
    'subgroupAdd(lid.x)',
    'subgroupInclusiveAdd(1u)',
    'subgroupExclusiveAdd(1u)',
    'subgroupBroadcastFirst(lid.x)',
    'subgroupBroadcast(lid.x, 0u)',
    'subgroupShuffle(1u, 0u)',
    'subgroupShuffle(lid.x, 0u)',
    'subgroupShuffleXor(1u, 1u)',
    'subgroupShuffleUp(1u, 1u)',
    'quadSwapX(1u)',
    'quadBroadcast(1u, 0u)',
    'u32(subgroupElect())',
    'subgroupBallot(lid.x > 1u).x',
    'u32(subgroupAll(lid.x > 1u))',
  ],
};

const ACCEPTED: readonly Program[] = [
  ...WORKGROUP.same.map((value): Program => [`if (${value} > 3u) { BARRIER; }`]),
  ...SUBGROUP.same.map((value): Program => [`if (${value} > 3u) { SUBGROUP; }`]),
  ['_ = subgroupShuffle(1u, lid.x);'],
  ['_ = quadSwapX(lid.x);'],
  ['if (sgid > 1u) { SUBGROUP; }'],
  ['@diagnostic(off, subgroup_uniformity) if (lid.x > 1u) { _ = subgroupAdd(1u); }'],
  ['@diagnostic(warning, subgroup_uniformity) if (lid.x > 1u) { _ = subgroupAdd(1u); }'],
  ['@diagnostic(info, subgroup_uniformity) if (lid.x > 1u) { _ = subgroupAdd(1u); }'],
  ['if (lid.x > 1u) @diagnostic(off, subgroup_uniformity) { _ = subgroupAdd(1u); }'],
  ['@diagnostic(off, subgroup_uniformity) for (var i = 0u; i < lid.x; i++) { _ = subgroupAdd(1u); }'],
  ['f(lid.x);', '@diagnostic(off, subgroup_uniformity) fn f(x: u32) { if (x > 1u) { _ = subgroupAdd(1u); } }'],
  ['', 'fn f(p: ptr<function, u32>) { if (*p > 1u) { BARRIER; } }'],
  ['f(&ro);', 'fn f(p: ptr<storage, array<u32>>) { if (p[0] > 1u) { BARRIER; } }'],
  ['f(&un);', 'fn f(p: ptr<uniform, vec4u>) { if (p.x > 1u) { BARRIER; } }'],
  ['f(&rw);', 'fn f(p: ptr<storage, array<u32>, read_write>) { if (arrayLength(p) > 1u) { BARRIER; } }'],
  ['f(&wg[wid.x]);', 'fn f(p: ptr<workgroup, u32>) { _ = workgroupUniformLoad(p); }'],
  ['var a: array<u32, 4>; a[0] = lid.x; a = array<u32, 4>(); if (a[0] > 1u) { BARRIER; }'],
  ['var a = lid.x; let p = &a; *p = 0u; if (a > 1u) { BARRIER; }'],
  ['var a = lid.xy; a = vec2u(); if (a.x > 1u) { BARRIER; }'],
  ['var a = lid.x; a = 1u; if (a > 1u) { BARRIER; }'],
  ['var a = 0u; if (lid.x > 1u) { a = 1u; } a = 2u; if (a > 1u) { BARRIER; }'],
  ['var a = 0u; if (wid.x > 1u) { a = 1u; } if (a > 1u) { BARRIER; }'],
  ['if (wid.x > 1u) { return; } BARRIER;'],
  ['return; BARRIER;'],
  ['if (lid.x > 1u) { return; BARRIER; }'],
  ['for (var i = 0u; i < lid.x; i++) { } BARRIER;'],
  ['for (var i = 0u; i < 4u; i++) { if (lid.x > 2u) { break; } } BARRIER;'],
  ['for (var i = 0u; i < 4u; i++) { if (lid.x > 2u) { continue; } } BARRIER;'],
  ['var i = 0u; loop { if (i > 3u) { break; } BARRIER; i++; }'],
  ['switch wid.x { case 1u: { BARRIER; } default: { } }'],
  ['switch lid.x { case 1u: { break; } default: { } } BARRIER;'],
  ['if (wid.x > 1u && g()) { }', 'fn g() -> bool { BARRIER; return true; }'],
  ['if (g() && lid.x > 1u) { }', 'fn g() -> bool { BARRIER; return true; }'],
  ['if (f(lid.x, wid.x)) { BARRIER; }', 'fn f(a: u32, b: u32) -> bool { return b > 1u; }'],
  [
    'if (f(lid.x, wid.x)) { BARRIER; }',
    'fn f(a: u32, b: u32) -> bool { for (var i = 0u; i < a; i++) { } return b > 1u; }',
  ],
  ['var x = lid.x; f(&x); if (x > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>) { *p = 1u; }'],
  [
    'var x = 0u; var y = lid.x; f(&x, &y); if (y > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>, q: ptr<function, u32>) { *q = *p; }',
  ],
  ['_ = subgroupShuffleUp(1u, sgid);'],
  ['@diagnostic(off, subgroup_uniformity) { _ = subgroupShuffleUp(1u, lid.x); }'],
  ['@diagnostic(warning, subgroup_uniformity) { _ = subgroupShuffleUp(1u, lid.x); }'],
  ['f(sgid);', 'fn f(x: u32) { if (x > 1u) { _ = subgroupAdd(1u); } }'],
  ['if (f() > 1u) { SUBGROUP; }', 'fn f() -> u32 { return subgroupAdd(1u); }'],
  ['if (f(sgid) > 1u) { SUBGROUP; }', 'fn f(x: u32) -> u32 { return x; }'],
  ['var a = 0u; f(&a); if (a > 1u) { SUBGROUP; }', 'fn f(p: ptr<function, u32>) { *p = subgroupAdd(1u); }'],
  ['if (sgid > 1u) { return; } SUBGROUP;'],
  ['if (sgid > 1u) { f(); }', 'fn f() { SUBGROUP; }'],
  ['if (lid.x > 1u) { f(); }', '@diagnostic(off, subgroup_uniformity) fn f() { SUBGROUP; }'],
  ['if (lid.x > 1u) { f(); } SUBGROUP;', '@diagnostic(warning, subgroup_uniformity) fn f() { SUBGROUP; }'],
  ['var a = lid.x; { a = 0u; } if (a > 1u) { BARRIER; }'],
  ['var a = 0u; for (var i = 0u; i < 3u; i++) { if (a > 1u) { BARRIER; } a = wid.x; }'],
  ['var a = 0u; loop { a = lid.x; if (wid.x > 1u) { a = 1u; break; } a = 0u; } if (a > 1u) { BARRIER; }'],
  ['var a = 0u; loop { if (lid.x > 1u) { break; } } if (a > 1u) { BARRIER; }'],
  ['var a = lid.xy; a.xy = vec2u(0u, 1u); if (a.x > 1u) { BARRIER; }'],
  ['var a: u32; if (a > 1u) { BARRIER; }'],
  ['var a: array<u32, 2>; let p = &a; *p = array<u32, 2>(); if (a[1] > 1u) { BARRIER; }'],
  ['if (f(&pr) > 1u) { BARRIER; }', 'fn f(p: ptr<private, u32>) -> u32 { return 1u; }'],
  ['var x = lid.x; if (f(&x) > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>) -> u32 { *p = 2u; return *p; }'],
  [
    'var x = lid.x; if (f(&x) > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>) -> u32 { let r = 1u; *p = 2u; return r; }',
  ],
  [
    'var x = array<u32, 4>(); f(&x[wid.x & 3u]); if (x[0] > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>) { *p = 1u; }',
  ],
  [
    'var x = 0u; var y = 1u; f(&x, &y); if (x > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>, q: ptr<function, u32>) { if (*q > 1u) { *p = 1u; } }',
  ],
  ['var x = vec2u(lid.x); f(&x); if (x.y > 1u) { BARRIER; }', 'fn f(p: ptr<function, vec2u>) { *p = vec2u(); }'],
  ['if (f() > 1u) { BARRIER; }', 'fn f() -> u32 { return workgroupUniformLoad(&wg[0]); }'],
  ['if (wid.x > 1u) { if (f() > 1u) { BARRIER; } }', 'fn f() -> u32 { return workgroupUniformLoad(&wg[0]); }'],
  ['for (var i = 0u; i < 3u; i++) { switch i { case 0u: { if (lid.x > 1u) { break; } } default: { } } BARRIER; }'],
  ['switch wid.x { case 0u: { if (lid.x > 1u) { break; } } default: { BARRIER; } }'],
  ['switch wid.x { case 0u: { if (lid.x > 1u) { return; } } default: { BARRIER; } }'],
  ['loop { if (wid.x > 1u) { return; } BARRIER; }'],
  ['loop { if (lid.x > 1u) { return; } }'],
  ['if (lid.x > 1u) { loop { if (wid.x > 1u) { break; } } } BARRIER;'],
  ['f();', 'fn f() { if (pr > 1u) { return; } } fn g() { f(); BARRIER; }'],
  ['let x = f(lid.x); BARRIER;', 'fn f(x: u32) -> u32 { if (x > 1u) { return 1u; } return 2u; }'],
  ['{ let p = &un; if ((*p).x > 1u) { BARRIER; } }'],
  ['const_assert true; const c = 3; if (c > 1) { BARRIER; }'],
  ['_ = (lid.x > 1u && wid.x > 2u) | subgroupAny(true);'],
  ['if (sgid > 1u) { if (lid.x > 1u) { } SUBGROUP; }'],
  ['{ } BARRIER; return;'],
  ['var a = vec3u(); a.xy = lid.xy; a.xyz = vec3u(); if (a.z > 1u) { BARRIER; }'],
  ['var a = lid; a.zxy = vec3u(); if (a.z > 1u) { BARRIER; }'],
  ['var a = lid; let p = &a; (*p).zxy = vec3u(); if (a.z > 1u) { BARRIER; }'],
  ['var a = lid; let p = &a; p.zxy = vec3u(); if (a.z > 1u) { BARRIER; }'],
  ['loop { break; continuing { if (lid.x > 1u) { BARRIER; } } }'],
  ['loop { if (lid.x > 1u) { break; } break; continuing { BARRIER; } }'],
  ['loop { BARRIER; if (lid.x > 1u) { return; } return; }'],
  ['loop { BARRIER; if (lid.x > 1u) { break; } break; }'],
  [
    'var x = 0u; loop { var y = wid.x; if (wid.x > 2u) { continue; } continuing { if (y > 1u) { BARRIER; } x++; break if x > 3u; } }',
  ],
  ['loop { if (wid.x > 1u) { continue; } return; continuing { BARRIER; } }'],
  [
    'var a = 0u; loop { if (wid.x > 1u) { a = lid.x; continue; } a = 1u; continuing { a = 2u; break if wid.x > 3u; } } if (a > 1u) { BARRIER; }',
  ],
  [
    'var a = 0u; loop { if (a > 1u) { BARRIER; } if (wid.x > 1u) { a = lid.x; continue; } a = 1u; continuing { a = 2u; break if wid.x > 3u; } }',
  ],
  ['for (var i = 0u; i < 3u; i++) { BARRIER; if (lid.x > 1u) { break; } break; }'],
  ['if (lid.x > 2u) { return; } else { return; } BARRIER;'],
  ['for (; wid.x > 1u;) { BARRIER; if (lid.x > 1u) { break; } break; }'],
  ['while (wid.x > 1u) { BARRIER; if (wid.x > 2u) { break; } break; }'],
];

const REFUSED: readonly Program[] = [
  ...WORKGROUP.apart.map((value): Program => [`if (${value} > 3u) { BARRIER; }`]),
  ...SUBGROUP.apart.map((value): Program => [`if (${value} > 3u) { SUBGROUP; }`]),
  ['if (subgroupAll(true)) { BARRIER; }'],
  ['_ = workgroupUniformLoad(&wg[lid.x]);'],
  ['_ = subgroupShuffleUp(1u, lid.x);'],
  ['_ = subgroupShuffleDown(1u, lid.x);'],
  ['_ = subgroupShuffleXor(1u, lid.x);'],
  ['if (lid.x > 1u) { _ = subgroupAdd(1u); }'],
  ['if (lid.x > 1u) { _ = quadSwapX(1u); }'],
  ['if (lid.x > 1u) { SUBGROUP; }'],
  ['if (lid.x > 1u) { storageBarrier(); }'],
  ['if (subgroupAny(lid.x > 1u)) { SUBGROUP; }'],
  ['@diagnostic(off, derivative_uniformity) if (lid.x > 1u) { _ = subgroupAdd(1u); }'],
  ['@diagnostic(off, subgroup_uniformity) if (lid.x > 1u) { BARRIER; }'],
  [
    'if (lid.x > 1u) @diagnostic(off, subgroup_uniformity) { @diagnostic(error, subgroup_uniformity) { _ = subgroupAdd(1u); } }',
  ],
  ['f(lid.x);', 'fn f(x: u32) { if (x > 1u) { _ = subgroupAdd(1u); } }'],
  ['f(lid.x);', 'fn f(x: u32) { if (x > 1u) { g(); } } fn g() { BARRIER; }'],
  ['if (lid.x > 1u) { f(); }', 'fn f() { BARRIER; }'],
  ['if (lid.x > 1u) { f(); }', 'fn f() { if (true) { g(); } } fn g() { BARRIER; }'],
  ['f(&wg[0]);', 'fn f(p: ptr<workgroup, u32>) { if (*p > 1u) { BARRIER; } }'],
  ['', 'fn f(p: ptr<workgroup, u32>) { if (*p > 1u) { BARRIER; } }'],
  ['', 'fn f(p: ptr<private, u32>) { if (*p > 1u) { BARRIER; } }'],
  ['', 'fn f(p: ptr<storage, array<u32>, read_write>) { if (p[0] > 1u) { BARRIER; } }'],
  ['f(&wg[lid.x]);', 'fn f(p: ptr<workgroup, u32>) { _ = workgroupUniformLoad(p); }'],
  ['var a: array<u32, 4>; let p = &a[lid.x & 3u]; if (*p > 1u) { BARRIER; }'],
  ['var a: array<u32, 4>; if (a[lid.x & 3u] > 1u) { BARRIER; }'],
  ['var a: array<u32, 4>; a[lid.x & 3u] = 1u; if (a[0] > 1u) { BARRIER; }'],
  ['var a: array<u32, 4>; a[0] = lid.x; a[0] = 1u; if (a[0] > 1u) { BARRIER; }'],
  ['var a: array<u32, 4>; let p = &a[0]; *p = lid.x; if (a[1] > 1u) { BARRIER; }'],
  ['var a = 0u; let p = &a; *p = lid.x; if (a > 1u) { BARRIER; }'],
  ['var a = lid.xy; a.x = 0u; a.y = 0u; if (a.x > 1u) { BARRIER; }'],
  ['var a = 0u; if (lid.x > 1u) { a = 1u; } if (a > 1u) { BARRIER; }'],
  ['if (lid.x > 1u) { return; } BARRIER;'],
  ['for (var i = 0u; i < lid.x; i++) { if (wid.x > 2u) { return; } } BARRIER;'],
  ['for (var i = 0u; i < 4u; i++) { BARRIER; if (lid.x > 2u) { continue; } }'],
  ['for (var i = 0u; i < 4u; i++) { BARRIER; if (lid.x > 2u) { continue; } pr = 1u; }'],
  ['for (var i = 0u; i < 4u; i++) { BARRIER; if (lid.x > 2u) { break; } }'],
  ['var i = 0u; loop { BARRIER; continuing { i++; break if i > lid.x; } }'],
  ['var i = 0u; loop { if (lid.x > 3u) { continue; } continuing { BARRIER; i++; break if i > 4u; } }'],
  [
    'var x = 0u; var i = 0u; loop { if (wid.x > 3u) { x = lid.x; continue; } x = 0u; continuing { if (x > 1u) { BARRIER; } i++; break if i > 4u; } }',
  ],
  ['switch lid.x { case 1u: { BARRIER; } default: { } }'],
  ['switch lid.x { case 1u: { return; } default: { } } BARRIER;'],
  ['var a = 0u; switch wid.x { case 1u: { a = lid.x; break; } default: { } } if (a > 1u) { BARRIER; }'],
  ['if (lid.x > 1u && g()) { }', 'fn g() -> bool { BARRIER; return true; }'],
  ['let c = wid.x > 1u && lid.x > 1u; if (c) { BARRIER; }'],
  ['if (f(lid.x, wid.x)) { BARRIER; }', 'fn f(a: u32, b: u32) -> bool { if (a > 1u) { return true; } return b > 1u; }'],
  ['var x = 0u; f(&x, lid.x); if (x > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>, v: u32) { *p = v; }'],
  [
    'var x = 0u; f(&x, lid.x); if (x > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>, v: u32) { if (v > 1u) { *p = 1u; } }',
  ],
  [
    'var x = 0u; f(&x, lid.x); if (x > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>, v: u32) { if (v > 1u) { return; } *p = 1u; }',
  ],
  [
    'var x = 0u; var y = lid.x; f(&x, &y); if (x > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>, q: ptr<function, u32>) { *p = *q; }',
  ],
  [
    'var x = array<u32, 2>(lid.x, 0u); f(&x[0]); if (x[1] > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>) { *p = 0u; }',
  ],
  ['_ = subgroupShuffleUp(1u, rw[0]);'],
  ['_ = workgroupUniformLoad(&wg[sgid]);'],
  ['f(sgid);', 'fn f(x: u32) { if (x > 1u) { BARRIER; } }'],
  ['f(sgid);', 'fn f(x: u32) { if (x > 1u) { _ = subgroupAdd(1u);  BARRIER; } }'],
  ['if (f() > 1u) { BARRIER; }', 'fn f() -> u32 { return subgroupAdd(1u); }'],
  ['if (f() > 1u) { SUBGROUP; }', 'fn f() -> u32 { return pr; }'],
  ['if (f(sgid) > 1u) { BARRIER; }', 'fn f(x: u32) -> u32 { return x; }'],
  ['var a = 0u; f(&a); if (a > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>) { *p = subgroupAdd(1u); }'],
  ['var a = 0u; f(&a); if (a > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>) { *p = pr; }'],
  ['if (sgid > 1u) { return; } BARRIER;'],
  ['if (sgid > 1u) { f(); }', 'fn f() { BARRIER; }'],
  ['if (lid.x > 1u) { f(); }', 'fn f() { SUBGROUP; }'],
  ['@diagnostic(off, subgroup_uniformity) if (lid.x > 1u) { f(); }', 'fn f() { SUBGROUP; }'],
  [
    'if (f(wid.x)) { BARRIER; }',
    '@diagnostic(off, subgroup_uniformity) fn f(x: u32) -> bool { return subgroupAny(x > 1u); }',
  ],
  ['var a = 0u; { a = lid.x; } if (a > 1u) { BARRIER; }'],
  ['var a = 0u; for (var i = 0u; i < 3u; i++) { if (a > 1u) { BARRIER; } a = lid.x; }'],
  ['var a = 0u; for (var i = 0u; i < 3u; i++) { a = lid.x; if (a > 1u) { break; } a = 0u; } if (a > 1u) { BARRIER; }'],
  [
    'var a = 0u; for (var i = 0u; i < 3u; i++) { a = lid.x; if (wid.x > 1u) { break; } a = 0u; } if (a > 1u) { BARRIER; }',
  ],
  ['var a = 0u; loop { if (lid.x > 1u) { a = 1u; break; } } if (a > 1u) { BARRIER; }'],
  ['var a = 0u; for (; a < 3u; a++) { if (lid.x > 1u) { break; } } if (a > 1u) { BARRIER; }'],
  ['var a = 0u; while (a < 3u) { if (lid.x > 1u) { continue; } a++; } if (a > 1u) { BARRIER; }'],
  ['var a = lid.x; a += 1u; if (a > 1u) { BARRIER; }'],
  ['var a = 0u; a += lid.x; if (a > 1u) { BARRIER; }'],
  ['var a = lid.x; a -= a; if (a > 1u) { BARRIER; }'],
  ['if (lid.x > 1u) { var a: u32; if (a > 1u) { BARRIER; } }'],
  ['var a: array<u32, 2>; let p = &a; (*p)[0] = lid.x; if (a[1] > 1u) { BARRIER; }'],
  ['var a = array<u32, 2>(lid.x, 0u); let p = &a[0]; *p = 1u; if (a[1] > 1u) { BARRIER; }'],
  ['var a = array<u32, 2>(lid.x, 0u); let p = &a; let q = &(*p)[0]; *q = 1u; if (a[1] > 1u) { BARRIER; }'],
  ['let a = array<u32, 2>(lid.x, 0u); if (a[1] > 1u) { BARRIER; }'],
  ['let a = array<u32, 2>(1u, 0u); if (a[lid.x & 1u] > 1u) { BARRIER; }'],
  ['if (select(1u, 2u, lid.x > 1u) > 1u) { BARRIER; }'],
  ['if (lid.x * 0u > 1u) { BARRIER; }'],
  ['if (f(&pr) > 1u) { BARRIER; }', 'fn f(p: ptr<private, u32>) -> u32 { return *p; }'],
  ['var x = lid.x; if (f(&x) > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>) -> u32 { return *p; }'],
  [
    'var x = array<u32, 4>(); if (f(&x[lid.x & 3u]) > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>) -> u32 { return *p; }',
  ],
  [
    'var x = array<u32, 4>(); f(&x[lid.x & 3u]); if (x[0] > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>) { *p = 1u; }',
  ],
  [
    'var x = 0u; var y = lid.x; f(&x, &y); if (x > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>, q: ptr<function, u32>) { if (*q > 1u) { *p = 1u; } }',
  ],
  ['var x = 0u; if (lid.x > 1u) { f(&x); } if (x > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>) { *p = 1u; }'],
  [
    'var x = 0u; f(&x); if (x > 1u) { BARRIER; }',
    'fn f(p: ptr<function, u32>) { g(p); } fn g(p: ptr<function, u32>) { *p = pr; }',
  ],
  ['var x = 0u; f(&x); if (x > 1u) { BARRIER; }', 'fn f(p: ptr<function, u32>) { let q = p; *q = pr; }'],
  ['var x = vec2u(lid.x); f(&x); if (x.y > 1u) { BARRIER; }', 'fn f(p: ptr<function, vec2u>) { (*p).x = 1u; }'],
  ['if (lid.x > 1u) { f(); }', 'fn f() -> u32 { return workgroupUniformLoad(&wg[0]); }'],
  ['for (var i = 0u; i < 3u; i++) { switch i { case 0u: { if (lid.x > 1u) { continue; } } default: { } } BARRIER; }'],
  ['switch wid.x { case 0u: { if (lid.x > 1u) { break; } BARRIER; } default: { } }'],
  ['if (lid.x > 1u) { loop { if (wid.x > 1u) { return; } } } BARRIER;'],
  ['while (true) { if (lid.x > 1u) { break; } return; } BARRIER;'],
  ['{ let p = &rw; if ((*p)[0] > 1u) { BARRIER; } }'],
  ['_ = f(lid.x);', 'fn f(x: u32) -> bool { return x > 1u && subgroupAny(true); }'],
  ['_ = lid.x > 1u && (wid.x > 1u || subgroupAny(true));'],
  ['var a = lid.xyz; a.xy = vec2u(0u, 1u); if (a.z > 1u) { BARRIER; }'],
  ['var a = vec3u(); a.xy = lid.xy; if (a.z > 1u) { BARRIER; }'],
  ['var a = vec3u(); a.zxy = lid; if (a.z > 1u) { BARRIER; }'],
  ['var a = lid; a.zxy += vec3u(); if (a.z > 1u) { BARRIER; }'],
  ['var a = array<vec2u, 2>(lid.xy, lid.xy); a[0].xy = vec2u(); if (a[0].x > 1u) { BARRIER; }'],
  ['_ = subgroupShuffleUp(1u, lid.x + 1u);'],
  ['_ = subgroupShuffleUp(1u, (1u + lid.x));'],
  ['var a: array<vec2u, 2>; _ = subgroupShuffleUp(1u, a[lid.x].x);'],
  ['loop { if (lid.x > 1u) { return; } BARRIER; return; }'],
  [
    'var x = 0u; loop { var y = lid.x; if (wid.x > 2u) { continue; } continuing { if (y > 1u) { BARRIER; } x++; break if x > 3u; } }',
  ],
  [
    'var x = 0u; loop { if (lid.x > 2u) { } else if (wid.x > 3u) { continue; } BARRIER; continuing { x++; break if x > 3u; } }',
  ],
  ['loop { BARRIER; if (lid.x > 1u) { continue; } break; }'],
  ['loop { BARRIER; if (wid.x > 1u) { continue; } if (lid.x > 1u) { break; } break; }'],
  ['loop { if (lid.x > 1u) { continue; } break; continuing { BARRIER; } }'],
  ['loop { if (wid.x > 1u) { continue; } if (lid.x > 1u) { break; } break; continuing { BARRIER; } }'],
  ['loop { if (wid.x > 1u) { continue; } if (lid.x > 1u) { return; } return; continuing { BARRIER; } }'],
  ['loop { if (lid.x > 1u) { return; } if (wid.x > 1u) { continue; } return; continuing { BARRIER; } }'],
  ['var a = 0u; loop { if (a > 1u) { BARRIER; } if (wid.x > 1u) { a = lid.x; continue; } return; }'],
  ['var a = 0u; loop { if (wid.x > 1u) { a = lid.x; continue; } break; continuing { if (a > 1u) { BARRIER; } } }'],
  [
    'var a = 0u; loop { if (wid.x > 1u) { a = lid.x; continue; } a = 1u; continuing { if (a > 1u) { BARRIER; } break if wid.x > 3u; } }',
  ],
  ['for (var i = 0u; i < 3u; i++) { BARRIER; if (lid.x > 1u) { return; } return; } BARRIER;'],
  ['switch wid.x { case 0u: { if (lid.x > 1u) { return; } return; } default: { } } BARRIER;'],
  ['if (wid.x > 2u) { if (lid.x > 1u) { return; } return; } BARRIER;'],
  ['if (wid.x > 2u) { if (lid.x > 1u) { return; } return; } else { } BARRIER;'],
  ['for (var i = 0u; i < 3u; i++) { if (wid.x > 2u) { if (lid.x > 1u) { continue; } continue; } BARRIER; }'],
  ['for (var i = 0u; i < 3u; i++) { if (wid.x > 2u) { if (lid.x > 1u) { break; } break; } BARRIER; }'],
  ['loop { if (lid.x > 1u) { return; } break; } BARRIER;'],
  ['for (;;) { if (lid.x > 1u) { return; } break; } BARRIER;'],
  ['for (var i = 0u; i < 3u; i++) { if (lid.x > 1u) { return; } break; } BARRIER;'],
  ['for (var i = 0u; i < 3u; i++) { if (lid.x > 1u) { return; } return; } BARRIER;'],
  ['loop { if (lid.x > 1u) { return; } if (wid.x > 2u) { continue; } break; } BARRIER;'],
  ['while (true) { if (lid.x > 1u) { return; } if (wid.x > 2u) { continue; } break; } BARRIER;'],
  ['loop { if (wid.x > 1u) { return; } if (lid.x > 2u) { break; } break; } BARRIER;'],
  ['loop { if (wid.x > 1u) { return; } if (lid.x > 2u) { break; } } BARRIER;'],
  ['while (wid.x > 1u) { BARRIER; if (lid.x > 1u) { break; } break; }'],
  ['while (wid.x > 1u) { BARRIER; if (lid.x > 1u) { return; } else { break; } }'],
  ['while (wid.x > 1u) { BARRIER; loop { if (lid.x > 1u) { return; } } }'],
  ['var v = 0u; while (wid.x > 1u) { v += wid.x; if (lid.x > 1u) { break; } break; } if (v > 1u) { BARRIER; }'],
];

const named = (programs: readonly Program[]) =>
  programs.map((program) => [program.toReversed().join(' | '), textOf(program)] as const);

describe('accepted, by Dawn too, and compiled:', () => {
  test.each(named(ACCEPTED))('%s', async (_, text) => {
    expect(ourError(text)).toBeUndefined();
    expect(await dawnsError(text)).toBeUndefined();
    compileKernel(parseModule(text), 'main', { sharedMemory: false, robust: true, maximumPages: 16 });
  });
});

describe('refused, by Dawn too, and at the same place:', () => {
  test.each(named(REFUSED))('%s', async (_, text) => {
    const ours = ourError(text);
    const theirs = await dawnsError(text);
    expect(ours?.slice(0, theirs?.length)).toBe(theirs);
  });
});

test('loops that are never left at their end: each of 288 is accepted or refused as by Dawn', async () => {
  const around = [
    'loop { B }',
    'for (;;) { B }',
    'while (true) { B }',
    'loop { B continuing { break if wid.x > 5u; } }',
  ];
  const inside = [
    'E',
    '{ E }',
    'loop { E }',
    'for (;;) { E }',
    'for (;; a = 1u) { E }',
    'loop { E continuing { a = 1u; } }',
    'loop { E continuing { } }',
    'if (wid.x > 3u) { E } else { E }',
    'switch wid.x { default: { E } }',
  ];
  const leave = 'if (wid.x > 2u) { return; }';
  const body = [
    'a = lid.x; return;',
    'a = lid.x; break;',
    `${leave} a = lid.x;`,
    `a = lid.x; ${leave} a = 1u;`,
    `if (wid.x > 3u) { a = lid.x; continue; } ${leave} a = 1u;`,
    `if (wid.x > 3u) { continue; } ${leave} a = lid.x; return;`,
    `a = lid.x; loop { ${leave} }`,
    `if (wid.x > 3u) { a = lid.x; continue; } a = 1u; return;`,
  ];
  const programs = around.flatMap((loop) =>
    inside.flatMap((inner) =>
      body.map((end) => {
        const rest = inner.replaceAll('E', end);
        return `var a = 0u; ${loop.replace('B', `if (a > 1u) { BARRIER; } if (wid.x > 1u) { continue; } ${rest}`)}`;
      }),
    ),
  );
  expect(programs.length).toBe(288);
  const differing: string[] = [];
  for (const program of programs) {
    const text = textOf([program]);
    const [ours, theirs] = [ourError(text), await dawnsError(text)];
    if ((ours === undefined) !== (theirs === undefined)) differing.push(`${program}\nours: ${ours}\nDawn's: ${theirs}`);
  }
  expect(differing).toEqual([]);
});

describe('messages', () => {
  const refusal = (body: string, declares = '') => ourError(textOf([body, declares]));

  test('say which control flow depends on which value', () => {
    expect(refusal('let a = lid.x * 2u;\nif (wid.x > 2u) {\n  if (a > 3u) { BARRIER; }\n}')).toBe(
      "15:17 'workgroupBarrier' must only be called from uniform control flow; the 'if' at 15:3 depends on builtin 'lid' of 'main' at 13:9, which may be non-uniform",
    );
    expect(refusal('if (rw[wid.x] > 3u) { return; }\nSUBGROUP;')).toMatch(
      /^14:5 'subgroupElect' must only be called from subgroup uniform control flow; the 'if' at 13:1 depends on read_write storage 'rw' at 13:7/,
    );
    expect(refusal('f(lid.x);', 'fn f(x: u32) { if (x > 1u) { g(); } } fn g() { BARRIER; }')).toMatch(
      /^7:48 'workgroupBarrier' must only be called from uniform control flow \(called by 'g'\) \(by parameter 'x' of 'f'\); this depends on builtin 'lid' of 'main' at 13:3/,
    );
  });

  test('quote the line with a caret', () => {
    expect(() => parseModule(textOf(['if (li > 3u) {\n  BARRIER;\n}']))).toThrow(
      '\n   14 |   workgroupBarrier();\n          ^',
    );
  });
});

describe('diagnostics', () => {
  const BRANCH = 'if (lid.x > 1u) { SUBGROUP; }';

  test('a severity below error is a warning of the module', () => {
    const warningsOf = (body: string, declares = '') => parseModule(textOf([body, declares])).warnings;
    const rule = expect.stringContaining(
      "'subgroupElect' must only be called from subgroup uniform control flow; the 'if'",
    );
    expect(warningsOf(`@diagnostic(warning, subgroup_uniformity) ${BRANCH}`)).toEqual([
      { severity: 'warning', rule, at: { line: 13, column: 65 } },
    ]);
    expect(warningsOf(`@diagnostic(info, subgroup_uniformity) ${BRANCH}`)).toMatchObject([{ severity: 'info' }]);
    expect(warningsOf(`@diagnostic(off, subgroup_uniformity) ${BRANCH}`)).toEqual([]);
    expect(parseModule('diagnostic(off, nonsense); @diagnostic(off, our.own) fn f() {}').warnings).toEqual([
      {
        severity: 'warning',
        rule: expect.stringContaining("unrecognized diagnostic rule 'nonsense'"),
        at: { line: 1, column: 17 },
      },
    ]);
  });

  test.each([
    ['diagnostic(off, subgroup_uniformity); diagnostic(off, subgroup_uniformity);', undefined],
    ['diagnostic(off, subgroup_uniformity); diagnostic(error, subgroup_uniformity);', '1:57 conflicting diagnostic'],
    [
      '@diagnostic(off, subgroup_uniformity) @diagnostic(off, subgroup_uniformity) fn f() {}',
      '1:56 duplicate diagnostic',
    ],
    [
      '@diagnostic(off, subgroup_uniformity) @diagnostic(info, subgroup_uniformity) fn f() {}',
      '1:57 conflicting diagnostic',
    ],
    ['fn f() { @diagnostic(off, subgroup_uniformity) let x = 1; }', '1:48 expected a block'],
    [
      'fn f() { @diagnostic(off, subgroup_uniformity) loop @diagnostic(off, subgroup_uniformity) { break; } }',
      undefined,
    ],
    ['fn f() { loop { continuing @diagnostic(off, subgroup_uniformity) { break if true; } } }', undefined],
    [
      'fn f() { switch 1 @diagnostic(off, subgroup_uniformity) { default @diagnostic(off, subgroup_uniformity) { } } }',
      undefined,
    ],
    [
      'fn f() @diagnostic(off, subgroup_uniformity) { if true {} else @diagnostic(off, subgroup_uniformity) { } }',
      undefined,
    ],
  ])('%s', async (text, wanted) => {
    expect(ourError(text)?.slice(0, wanted?.length)).toBe(wanted);
    expect((await checkWgsl('', text)).length > 0).toBe(wanted !== undefined);
  });
});

test('a module that was read without the analysis runs in the interpreter and is not compiled', () => {
  const text = textOf(['if (li > 3u) { BARRIER; }']);
  expect(() => compiled(text, {})).toThrow('must only be called from uniform control flow');
  expect(parseModule(text, { allowNonUniform: true }).isUniform).toBe(false);
});

/** `FUZZ_KERNELS=5000 npx vitest run test/wgsl/uniformity.test.ts --testTimeout=0` for a long run. */
const KERNELS = Number(process.env.FUZZ_KERNELS ?? 60);

test('of made-up kernels, ours and Dawn accept the same; compiled and interpreted give the same', async () => {
  await expectNoFailure(async (pick) => {
    const { text, invocations, workgroups } = uniformKernel(pick);
    const [ours, theirs] = [ourError(text), await dawnsError(text)];
    if ((ours === undefined) !== (theirs === undefined)) {
      return `ours and Dawn disagree\nours: ${ours}\nDawn's: ${theirs}\n${text}`;
    }
    if (ours !== undefined) return undefined;
    const memories = {
      ro: Uint32Array.from([3, 1, 4, 1, 5, 9, 2, 6]),
      rw: new Uint32Array(invocations * UNIFORM_WORDS.perInvocation),
    };
    const options = { workgroups, subgroupSize: 4, seed: 1 } as const;
    const wanted = interpret(text, memories, options);
    for (const robust of [true, false]) {
      const lines = differences(compiled(text, memories, { ...options, robust }), wanted);
      if (lines.length > 0) return `compiled differs from interpreted\n${lines.join('\n')}\n${text}`;
    }
    return undefined;
  }, KERNELS);
});
