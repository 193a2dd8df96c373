/**
 * A kernel that nobody wrote: expressions over scalars and vectors, branches, loops, switches, calls, pointers, arrays, structs, and
 * workgroup memory between barriers. No two invocations race: each writes its own element of `y`, `z` and workgroup memory, and reads
 * the others' between barriers alone. Every loop ends.
 *
 * @param pick a number from 0 up to, not including, n; the same numbers give the same kernel
 * @param pinned only what WGSL pins to the bit: no index leaves its array, no float becomes infinite, subnormal or −0, no inexact function
 */
export function madeUpKernel(pick: (n: number) => number, pinned: boolean): MadeUpKernel {
  return new Kernel(pick, pinned).make();
}

/** A kernel that was made up: its text, and what it takes to run it. */
export interface MadeUpKernel {
  readonly text: string;
  /** of workgroups */
  readonly grid: readonly [number, number, number];
  /** in all */
  readonly invocations: number;
}

/** Words of one invocation's element of y (floats) and z (integers), and elements of x. */
export const WORDS = { y: 16, z: 8, x: 64 } as const;

/** Workgroups in one, two and three dimensions: rows that are a gang, several gangs, or a part of one. */
const SIZES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [3, 1, 1],
  [4, 1, 1],
  [6, 1, 1],
  [8, 1, 1],
  [16, 1, 1],
  [32, 1, 1],
  [1, 5, 1],
  [3, 2, 1],
  [4, 2, 1],
  [4, 4, 1],
  [5, 3, 1],
  [8, 3, 1],
  [2, 2, 2],
  [4, 1, 3],
  [4, 2, 2],
  [1, 4, 2],
];

type Scalar = 'f32' | 'i32' | 'u32' | 'bool';
type Type = Scalar | 'vec3f' | 'vec2i' | 'vec4u';
const SIZE: Readonly<Record<Type, number>> = { f32: 1, i32: 1, u32: 1, bool: 1, vec3f: 3, vec2i: 2, vec4u: 4 };
const SCALAR: Readonly<Record<Type, Scalar>> = {
  f32: 'f32',
  i32: 'i32',
  u32: 'u32',
  bool: 'bool',
  vec3f: 'f32',
  vec2i: 'i32',
  vec4u: 'u32',
};

/** What may be written at a place in the text. */
interface Context {
  readonly depth: number;
  readonly loop: boolean;
  /** `return;` of the entry point */
  readonly mayReturn?: boolean;
}

class Kernel {
  readonly #size: readonly [number, number, number];
  readonly #total: number;
  /** names that can only be read */
  #names: Record<Type, string[]> = {
    f32: [],
    i32: [],
    u32: ['local', 'place.y', 'place.z', 'group.y'],
    bool: [],
    vec3f: [],
    vec2i: [],
    vec4u: [],
  };
  /** numbers that are the same for the whole workgroup */
  #uniforms = ['group.x', 'group.y', 'group.z', 'params.k', 'ku', 'grid.x', 'grid.y'];
  /** in the entry point, and in a helper, what can be assigned */
  #inMain = false;
  #helpers = 0;
  #count = 0;

  constructor(
    readonly pick: (n: number) => number,
    readonly pinned: boolean,
  ) {
    this.#size = this.#oneOf(SIZES);
    this.#total = this.#size[0] * this.#size[1] * this.#size[2];
  }

  make(): MadeUpKernel {
    const grid = [1 + this.pick(2), 1 + this.pick(2), this.pick(4) === 0 ? 2 : 1] as const;
    return { text: this.#text(), grid, invocations: grid[0] * grid[1] * grid[2] * this.#total };
  }

  #text(): string {
    const helpers = this.#helperFunctions();
    this.#inMain = true;
    const rounds = Array.from({ length: 1 + this.pick(3) }, () => this.#uniform(2)).join('\n');
    const total = this.#total;
    return `${this.pinned ? '' : 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n'}struct Floats { v: vec3f, s: f32, m: mat2x2f, w: array<f32, 3> }
struct Ints { n: vec3i, u: u32, list: array<u32, 3> }
struct Own { a: f32, v: vec3f, n: array<u32, 5>, ok: bool }
struct Params { k: u32, v: vec3f, list: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<Floats>;
@group(0) @binding(2) var<storage, read_write> z: array<Ints>;
@group(0) @binding(3) var<uniform> params: Params;
var<workgroup> shared_f: array<f32, ${total}>;
var<workgroup> shared_v: array<vec3f, ${total}>;
var<workgroup> shared_b: array<bool, ${total}>;
var<workgroup> shared_n: u32;
var<private> p0: i32 = 3;
// Numbers that are not constants, so that an overflow wraps in place of being refused.
var<private> c0: i32 = 1; var<private> c1: i32 = -3; var<private> c2: i32 = 17; var<private> c3: i32 = 0x7ffffff;
var<private> h0: f32 = 0.5; var<private> h1: f32 = -1.25; var<private> h2: f32 = 3.0; var<private> h3: f32 = 0.1; var<private> h4: f32;
var<private> d0: u32 = 1u; var<private> d1: u32 = 6u; var<private> d2: u32 = 0xfff0u; var<private> d3: u32 = 31u;
fn tame(v: f32) -> f32 { return select(0.0, clamp(v, -9000.0, 9000.0), abs(v) > 1e-5); }
fn tame3(v: vec3f) -> vec3f {
  let rounded = select(vec3f(), round(v * 64.0) * 0.015625, abs(v) > vec3f(0.0078125)); // no zero is negative: WGSL leaves its sign free
  return clamp(rounded, vec3f(-900.0), vec3f(900.0));
}
fn known(v: f32) -> f32 { return select(0.0, v, v == v); }
fn bump(place: ptr<function, f32>, by: f32) { if (by > 3.0) { return; } *place = tame(*place + by); }
fn combine(at: u32, v: f32, step: u32) -> f32 {
  shared_f[at] = v;
  workgroupBarrier();
  let other = shared_f[(at * 3u + step) % ${total}u];
  workgroupBarrier();
  if (other < v) { return other; }
  return v;
}
${helpers}
@compute @workgroup_size(${this.#size.join(', ')})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) grid: vec3u,
        @builtin(local_invocation_id) place: vec3u) {
  let at = ((group.z * grid.y + group.y) * grid.x + group.x) * ${total}u + local;
  var f0 = x[(at * 4u) % ${WORDS.x}u]; var f1 = x[(at * 4u + 1u) % ${WORDS.x}u]; var v0 = vec3f(f0, params.v.y, f1);
  var i0 = i32(place.x) - 2; var i1 = i32(local) - 7; var w0 = vec2i(i0, i32(at) * 5 - i32(place.y));
  var u0 = at * 77u; var u1 = 5u; var q0 = params.list[1] + u0; var b0 = local > 8u; var ku = group.x + 1u;
  var list = array<f32, 4>(f0, f1, 0.5, -2.0); var table: array<vec2i, 3>; var m0 = mat2x2f(f0, 1.0, 2.0, f1);
  var own: Own; own.a = 1.5;
${rounds}
${this.#dump()}
${this.#statements(2, { depth: 2, loop: false, mayReturn: true })}
${this.#dump()}
}`;
  }

  #dump(): string {
    return `  for (var k = 0u; k < 2u; k++) { f1 = tame(f1 + list[k] * list[k + 2u]); }
  y[at].v = v0; y[at].s = f0; y[at].m = m0; y[at].w = array<f32, 3>(f1, list[local % 4u], own.a + own.v.y);
  z[at].n = vec3i(w0, i0 ^ i1); z[at].u = u0 ^ (u1 * 31u); z[at].list[0] = q0.x ^ (q0.y * 3u) ^ (q0.z * 5u) ^ (q0.w * 7u);
  z[at].list[1] = u32(p0) ^ u32(table[0].x) ^ (u32(table[1].y) * 3u) ^ (u32(table[2].x) * 5u);
  z[at].list[2] = own.n[local % 5u] ^ (own.n[3] * 3u) ^ (u32(b0) + 2u * u32(own.ok) + 4u * u32(shared_b[local])) ^ ku;`;
  }

  // ---- helpers ----

  #helperFunctions(): string {
    const outer = this.#names;
    const texts = Array.from({ length: 1 + this.pick(2) }, (_, i) => {
      this.#names = { f32: ['v', 'r'], i32: ['n'], u32: [], bool: [], vec3f: ['(*q)'], vec2i: [], vec4u: [] };
      const [first, second] = [this.#expression('bool', 2), this.#float(2)];
      const test = this.#expression('bool', 1);
      const text = `fn helper${i}(v: f32, n: i32, q: ptr<function, vec3f>) -> f32 {
  var r = v * 0.5;
  if (${first}) { return ${second}; }
  for (var k = 0; k < (n & 3); k++) { if (${test}) { (*q).y = r; return r; } r = ${this.#float(2)}; if (r < -5.0) { continue; } (*q)[k] = ${this.#float(1)}; }
  ${this.pick(2) ? `*q = (*q).zyx; p0 += n;` : ''}
  return r - 1.0;
}`;
      this.#helpers = i + 1;
      return text;
    });
    this.#names = outer;
    return texts.join('\n');
  }

  // ---- what all invocations do together ----

  #uniform(depth: number, inLoop = false): string {
    const inner = () => Array.from({ length: 1 + this.pick(2) }, () => this.#uniform(depth - 1, inLoop)).join('\n');
    const k = `t${this.#count++}`;
    switch (this.pick(depth > 0 ? 13 : 8)) {
      case 0:
      case 1:
        return this.#exchange();
      case 2:
        return `  f0 = combine(local, f0, ${this.#uniformNumber()});`;
      case 3:
        return `  if (local == ${this.pick(this.#total)}u) { shared_n = ${this.#expression('u32', 1)} & 7u; }
  ku = workgroupUniformLoad(&shared_n);`;
      case 4:
        return this.pinned ? this.#exchange() : this.#subgroups();
      case 8:
        return `  if (${this.#uniformTest()}) {\n${inner()}\n  } else {\n${inner()}\n  }`;
      case 9:
      case 10: {
        const leave = this.pick(2) ? `  if (${this.#uniformTest()}) { ${this.#oneOf(['break', 'continue'])}; }\n` : '';
        const text = (body: string) =>
          `  for (var ${k} = 0u; ${k} < ${1 + this.pick(2)}u + (ku & 1u); ${k}++) {\n${body}\n  }`;
        this.#uniforms = [...this.#uniforms, k];
        const bodies = [this.#uniform(depth - 1, true), this.#uniform(depth - 1, true)];
        this.#uniforms = this.#uniforms.filter((name) => name !== k);
        return text(bodies.join(`\n${leave}`));
      }
      case 11:
        return `  switch ${this.#uniformNumber()} & 3u {\n  case 0u, 2u: {\n${inner()}\n  }\n  case 1u: {\n${inner()}\n  }\n  default: {\n${inner()}\n  }\n  }`;
      case 12:
        return `  ku = (ku + ${this.#uniformNumber()}) & 7u;\n  if (${this.#uniformTest()}) { workgroupBarrier(); ku += 1u; }\n${this.#exchange()}`;
      default:
        return this.#statements(1 + this.pick(3), { depth: 2, loop: false });
    }
  }

  /** Everybody writes one element, and reads another's. */
  #exchange(): string {
    const [width, height, depth] = this.#size;
    const from = this.#oneOf([
      () => `(local * ${1 + this.pick(15)}u + ${this.pick(16)}u) % ${this.#total}u`,
      () => `((place.x * ${height}u + place.y) * ${depth}u + place.z)`, // the other way round
      () => `((place.z * ${height}u + (place.y + ${this.pick(4)}u) % ${height}u) * ${width}u + place.x)`, // another row
    ])();
    const [write, read] = this.#oneOf([
      [`shared_f[local] = ${this.#place('f32')};`, `${this.#place('f32')} = shared_f[${from}];`],
      [`shared_v[local] = ${this.#floats()};`, `v0 = shared_v[${from}].${this.#oneOf(['xyz', 'zyx', 'yyx'])};`],
      [`shared_b[local] = ${this.#expression('bool', 2)};`, `b0 = shared_b[${from}];`],
      [`if (${this.#expression('bool', 1)}) { shared_v[local].y = ${this.#float(1)}; }`, `f1 = shared_v[${from}].y;`],
    ] as const);
    return `  ${write}\n  workgroupBarrier();\n  ${read}\n  workgroupBarrier();`;
  }

  #uniformNumber(): string {
    return this.#oneOf([
      ...this.#uniforms,
      '1u',
      '2u',
      `(${this.#oneOf(this.#uniforms)} + ${this.#oneOf(this.#uniforms)})`,
    ]);
  }

  #uniformTest(): string {
    return `${this.#uniformNumber()} ${this.#oneOf(['<', '==', '!=', '>='])} ${this.#uniformNumber()}`;
  }

  /** True where all lanes are active; elsewhere expressions use only functions that allow inactive lanes. */
  #subgroups(): string {
    const whole = this.#total % 4 === 0;
    const value = this.#expression('f32', 1);
    const calls = [
      'subgroupShuffle(v, (local + 1u) & 3u)',
      'subgroupShuffleXor(v, 2u)',
      'quadSwapX(v)',
      'quadBroadcast(v, 3u)',
      'subgroupBroadcast(v, 1u)',
    ];
    return `  { let v = ${value}; f0 = ${whole ? this.#oneOf(calls) : 'subgroupBroadcastFirst(v)'}; }`;
  }

  // ---- what each does on its own ----

  #statements(count: number, context: Context): string {
    return Array.from({ length: count }, () => `  ${this.#statement(context)}`).join('\n');
  }

  #statement(context: Context): string {
    switch (this.pick(context.depth > 0 ? 14 : 7)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#assignment();
      case 4:
        return this.pick(2)
          ? `bump(&${this.#oneOf(['f0', 'f1'])}, ${this.#float(1)});`
          : `p0 ${this.#oneOf(['+=', '^='])} ${this.#expression('i32', 1)};`;
      case 5:
        return `{ let e = &list[${this.#index(4)}]; *e = ${this.#float(2)}; }`;
      case 6:
        return this.#oneOf([
          () => `{ let e = &own.v; (*e).${this.#oneOf(['x', 'y', 'z'])} = ${this.#float(1)}; v0 = e.zxy; }`,
          () => '{ let copy = own; own.n[1] = 7u; own.ok = copy.ok != b0; u1 ^= copy.n[2]; }',
          () => `m0 = m0 * ${this.#oneOf(['0.5', 'mat2x2f(0.5, 0.0, 0.25, -0.5)'])};`,
          () => `i0++; u1 = u1 - d0;`,
          () => `table = array<vec2i, 3>(table[2], w0, ${this.#expression('vec2i', 1)});`,
        ])();
      case 7:
      case 8:
        return this.#branch(context);
      case 9:
        return this.#switch(context);
      case 10:
      case 11:
        return this.#loop(context);
      default:
        return this.#block(context);
    }
  }

  #assignment(): string {
    const type = this.#oneOf(['f32', 'f32', 'i32', 'u32', 'bool', 'vec3f', 'vec2i', 'vec4u'] as const);
    const place = this.#place(type);
    const value = type === 'f32' ? this.#float(2) : type === 'vec3f' ? this.#floats() : this.#expression(type, 2);
    if (type === 'i32' || type === 'vec2i')
      return `${place} ${this.#oneOf(['=', '+=', '-=', '*=', '^=', '|=', '/='])} ${value};`;
    if (type === 'u32' || type === 'vec4u')
      return `${place} ${this.#oneOf(['=', '+=', '/=', '%=', '&=', '<<='])} ${type === 'u32' ? `(${value} & 31u)` : `(${value} & vec4u(31u))`};`;
    return `${place} = ${value};`;
  }

  #place(type: Type): string {
    switch (type) {
      case 'f32':
        return this.#oneOf([
          'f0',
          'f1',
          'f0',
          'v0.y',
          `v0[${this.#index(3)}]`,
          `list[${this.#index(4)}]`,
          'own.a',
          'own.v.z',
          `m0[${this.#index(2)}][${this.#index(2)}]`,
          'y[at].s',
          `y[at].w[${this.#index(3)}]`,
        ]);
      case 'i32':
        return this.#oneOf(['i0', 'i1', 'w0.x', `table[${this.#index(3)}].y`, 'p0', 'z[at].n.z']);
      case 'u32':
        return this.#oneOf([
          'u0',
          'u1',
          'q0.w',
          `q0[${this.#index(4)}]`,
          `own.n[${this.#index(5)}]`,
          `z[at].list[${this.#index(3)}]`,
        ]);
      case 'bool':
        return this.#oneOf(['b0', 'own.ok', 'shared_b[local]']);
      case 'vec3f':
        return this.#oneOf(['v0', 'own.v', 'y[at].v', 'shared_v[local]']);
      case 'vec2i':
        return this.#oneOf(['w0', `table[${this.#index(3)}]`]);
      case 'vec4u':
        return 'q0';
    }
  }

  /** An index into n elements; outside of them only where nothing is pinned. */
  #index(n: number): string {
    const index = this.#oneOf([
      'local',
      'place.y',
      'place.z + group.y',
      'u0',
      'u1',
      'u0 + local',
      'u1 * 3u - local',
      'q0.y',
      'ku',
    ]);
    if (this.pick(3) === 0) return `${this.pick(n)}u`;
    return this.pinned || this.pick(4) > 0 ? `(${index}) % ${n}u` : index;
  }

  #branch({ depth, loop, mayReturn = false }: Context): string {
    const condition = this.#expression('bool', 2);
    const inner = { depth: depth - 1, loop, mayReturn };
    const then = this.#statements(1 + this.pick(2), inner);
    const leaves = [...(loop ? ['break;', 'continue;'] : []), ...(mayReturn ? ['return;'] : [])];
    const leave = leaves.length > 0 && this.pick(3) === 0 ? this.#oneOf(leaves) : '';
    const otherwise = this.pick(2) ? ` else {\n${this.#statements(1, inner)}\n  }` : '';
    return `if (${condition}) {\n${then} ${leave}\n  }${otherwise}`;
  }

  #switch({ depth, loop, mayReturn = false }: Context): string {
    const inner = { depth: depth - 1, loop, mayReturn };
    const cases = [0, 1].map((i) => {
      const body = this.#statements(1, inner);
      const leave = this.pick(3) === 0 ? (loop && this.pick(2) ? 'continue;' : 'break;') : '';
      return `case ${2 * i}, ${2 * i + 1}: {\n${body} ${leave}\n  }`;
    });
    const rest = this.#statements(1, inner);
    return `switch (${this.#expression('i32', 1)} & 7) {\n  ${cases.join('\n  ')}\n  default: {\n${rest}\n  }\n  }`;
  }

  /** A loop that ends after a few rounds, which differ by lane or not, in one of four forms. */
  #loop({ depth, mayReturn = false }: Context): string {
    const k = `k${this.#count++}`;
    const bound = this.pick(2) ? `${1 + this.pick(4)}` : `(${this.#expression('i32', 1)} & 3)`;
    const before = this.#names;
    this.#names = { ...before, i32: [...before.i32, k] };
    const body = this.#statements(1 + this.pick(2), { depth: depth - 1, loop: true, mayReturn });
    const written = this.pick(3) === 0 ? `list[${k}] = ${this.#float(1)};` : '';
    this.#names = before;
    const form = this.pick(4);
    if (form === 0) return `{ var ${k} = 0; loop {\n${body}\n  continuing { ${k}++; break if ${k} >= ${bound}; } } }`;
    if (form === 1) return `{ var ${k} = -1; while (${k} < ${bound}) { ${k} += 1;\n${body}\n  } }`;
    if (written !== '') return `for (var ${k} = 0; ${k} < 4; ${k}++) {\n${body} ${written}\n  }`;
    return `for (var ${k} = 0; ${k} < ${bound}; ${k}++) {\n${body}\n  }`;
  }

  /** A block with a name of its own. */
  #block({ depth, loop, mayReturn = false }: Context): string {
    const type = this.#oneOf(['f32', 'i32', 'u32', 'vec3f', 'bool'] as const);
    const name = `e${this.#count++}`;
    const value = type === 'f32' ? this.#float(2) : type === 'vec3f' ? this.#floats() : this.#expression(type, 2);
    const before = this.#names;
    this.#names = { ...before, [type]: [...before[type], name] };
    const body = this.#statements(1 + this.pick(2), { depth: depth - 1, loop, mayReturn });
    this.#names = before;
    return `{ ${this.#oneOf(['let', 'var'])} ${name} = ${value};\n${body}\n  }`;
  }

  // ---- expressions ----

  /** A float, brought to where no later one becomes infinite or subnormal, if that matters. */
  #float(depth: number): string {
    const value = this.#expression('f32', depth);
    return this.pinned || this.pick(3) === 0 ? `tame(${value})` : value;
  }

  #floats(): string {
    const value = this.#expression('vec3f', 1);
    return this.pinned ? `tame3(${value})` : value;
  }

  #expression(type: Type, depth: number): string {
    if (depth === 0 || this.pick(6) === 0) return this.#leaf(type);
    const scalar = SCALAR[type];
    const e = (of: Type) => this.#expression(of, depth - 1);
    const infix = (operators: readonly string[], of: Type = type) => `(${e(of)} ${this.#oneOf(operators)} ${e(of)})`;
    const select = () => `select(${e(type)}, ${e(type)}, ${e('bool')})`;
    const more = SIZE[type] === 1 ? this.#ofScalars(type as Scalar, e) : this.#ofVectors(type, e);
    switch (scalar) {
      case 'f32':
        return this.#oneOf([
          ...more,
          () => infix(['+', '-', '*']),
          () => infix(['+', '-', '*']),
          () => `${this.#oneOf(['abs', 'floor', 'ceil', 'trunc', 'round', 'sign', '-'])}(${e(type)})`,
          () => `${this.#oneOf(['min', 'max', 'step'])}(${e(type)}, ${e(type)})`,
          ...(this.pinned ? [] : this.#inexact(type, e)),
          select,
        ])();
      case 'i32':
        return this.#oneOf([
          ...more,
          () => infix(['+', '-', '*', '/', '%', '&', '|', '^']),
          () =>
            `(${this.#variable(type)} ${this.#oneOf(['+ 0', '* 1', '* 0', '- 0', '/ 3', '% 5', '/ -1', '* -4', ...(SIZE[type] > 1 ? [] : ['& 6', '| 0'])])})`,
          () =>
            `${this.#oneOf(['abs', 'sign', 'countOneBits', 'firstLeadingBit', 'firstTrailingBit', 'reverseBits', 'countLeadingZeros', '-', '~'])}(${e(type)})`,
          () => `${this.#oneOf(['min', 'max'])}(${e(type)}, ${e(type)})`,
          () => `extractBits(${e(type)}, ${e('u32')} & 15u, ${e('u32')} & 15u)`,
          select,
        ])();
      case 'u32':
        return this.#oneOf([
          ...more,
          () => infix(['+', '-', '*', '/', '%', '&', '|', '^']),
          () =>
            `(${this.#variable(type)} ${this.#oneOf(['+ 0u', '* 1u', '* 4u', '- 3u', '/ 3u', '% 5u', ...(SIZE[type] > 1 ? [] : ['^ 0u', '& 6u'])])})`,
          () =>
            `${this.#oneOf(['reverseBits', 'countTrailingZeros', 'firstLeadingBit', 'firstTrailingBit', '~'])}(${e(type)})`,
          () => `${this.#oneOf(['min', 'max'])}(${e(type)}, ${e(type)})`,
          () => `insertBits(${e(type)}, ${e(type)}, ${e('u32')} & 15u, ${e('u32')} & 15u)`,
          select,
        ])();
      case 'bool':
        return this.#oneOf([
          () => infix(['<', '<=', '>', '>=', '==', '!='], 'f32'),
          () => infix(['<', '>', '==', '!='], 'i32'),
          () => infix(['<=', '!=', '>'], 'u32'),
          () => infix(['&&', '||', '&', '|', '==', '!=']),
          () => `!(${e('bool')})`,
          () =>
            this.#inMain ? `(${this.#row()} ${this.#oneOf(['==', '<', '!='])} ${this.#uniformNumber()})` : e('bool'),
          () => `${this.#oneOf(['any', 'all'])}(${e('vec2i')} ${this.#oneOf(['==', '<'])} ${e('vec2i')})`,
          ...more,
        ])();
    }
  }

  #ofScalars(type: Scalar, e: (of: Type) => string): (() => string)[] {
    switch (type) {
      case 'f32':
        return [
          () => `f32(${e('i32')} & 1023)`,
          () => `${this.#oneOf(['dot', 'dot'])}(${e('vec3f')}, vec3f(${e('f32')}, 0.25, 2.0))`,
          () =>
            this.#helpers > 0 && this.#inMain
              ? `helper${this.pick(this.#helpers)}(${this.#leaf('f32')}, ${e('i32')}, &v0)`
              : this.#leaf('f32'),
          () => `${this.#variable('vec3f')}[${this.#inMain ? this.#index(3) : '1'}]`,
          () => `(${e('vec3f')}).${this.#oneOf(['x', 'y', 'z', 'zyx.x'])}`,
          () => `x[${e('u32')} % ${WORDS.x}u]`,
        ];
      case 'i32':
        return [
          () => `(${e('i32')} ${this.#oneOf(['<<', '>>'])} (${e('u32')} & 31u))`,
          () => `i32(clamp(${e('f32')}, -1e6, 1e6))`,
          () => `bitcast<i32>(${e('u32')})`,
          () => `(${e('vec2i')}).y`,
          () => `select(c1, c2, ${e('bool')})`,
        ];
      case 'u32':
        return [
          () => `(${e('u32')} ${this.#oneOf(['<<', '>>'])} (${e('u32')} & 31u))`,
          () => `u32(${e('i32')})`,
          () => `(${e('vec4u')}).${this.#oneOf(['x', 'w', 'zyx.z'])}`,
          ...(this.pinned
            ? []
            : [
                () =>
                  `subgroup${this.#oneOf(['Add', 'Mul', 'Min', 'Max', 'And', 'Or', 'Xor', 'InclusiveAdd', 'ExclusiveAdd', 'ExclusiveMul', 'BroadcastFirst'])}(${e('u32')})`,
                () => `pack2x16float(vec2f(known(${e('f32')}), known(${e('f32')})))`,
                () => `pack4x8snorm(vec4f(known(${e('f32')})))`,
                () => `subgroupBallot(${e('bool')}).x`,
              ]),
        ];
      case 'bool':
        return this.pinned
          ? []
          : [
              () =>
                this.#oneOf([
                  () => `subgroupAny(${e('bool')})`,
                  () => `subgroupAll(${e('bool')})`,
                  () => 'subgroupElect()',
                ])(),
            ];
    }
  }

  #ofVectors(type: Type, e: (of: Type) => string): (() => string)[] {
    const scalar = SCALAR[type];
    const size = SIZE[type];
    const name = type.replace(/\d\w/, '');
    return [
      () => `${type}(${Array.from({ length: size }, () => e(scalar)).join(', ')})`,
      () => `${type}(${e(scalar)})`,
      () => `(${e(type)}).${Array.from({ length: size }, () => this.#oneOf([...'xyzw'].slice(0, size))).join('')}`,
      () => `(${e(type)} ${this.#oneOf(['+', '-', '*'])} ${e(scalar)})`,
      () => `(${e(scalar)} ${this.#oneOf(['+', '-', '*'])} ${e(type)})`,
      () =>
        `select(${e(type)}, ${e(type)}, ${name}${size}<bool>(${Array.from({ length: size }, () => e('bool')).join(', ')}))`,
      ...(type === 'vec3f' ? [() => `cross(${e(type)}, ${e(type)})`] : []),
    ];
  }

  /** What WGSL leaves some freedom, and our compiler and interpreter do not. */
  #inexact(type: Type, e: (of: Type) => string): (() => string)[] {
    const one = [
      'sqrt',
      'inverseSqrt',
      'exp',
      'exp2',
      'log',
      'log2',
      'sin',
      'cos',
      'tan',
      'tanh',
      'asin',
      'acos',
      'atan',
      'sinh',
      'cosh',
      'asinh',
      'acosh',
      'atanh',
      'fract',
      'saturate',
      'degrees',
      'radians',
      'quantizeToF16',
    ];
    return [
      () => `${this.#oneOf(one)}(${e(type)})`,
      () => `${this.#oneOf(one)}(${e(type)})`,
      () => `(${e(type)} ${this.#oneOf(['/', '%'])} ${e(type)})`,
      () => `${this.#oneOf(['pow', 'atan2'])}(${e(type)}, ${e(type)})`,
      () => `${this.#oneOf(['fma', 'mix', 'clamp', 'smoothstep'])}(${e(type)}, ${e(type)}, ${e(type)})`,
      ...(type === 'f32'
        ? [
            () => `ldexp(${e('f32')}, ${e('i32')})`,
            () => `${this.#oneOf(['frexp', 'modf'])}(${e('f32')}).fract`,
            () => `modf(${e('f32')}).whole`,
            () => `f32(frexp(${e('f32')}).exp)`,
            () => `length(${e('vec3f')})`,
            () => `bitcast<f32>(${e('u32')})`,
            () => `f32(u32(${e('f32')}))`,
            () => `f32(i32(${e('f32')}))`,
            () => `unpack2x16float(${e('u32')}).y`,
            () => `unpack4x8snorm(${e('u32')}).z`,
            () =>
              `subgroup${this.#oneOf(['Add', 'Mul', 'Min', 'Max', 'InclusiveAdd', 'InclusiveMul', 'ExclusiveAdd', 'BroadcastFirst'])}(${e('f32')})`,
            () => `determinant(mat2x2f(${e('f32')}, ${e('f32')}, 2.0, ${e('f32')}))`,
            () => `x[${e('u32')}]`,
          ]
        : [() => `normalize(${e(type)})`, () => `reflect(${e(type)}, ${e(type)})`, () => `subgroupMin(${e(type)})`]),
    ];
  }

  /** What is the same in a row or a plane of the workgroup, though not in the workgroup. */
  #row(): string {
    return this.#oneOf(['place.y', 'place.z', '(place.y + place.z)', 'place.x']);
  }

  /** Something that is no constant. */
  #variable(type: Type): string {
    const names = [...this.#names[type], ...(this.#inMain ? [this.#place(type)] : [])];
    if (names.length > 0) return this.#oneOf(names);
    const fixed = {
      f32: 'x[3]',
      i32: 'c2',
      u32: 'd2',
      bool: '(c0 > 0)',
      vec3f: 'params.v',
      vec2i: 'vec2i(c1, c2)',
      vec4u: 'params.list[0]',
    };
    return fixed[type];
  }

  #leaf(type: Type): string {
    if (this.pick(3) > 0) return this.#variable(type);
    switch (type) {
      case 'f32':
        return this.#oneOf(['h0', 'h1', 'h2', 'h3', 'h4']);
      case 'i32':
        return this.#oneOf(['c0', 'c1', 'c2', 'c3']);
      case 'u32':
        return this.#oneOf(['d0', 'd1', 'd2', 'd3']);
      case 'bool':
        return this.#oneOf(['(c0 > 0)', '(d1 < 2u)']);
      case 'vec3f':
        return this.#oneOf(['params.v', 'vec3f(h0, h2, 2.0)']);
      case 'vec2i':
        return 'vec2i(c1, c2)';
      case 'vec4u':
        return `params.list[${this.pick(2)}]`;
    }
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[this.pick(items.length)]!;
  }
}
