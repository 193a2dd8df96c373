/**
 * A kernel that nobody wrote: expressions of four types, branches, loops, switches, calls, pointers, an array, and workgroup memory
 * between barriers. WGSL pins every bit of what it computes: no index leaves its array, no float becomes infinite, no loop goes
 * on, no two invocations race.
 *
 * @param pick a number from 0 up to, not including, n; the same numbers give the same kernel
 */
export function madeUpKernel(pick: (n: number) => number): string {
  return new Kernel(pick).text();
}

/** Invocations of the kernel's workgroup, and elements of x, y and z for each. */
export const MADE_UP = { workgroup: 16, workgroups: 2, floats: 4, integers: 4 } as const;

type Kind = 'f32' | 'i32' | 'u32' | 'bool';

class Kernel {
  /** `var`s that can be assigned, by type */
  #variables: Record<Kind, string[]> = { f32: ['f0', 'f1'], i32: ['i0', 'i1'], u32: ['u0', 'u1'], bool: ['b0'] };
  /** names that can only be read */
  #constants: Record<Kind, string[]> = { f32: [], i32: [], u32: ['local'], bool: [] };
  #loops = 0;
  #names = 0;
  #hasHelper = false;

  constructor(readonly pick: (n: number) => number) {}

  text(): string {
    const helper = this.#helper();
    const rounds = Array.from({ length: 1 + this.pick(3) }, () => this.#round());
    const { workgroup, floats, integers } = MADE_UP;
    return `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<i32>;
var<workgroup> shared_floats: array<f32, ${workgroup}>;
var<private> p0: i32 = 3;
// Numbers that are not constants, so that an overflow wraps in place of being refused.
var<private> c0: i32 = 1; var<private> c1: i32 = -3; var<private> c2: i32 = 17; var<private> c3: i32 = 0x7ffffff;
var<private> d0: u32 = 1u; var<private> d1: u32 = 6u; var<private> d2: u32 = 0xfff0u; var<private> d3: u32 = 31u;
fn bump(target_: ptr<function, f32>, by: f32) { *target_ = clamp(*target_ + by, -9000.0, 9000.0); }
${helper}
@compute @workgroup_size(${workgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(global_invocation_id) global: vec3u) {
  var f0 = x[global.x * 4u]; var f1 = x[global.x * 4u + 1u];
  var i0 = i32(x[global.x * 4u + 2u]); var i1 = i32(local) - 7; var u0 = global.x * 77u; var u1 = 5u; var b0 = local > 8u;
  var list = array<f32, 4>(f0, f1, 0.5, -2.0);
${rounds.join('\n')}
  for (var k = 0u; k < 2u; k++) { f0 = clamp(f0 + list[k] * list[k + 2u], -1e6, 1e6); }
  y[global.x * ${floats}u] = f0; y[global.x * ${floats}u + 1u] = f1;
  y[global.x * ${floats}u + 2u] = list[local % 4u]; y[global.x * ${floats}u + 3u] = f32(u1 % 1000u) + select(0.0, 0.5, b0);
  z[global.x * ${integers}u] = i0; z[global.x * ${integers}u + 1u] = i1;
  z[global.x * ${integers}u + 2u] = bitcast<i32>(u0); z[global.x * ${integers}u + 3u] = p0;
}`;
  }

  /** A function with returns in the middle. */
  #helper(): string {
    const outer = [this.#variables, this.#constants] as const;
    this.#variables = { f32: ['r'], i32: [], u32: [], bool: [] };
    this.#constants = { f32: ['v'], i32: ['n'], u32: [], bool: [] };
    const [first, second] = [this.#expression('bool', 2), this.#float()];
    const body = `fn helper(v: f32, n: i32) -> f32 {
  var r = v * 0.5;
  if (${first}) { return ${second}; }
  for (var k = 0; k < (n & 3); k++) { if (${this.#expression('bool', 1)}) { return r; } r = ${this.#float()}; }
  return r - 1.0;
}`;
    [this.#variables, this.#constants] = outer;
    this.#hasHelper = true;
    return body;
  }

  /** Statements, then an exchange through workgroup memory that all invocations come to. */
  #round(): string {
    const statements = this.#statements(2 + this.pick(3), 2);
    const repeat = this.pick(3) === 0 ? `for (var turn = 0; turn < ${1 + this.pick(3)}; turn++) ` : '';
    return `${statements}
  ${repeat}{
    shared_floats[local] = ${this.#oneOf(this.#variables.f32)};
    workgroupBarrier();
    ${this.#oneOf(this.#variables.f32)} = shared_floats[(local * ${1 + this.pick(15)}u + ${this.pick(16)}u) % 16u];
    workgroupBarrier();
  }`;
  }

  #statements(count: number, depth: number, inLoop = false): string {
    return Array.from({ length: count }, () => `  ${this.#statement(depth, inLoop)}`).join('\n');
  }

  #statement(depth: number, inLoop: boolean): string {
    switch (this.pick(depth > 0 ? 12 : 7)) {
      case 0:
      case 1:
        return `${this.#oneOf(this.#variables.f32)} = ${this.#float()};`;
      case 2:
        return `${this.#oneOf(this.#variables.i32)} ${this.#oneOf(['=', '+=', '-=', '*=', '^=', '|='])} ${this.#expression('i32', 2)};`;
      case 3:
        return `${this.#oneOf(this.#variables.u32)} ${this.#oneOf(['=', '+=', '/=', '%=', '&='])} ${this.#expression('u32', 2)};`;
      case 4:
        return this.pick(2) ? `b0 = ${this.#expression('bool', 2)};` : `p0 += ${this.#expression('i32', 1)};`;
      case 5:
        return `list[${this.#expression('u32', 1)} & 3u] = ${this.#float()};`;
      case 6:
        return this.pick(2)
          ? `bump(&${this.#oneOf(this.#variables.f32)}, ${this.#float()});`
          : `{ let e = &list[${this.#expression('u32', 1)} & 3u]; *e = ${this.#float()}; }`;
      case 7:
      case 8:
        return this.#branch(depth, inLoop);
      case 9:
        return this.#switch(depth, inLoop);
      case 10:
        return this.#loop(depth);
      default:
        return this.#block(depth, inLoop);
    }
  }

  #branch(depth: number, inLoop: boolean): string {
    const condition = this.#expression('bool', 2);
    const then = this.#statements(1 + this.pick(2), depth - 1, inLoop);
    const leave = inLoop && this.pick(3) === 0 ? this.#oneOf(['break;', 'continue;']) : '';
    const otherwise = this.pick(2) ? ` else {\n${this.#statements(1, depth - 1, inLoop)}\n  }` : '';
    return `if (${condition}) {\n${then} ${leave}\n  }${otherwise}`;
  }

  #switch(depth: number, inLoop: boolean): string {
    const cases = [0, 1].map((i) => {
      const body = this.#statements(1, depth - 1, inLoop);
      return `case ${2 * i}, ${2 * i + 1}: {\n${body} ${this.pick(3) === 0 ? 'break;' : ''}\n  }`;
    });
    const rest = this.#statements(1, depth - 1, inLoop);
    return `switch (${this.#expression('i32', 1)} & 7) {\n  ${cases.join('\n  ')}\n  default: {\n${rest}\n  }\n  }`;
  }

  /** A `for` that ends after a few iterations, which differ by lane or not; or a `loop` with `continuing`. */
  #loop(depth: number): string {
    const k = `k${this.#loops++}`;
    const bound = this.pick(2) ? `${1 + this.pick(4)}` : `(${this.#expression('i32', 1)} & 3)`;
    const before = this.#constants.i32;
    this.#constants.i32 = [...before, k];
    const body = this.#statements(1 + this.pick(2), depth - 1, true);
    this.#constants.i32 = before;
    if (this.pick(2)) return `for (var ${k} = 0; ${k} < ${bound}; ${k}++) {\n${body}\n  }`;
    return `{ var ${k} = 0; loop {\n${body}\n  continuing { ${k}++; break if ${k} >= ${bound}; } } }`;
  }

  /** A block with a name of its own. */
  #block(depth: number, inLoop: boolean): string {
    const kind = this.#oneOf(['f32', 'i32', 'u32'] as const);
    const name = `t${this.#names++}`;
    const value = kind === 'f32' ? this.#float() : this.#expression(kind, 2);
    const before = this.#constants[kind];
    this.#constants[kind] = [...before, name];
    const body = this.#statements(1 + this.pick(2), depth - 1, inLoop);
    this.#constants[kind] = before;
    return `{ let ${name} = ${value};\n${body}\n  }`;
  }

  /** A float expression, brought to where no later one becomes infinite. */
  #float(): string {
    return `clamp(${this.#expression('f32', 2)}, -9000.0, 9000.0)`;
  }

  #expression(kind: Kind, depth: number): string {
    if (depth === 0 || this.pick(5) === 0) return this.#leaf(kind);
    const e = (of: Kind) => this.#expression(of, depth - 1);
    const infix = (of: Kind, operators: readonly string[]) => `(${e(of)} ${this.#oneOf(operators)} ${e(of)})`;
    const select = () => `select(${e(kind)}, ${e(kind)}, ${e('bool')})`;
    switch (kind) {
      case 'f32':
        return this.#oneOf([
          () => infix('f32', ['+', '-', '*']),
          () => infix('f32', ['+', '-', '*']),
          () => `${this.#oneOf(['abs', 'floor', 'ceil', 'trunc', 'round', 'sign', '-'])}(${e('f32')})`,
          () => `${this.#oneOf(['min', 'max', 'step'])}(${e('f32')}, ${e('f32')})`,
          () => `f32(${e('i32')} & 1023)`,
          () => `dot(vec2f(${e('f32')}, ${e('f32')}), vec2f(${e('f32')}, 0.25))`,
          () => (this.#hasHelper ? `helper(${this.#leaf('f32')}, ${e('i32')})` : this.#leaf('f32')),
          select,
        ])();
      case 'i32':
        return this.#oneOf([
          () => infix('i32', ['+', '-', '*', '/', '%', '&', '|', '^']),
          () => `(${e('i32')} ${this.#oneOf(['<<', '>>'])} (${e('u32')} & 31u))`,
          () => `${this.#oneOf(['abs', 'countOneBits', 'firstLeadingBit', '-', '~'])}(${e('i32')})`,
          () => `i32(clamp(${e('f32')}, -1e6, 1e6))`,
          () => `bitcast<i32>(${e('u32')})`,
          select,
        ])();
      case 'u32':
        return this.#oneOf([
          () => infix('u32', ['+', '-', '*', '/', '%', '&', '|', '^']),
          () => `(${e('u32')} ${this.#oneOf(['<<', '>>'])} (${e('u32')} & 31u))`,
          () => `${this.#oneOf(['reverseBits', 'countTrailingZeros', '~'])}(${e('u32')})`,
          () => `u32(${e('i32')})`,
          () => `vec3u(${e('u32')}, ${e('u32')}, 9u).${this.#oneOf(['x', 'y', 'zyx.z'])}`,
          select,
        ])();
      case 'bool':
        return this.#oneOf([
          () => infix('f32', ['<', '<=', '>', '>=']),
          () => infix('i32', ['<', '>', '==', '!=']),
          () => infix('u32', ['<=', '!=']),
          () => infix('bool', ['&&', '||', '&', '|', '==']),
          () => `!(${e('bool')})`,
        ])();
    }
  }

  #leaf(kind: Kind): string {
    const names = [...this.#variables[kind], ...this.#constants[kind]];
    if (names.length > 0 && this.pick(3) > 0) return this.#oneOf(names);
    switch (kind) {
      case 'f32':
        return this.#oneOf(['0.5', '-1.25', '3.0', '0.1', '-7.75']);
      case 'i32':
        return this.#oneOf(['c0', 'c1', 'c2', 'c3']);
      case 'u32':
        return this.#oneOf(['d0', 'd1', 'd2', 'd3']);
      case 'bool':
        return this.#oneOf(['true', 'false']);
    }
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[this.pick(items.length)]!;
  }
}
