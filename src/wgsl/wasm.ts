/**
 * A WebAssembly module composed of instructions: its binary format and its text.
 *
 * It supports only the parts that the compiler uses: functions of i32, f32 and v128, one imported memory, exports by
 * name. Instructions are kept as names and numbers until the end, so that the same list is written as bytes and printed
 * as text.
 *
 * @see https://webassembly.github.io/spec/core/binary/
 */

import { LINE_BREAK } from './errors.js';

/** The types of WebAssembly's values that the compiler uses. */
export type ValType = 'i32' | 'f32' | 'v128';

const VAL_TYPES: Readonly<Record<ValType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

/** The end of a block or the start of a loop, a target of `br`. */
export interface Label {
  readonly depth: number;
}

/** One instruction: its name, and its immediates in order. */
export type Instruction = readonly [name: string, ...immediates: number[]];

/** A function under construction. Parameters are its first locals. */
export class FunctionBody {
  readonly locals: ValType[] = [];
  instructions: Instruction[] = [];
  /** for the text format: the line of the source that the instructions from a number on come from */
  marks = new Map<number, number>();
  readonly #free = new Map<ValType, number[]>();
  #depth = 0;

  constructor(
    readonly name: string,
    readonly parameters: readonly ValType[],
    readonly results: readonly ValType[] = [],
    readonly exported = false,
  ) {}

  /** A new local. It is 0 at first. */
  local(type: ValType): number {
    this.locals.push(type);
    return this.parameters.length + this.locals.length - 1;
  }

  /**
   * A local for a number that is set and used within one iteration of every loop around it. It may hold anything at
   * first, and after `release` another one may have its place.
   */
  temporary(type: ValType): number {
    return this.#free.get(type)?.pop() ?? this.local(type);
  }

  /** Frees a temporary, to be reused for one of its type. */
  release(type: ValType, local: number): void {
    const free = this.#free.get(type);
    if (free === undefined) this.#free.set(type, [local]);
    else free.push(local);
  }

  /** What is emitted from here on comes from this line of the source. */
  mark(line: number | undefined): void {
    if (line !== undefined) this.marks.set(this.instructions.length, line);
  }

  emit(name: string, ...immediates: number[]): void {
    if (!(name in OPCODES)) throw new Error(`no WebAssembly instruction ${name}`);
    this.instructions.push([name, ...immediates]);
  }

  /** Replaces each instruction for which `by` returns another one. */
  replace(by: (instruction: Instruction) => Instruction | undefined): void {
    this.instructions = this.instructions.map((instruction) => by(instruction) ?? instruction);
  }

  /** What `write` emits comes before everything else. */
  prepend(write: () => void): void {
    const { instructions, marks } = this;
    this.instructions = [];
    write();
    const added = this.instructions.length;
    this.instructions = [...this.instructions, ...instructions];
    this.marks = new Map([...marks].map(([at, line]) => [at + added, line]));
  }

  get(local: number): void {
    this.emit('local.get', local);
  }

  set(local: number): void {
    const last = this.instructions.at(-1);
    if (last?.[0] === 'local.get' && last[1] === local) this.instructions.pop();
    else this.emit('local.set', local);
  }

  tee(local: number): void {
    this.emit('local.tee', local);
  }

  i32(value: number): void {
    this.emit('i32.const', value | 0);
  }

  f32(value: number): void {
    this.emit('f32.const', value);
  }

  block(): Label {
    this.emit('block');
    return { depth: ++this.#depth };
  }

  loop(): Label {
    this.emit('loop');
    return { depth: ++this.#depth };
  }

  /** Takes the condition from the stack; with `result`, both sides leave a value of that type. */
  if(result?: ValType): Label {
    this.emit('if', result === undefined ? 0x40 : VAL_TYPES[result]);
    return { depth: ++this.#depth };
  }

  else(): void {
    this.emit('else');
  }

  end(): void {
    this.#depth--;
    this.emit('end');
  }

  br(label: Label): void {
    this.emit('br', this.#depth - label.depth);
  }

  brIf(label: Label): void {
    this.emit('br_if', this.#depth - label.depth);
  }
}

/** A whole module: one imported memory, functions in order. */
export class WasmModule {
  readonly functions: FunctionBody[] = [];

  /**
   * @param maximumPages of the memory, in 64 KiB
   * @param shared true if the memory is shared between threads
   */
  constructor(
    private readonly maximumPages: number,
    private readonly shared: boolean,
  ) {}

  /** Number of a function, for `call`. */
  indexOf(name: string): number {
    const index = this.functions.findIndex((body) => body.name === name);
    if (index < 0) throw new Error(`no function ${name}`);
    return index;
  }

  bytes(): Uint8Array {
    const types = this.functions.map(({ parameters, results }) => [
      0x60,
      ...vector(parameters.map((type) => [VAL_TYPES[type]])),
      ...vector(results.map((type) => [VAL_TYPES[type]])),
    ]);
    // Limits: bit 0 means that there is a maximum, bit 1 that the memory is shared.
    const limits = [this.shared ? 0x03 : 0x01, ...unsigned(1), ...unsigned(this.maximumPages)];
    const imports = [[...name('env'), ...name('memory'), 0x02, ...limits]];
    const exports = this.functions.flatMap((body, i) =>
      body.exported ? [[...name(body.name), 0x00, ...unsigned(i)]] : [],
    );
    const codes = this.functions.map((body) => {
      const code = encodeBody(body);
      return [...unsigned(code.length), ...code];
    });
    const out: number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    const section = (id: number, items: readonly (readonly number[])[]) => {
      const content = vector(items);
      out.push(id, ...unsigned(content.length));
      for (const byte of content) out.push(byte);
    };
    section(1, types);
    section(2, imports);
    section(
      3,
      this.functions.map((_, i) => unsigned(i)),
    );
    section(7, exports);
    section(10, codes);
    return Uint8Array.from(out);
  }

  /** The text format, indented by block. @param source each of its lines is a comment above the instructions that come from it */
  text(source = ''): string {
    const written = source.split(LINE_BREAK);
    const lines = [
      '(module',
      `  (import "env" "memory" (memory 1 ${this.maximumPages}${this.shared ? ' shared' : ''}))`,
    ];
    for (const body of this.functions) {
      const signature = [
        ...body.parameters.map((type) => `(param ${type})`),
        ...body.results.map((type) => `(result ${type})`),
      ].join(' ');
      lines.push(`  (func $${body.name}${body.exported ? ` (export "${body.name}")` : ''} ${signature}`);
      if (body.locals.length > 0) lines.push(`    (local ${body.locals.join(' ')})`);
      let depth = 2;
      let last: number | undefined;
      for (const [i, instruction] of body.instructions.entries()) {
        const [op] = instruction;
        const line = body.marks.get(i) ?? last;
        if (line !== last) lines.push(`${'  '.repeat(depth)};; ${line}: ${written[line! - 1]?.trim() ?? ''}`);
        last = line;
        if (op === 'end' || op === 'else') depth--;
        lines.push(`${'  '.repeat(depth)}${this.#print(instruction)}`);
        if (op === 'block' || op === 'loop' || op === 'if' || op === 'else') depth++;
      }
      lines.push('  )');
    }
    return [...lines, ')'].join('\n');
  }

  #print([op, ...immediates]: Instruction): string {
    if (op === 'call') return `call $${this.functions[immediates[0]!]!.name}`;
    if (op === 'if') {
      const result = Object.entries(VAL_TYPES).find(([, code]) => code === immediates[0])?.[0];
      return result === undefined ? 'if' : `if (result ${result})`;
    }
    if (IMMEDIATES[op] === 'memory' && immediates.length > 0) {
      const [offset, lane] = immediates;
      return [op, offset ? `offset=${offset}` : '', lane ?? ''].filter((part) => part !== '').join(' ');
    }
    if (op === 'v128.const') return `v128.const i32x4 ${immediates.map((x) => x | 0).join(' ')}`;
    return [op, ...immediates].join(' ');
  }
}

function encodeBody(body: FunctionBody): number[] {
  const out: number[] = [];
  const runs: [number, ValType][] = [];
  for (const type of body.locals) {
    const last = runs.at(-1);
    if (last?.[1] === type) last[0]++;
    else runs.push([1, type]);
  }
  out.push(...vector(runs.map(([count, type]) => [...unsigned(count), VAL_TYPES[type]])));
  for (const [op, ...immediates] of body.instructions) {
    out.push(...OPCODES[op]!);
    switch (IMMEDIATES[op]) {
      case 'block':
        out.push(immediates[0] ?? 0x40);
        break;
      case 'index':
        out.push(...unsigned(immediates[0]!));
        break;
      case 'i32':
        out.push(...signed(immediates[0]!));
        break;
      case 'f32':
        out.push(...new Uint8Array(new Float32Array([immediates[0]!]).buffer));
        break;
      case 'memory': {
        // An alignment of 1 byte is always correct; it is only a hint.
        out.push(0x00, ...unsigned(immediates[0] ?? 0));
        if (immediates[1] !== undefined) out.push(immediates[1]);
        break;
      }
      case 'lane':
        out.push(immediates[0]!);
        break;
      case 'lanes':
        out.push(...immediates);
        break;
      case 'v128':
        out.push(...new Uint8Array(new Int32Array(immediates).buffer));
        break;
      case 'fill':
        out.push(0x00);
        break;
      default:
        break;
    }
  }
  out.push(0x0b);
  return out;
}

/** unsigned(300) // [0xac, 0x02], LEB128 */
function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? byte + 128 : byte);
  } while (rest > 0);
  return out;
}

/** signed(-1) // [0x7f], LEB128 of an i32 */
function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    out.push(done ? byte : byte | 0x80);
    if (done) return out;
  }
}

function vector(items: readonly (readonly number[])[]): number[] {
  const out = unsigned(items.length);
  for (const item of items) for (const byte of item) out.push(byte);
  return out;
}

function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...unsigned(bytes.length), ...bytes];
}

type Immediate = 'block' | 'index' | 'i32' | 'f32' | 'memory' | 'lane' | 'lanes' | 'v128' | 'fill';

const IMMEDIATES: Readonly<Record<string, Immediate>> = {
  block: 'block',
  loop: 'block',
  if: 'block',
  br: 'index',
  br_if: 'index',
  call: 'index',
  'local.get': 'index',
  'local.set': 'index',
  'local.tee': 'index',
  'i32.const': 'i32',
  'f32.const': 'f32',
  'v128.const': 'v128',
  'memory.fill': 'fill',
  'i8x16.shuffle': 'lanes',
  'i32x4.extract_lane': 'lane',
  'i32x4.replace_lane': 'lane',
  'f32x4.extract_lane': 'lane',
  'f32x4.replace_lane': 'lane',
  'i32.load': 'memory',
  'f32.load': 'memory',
  'i32.store': 'memory',
  'f32.store': 'memory',
  'v128.load': 'memory',
  'v128.store': 'memory',
  'v128.load32_splat': 'memory',
  'v128.load32_zero': 'memory',
  'v128.load32_lane': 'memory',
  'v128.store32_lane': 'memory',
};

/** Names with one-byte codes, in runs from a first code. */
const PLAIN: Readonly<Record<number, string>> = {
  0: 'unreachable',
  2: 'block',
  3: 'loop',
  4: 'if',
  5: 'else',
  11: 'end',
  12: 'br',
  13: 'br_if',
  15: 'return',
  16: 'call',
  26: 'drop',
  27: 'select',
  32: 'local.get',
  33: 'local.set',
  34: 'local.tee',
  40: 'i32.load',
  42: 'f32.load',
  54: 'i32.store',
  56: 'f32.store',
  65: 'i32.const',
  67: 'f32.const',
  69: 'i32.eqz',
  70: 'i32.eq',
  71: 'i32.ne',
  72: 'i32.lt_s',
  73: 'i32.lt_u',
  74: 'i32.gt_s',
  75: 'i32.gt_u',
  76: 'i32.le_s',
  77: 'i32.le_u',
  78: 'i32.ge_s',
  79: 'i32.ge_u',
  91: 'f32.eq',
  92: 'f32.ne',
  93: 'f32.lt',
  94: 'f32.gt',
  95: 'f32.le',
  96: 'f32.ge',
  103: 'i32.clz',
  104: 'i32.ctz',
  105: 'i32.popcnt',
  106: 'i32.add',
  107: 'i32.sub',
  108: 'i32.mul',
  109: 'i32.div_s',
  110: 'i32.div_u',
  111: 'i32.rem_s',
  112: 'i32.rem_u',
  113: 'i32.and',
  114: 'i32.or',
  115: 'i32.xor',
  116: 'i32.shl',
  117: 'i32.shr_s',
  118: 'i32.shr_u',
  139: 'f32.abs',
  140: 'f32.neg',
  141: 'f32.ceil',
  142: 'f32.floor',
  143: 'f32.trunc',
  144: 'f32.nearest',
  145: 'f32.sqrt',
  146: 'f32.add',
  147: 'f32.sub',
  148: 'f32.mul',
  149: 'f32.div',
  178: 'f32.convert_i32_s',
  179: 'f32.convert_i32_u',
  188: 'i32.reinterpret_f32',
  190: 'f32.reinterpret_i32',
};

/** After the prefix 0xfc. */
const EXTENDED: Readonly<Record<number, string>> = {
  0: 'i32.trunc_sat_f32_s',
  1: 'i32.trunc_sat_f32_u',
  11: 'memory.fill',
};

/** After the prefix 0xfd: SIMD. */
const SIMD: Readonly<Record<number, string>> = {
  0: 'v128.load',
  9: 'v128.load32_splat',
  11: 'v128.store',
  12: 'v128.const',
  13: 'i8x16.shuffle',
  17: 'i32x4.splat',
  19: 'f32x4.splat',
  27: 'i32x4.extract_lane',
  28: 'i32x4.replace_lane',
  31: 'f32x4.extract_lane',
  32: 'f32x4.replace_lane',
  55: 'i32x4.eq',
  56: 'i32x4.ne',
  57: 'i32x4.lt_s',
  58: 'i32x4.lt_u',
  59: 'i32x4.gt_s',
  60: 'i32x4.gt_u',
  61: 'i32x4.le_s',
  62: 'i32x4.le_u',
  63: 'i32x4.ge_s',
  64: 'i32x4.ge_u',
  65: 'f32x4.eq',
  66: 'f32x4.ne',
  67: 'f32x4.lt',
  68: 'f32x4.gt',
  69: 'f32x4.le',
  70: 'f32x4.ge',
  77: 'v128.not',
  78: 'v128.and',
  79: 'v128.andnot',
  80: 'v128.or',
  81: 'v128.xor',
  82: 'v128.bitselect',
  83: 'v128.any_true',
  86: 'v128.load32_lane',
  90: 'v128.store32_lane',
  92: 'v128.load32_zero',
  103: 'f32x4.ceil',
  104: 'f32x4.floor',
  105: 'f32x4.trunc',
  106: 'f32x4.nearest',
  160: 'i32x4.abs',
  161: 'i32x4.neg',
  163: 'i32x4.all_true',
  164: 'i32x4.bitmask',
  171: 'i32x4.shl',
  172: 'i32x4.shr_s',
  173: 'i32x4.shr_u',
  174: 'i32x4.add',
  177: 'i32x4.sub',
  181: 'i32x4.mul',
  182: 'i32x4.min_s',
  183: 'i32x4.min_u',
  184: 'i32x4.max_s',
  185: 'i32x4.max_u',
  224: 'f32x4.abs',
  225: 'f32x4.neg',
  227: 'f32x4.sqrt',
  228: 'f32x4.add',
  229: 'f32x4.sub',
  230: 'f32x4.mul',
  231: 'f32x4.div',
  234: 'f32x4.pmin',
  235: 'f32x4.pmax',
  243: 'f64x2.div',
  248: 'i32x4.trunc_sat_f32x4_s',
  249: 'i32x4.trunc_sat_f32x4_u',
  250: 'f32x4.convert_i32x4_s',
  251: 'f32x4.convert_i32x4_u',
  252: 'i32x4.trunc_sat_f64x2_s_zero',
  253: 'i32x4.trunc_sat_f64x2_u_zero',
  254: 'f64x2.convert_low_i32x4_s',
  255: 'f64x2.convert_low_i32x4_u',
};

const OPCODES: Readonly<Record<string, readonly number[]>> = Object.fromEntries([
  ...Object.entries(PLAIN).map(([code, op]) => [op, [Number(code)]]),
  ...Object.entries(EXTENDED).map(([code, op]) => [op, [0xfc, ...unsigned(Number(code))]]),
  ...Object.entries(SIMD).map(([code, op]) => [op, [0xfd, ...unsigned(Number(code))]]),
]);
