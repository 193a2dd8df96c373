/** Kernels whose control flow around barriers fast-check makes up: some are uniform by WGSL's rules, some are not. */

/** Words of each memory. */
export const UNIFORM_WORDS = { ro: 8, perInvocation: 4 } as const;

/** A made-up kernel and how to run it. */
export interface UniformKernel {
  readonly text: string;
  readonly invocations: number;
  readonly workgroups: readonly [number, number, number];
}

/** @param pick a number from 0 to n - 1 */
export function uniformKernel(pick: (n: number) => number): UniformKernel {
  return new Maker(pick).kernel();
}

interface Context {
  readonly depth: number;
  readonly loop?: boolean;
  /** what `break` leaves */
  readonly breaks?: boolean;
  readonly inContinuing?: boolean;
}

class Maker {
  #count = 0;
  #size = 8;
  #rows = 1;
  #variables: string[] = [];
  #functions: string[] = [];
  #inMain = false;
  #hasBarriers = true;

  constructor(private readonly pick: (n: number) => number) {}

  kernel(): UniformKernel {
    this.#size = this.#oneOf([4, 6, 8, 16]);
    this.#rows = this.#oneOf([1, 1, 2]);
    const functions = Array.from({ length: this.pick(3) }, (_, i) => this.#function(i));
    this.#inMain = true;
    this.#variables = ['v0', 'v1', 'v2', 'a[0]', 'a[wid.x & 1u]', 's.x', 's.y'];
    const body = this.#statements(4 + this.pick(4), { depth: 3 });
    const text = `enable subgroups;
@group(0) @binding(0) var<storage, read> ro: array<u32>;
@group(0) @binding(1) var<storage, read_write> rw: array<u32>;
var<workgroup> wg: array<u32, ${this.#size}>;
var<private> pr: u32;
${functions.join('\n')}
@compute @workgroup_size(${this.#size / this.#rows}, ${this.#rows}) fn main(@builtin(local_invocation_index) li: u32,
  @builtin(workgroup_id) wid: vec3u, @builtin(subgroup_id) sid: u32, @builtin(local_invocation_id) lid: vec3u,
  @builtin(num_workgroups) nwg: vec3u) {
  let at = ((wid.y * nwg.x + wid.x) * ${this.#size}u + li) * ${UNIFORM_WORDS.perInvocation}u;
  rw[at] += 1u;
  var v0 = ro[0]; var v1 = wid.x; var v2 = 3u; var a = array<u32, 2>(1u, 2u); var s = vec2u(5u, wid.x);
${body}
  rw[at + 1u] += v0 + 3u * v1 + 5u * v2; rw[at + 2u] += a[0] + 7u * a[1] + 11u * s.x; rw[at + 3u] += s.y + pr;
}`;
    return { text, invocations: 2 * this.#size, workgroups: this.pick(2) ? [2, 1, 1] : [1, 2, 1] };
  }

  #function(i: number): string {
    this.#variables = ['x', '*p', 'own'];
    this.#hasBarriers = this.pick(2) === 0;
    const body = this.#statements(1 + this.pick(3), { depth: 2 });
    this.#hasBarriers = true;
    const text = `fn f${i}(x_: u32, p: ptr<function, u32>, li: u32, wid: vec3u, sid: u32, lid: vec3u, nwg: vec3u) -> u32 {
  var x = x_; var own = 1u;
${body}
  return ${this.#value(1)};
}`;
    this.#functions.push(`f${i}`);
    return text;
  }

  #statements(count: number, context: Context): string {
    return Array.from({ length: count }, () => `  ${this.#statement(context)}`).join('\n');
  }

  #statement(context: Context): string {
    const simple = [
      () => `${this.#variable()} = ${this.#value(2)};`,
      () => `${this.#variable()} += ${this.#value(1)};`,
      () => this.#convergent(),
      () => `pr = ${this.#value(1)};`,
      () => this.#call(),
      () => this.#pointer(),
    ];
    const { depth } = context;
    if (depth === 0) return this.#oneOf(simple)();
    return this.#oneOf([
      ...simple,
      () => this.#if(context),
      () => this.#if(context),
      () => this.#loop(context),
      () => this.#switch(context),
    ])();
  }

  /** A barrier, with an exchange through workgroup memory, or another operation that all have to come to. */
  #convergent(): string {
    if (!this.#hasBarriers) return `${this.#variable()} = ${this.#value(1)};`;
    return this.#oneOf([
      () => 'workgroupBarrier();',
      () =>
        `workgroupBarrier(); wg[li] = ${this.#value(1)}; workgroupBarrier(); ${this.#variable()} = wg[(li + 1u) % ${this.#size}u];`,
      () => `workgroupBarrier(); wg[li] = ${this.#value(1)}; ${this.#variable()} = workgroupUniformLoad(&wg[2]);`,
      () => `${this.#variable()} = subgroupAdd(${this.#value(1)});`,
    ])();
  }

  #call(): string {
    if (this.#functions.length === 0 || !this.#inMain) return `${this.#variable()} = ${this.#value(1)};`;
    const [to, of] = [this.#oneOf(['v0', 'v1', 'v2']), this.#oneOf(['v0', 'v1', 'v2'])];
    return `${to} = ${this.#oneOf(this.#functions)}(${this.#value(1)}, &${of}, li, wid, sid, lid, nwg);`;
  }

  #pointer(): string {
    if (!this.#inMain) return `*p = ${this.#value(1)};`;
    const name = `q${this.#count++}`;
    const of = this.#oneOf(['v0', 'v1', 'a[1]', 'a[li & 1u]', 's']);
    const value = this.#value(1);
    return `let ${name} = &${of}; *${name} = ${of === 's' ? `vec2u(${value})` : value}; ${this.#variable()} += ${of === 's' ? `${name}.x` : `*${name}`};`;
  }

  #leave({ loop = false, breaks = false, inContinuing = false }: Context): string {
    if (inContinuing || this.pick(3) > 0) return '';
    return this.#oneOf([
      ...(breaks ? ['break;'] : []),
      ...(loop ? ['continue;'] : []),
      this.#inMain ? 'return;' : 'return x;',
    ]);
  }

  #if(context: Context): string {
    const inner = { ...context, depth: context.depth - 1 };
    const then = `${this.#statements(1 + this.pick(2), inner)} ${this.#leave(context)}`;
    const otherwise = this.pick(2) ? ` else {\n${this.#statements(1, inner)} ${this.#leave(context)}\n  }` : '';
    return `if (${this.#condition()}) {\n${then}\n  }${otherwise}`;
  }

  #switch(context: Context): string {
    const inner = { ...context, depth: context.depth - 1, breaks: !context.inContinuing };
    const cases = [0, 1].map((i) => `case ${i}u: {\n${this.#statements(1, inner)} ${this.#leave(inner)}\n  }`);
    return `switch (${this.#value(1)} & 3u) {\n  ${cases.join('\n  ')}\n  default: {\n${this.#statements(1, inner)} ${this.#leave(inner)}\n  }\n  }`;
  }

  #loop(context: Context): string {
    const k = `k${this.#count++}`;
    const bound = this.pick(3) ? `${1 + this.pick(3)}u` : `(${this.#value(1)} & 3u)`;
    const inner = {
      depth: context.depth - 1,
      loop: !context.inContinuing,
      breaks: !context.inContinuing,
      inContinuing: context.inContinuing ?? false,
    };
    const before = this.#variables;
    const body = `${this.#statements(1 + this.pick(2), inner)} ${this.#leave(inner)}`;
    this.#variables = before;
    const form = this.pick(3);
    if (form === 0) return `for (var ${k} = 0u; ${k} < ${bound}; ${k}++) {\n${body}\n  }`;
    if (form === 1) return `{ var ${k} = 0u; while (${k} < ${bound}) { ${k}++;\n${body}\n  } }`;
    const after = this.#statements(this.pick(2), { depth: 0, inContinuing: true });
    return `{ var ${k} = 0u; loop {\n${body}\n  continuing { ${after} ${k}++; break if ${k} > ${bound}; } } }`;
  }

  #condition(): string {
    const comparison = () => `${this.#value(1)} ${this.#oneOf(['<', '>', '==', '!='])} ${this.#value(0)}`;
    return this.pick(5) ? comparison() : `${comparison()} ${this.#oneOf(['&&', '||'])} ${comparison()}`;
  }

  #variable(): string {
    return this.#oneOf(this.#variables);
  }

  #value(depth: number): string {
    if (depth > 0 && this.pick(3) === 0) {
      return `(${this.#value(depth - 1)} ${this.#oneOf(['+', '*', '&', '^'])} ${this.#value(depth - 1)})`;
    }
    const isUniform = this.pick(6) > 0;
    if (!isUniform) return this.#oneOf(['li', 'pr', 'sid', 'ro[li & 7u]', 'lid.y']);
    const names = this.#variables.length > 0 && this.pick(2) === 0 ? this.#variables : undefined;
    return names
      ? this.#oneOf(names)
      : this.#oneOf(['wid.x', '1u', '2u', 'ro[1]', 'ro[wid.x]', 'arrayLength(&ro)', 'wid.y', 'nwg.x']);
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[this.pick(items.length)]!;
  }
}
