/**
 * Four lanes at a time: a kernel's statements as WebAssembly SIMD.
 *
 * A uniform value is a scalar local, a linear one the scalar of its lane 0, a varying one a v128 with an invocation in
 * each lane. In varying control flow a mask holds the active lanes; uniform control flow uses no mask and real
 * branches. Inactive lanes compute too, and their results are discarded: arithmetic cannot trap, their loads use safe
 * addresses, and their stores are skipped.
 */

import { PRIVATE, SCRATCH as SCRATCH_PLACE, type ScratchLayout } from './address.js';
import {
  type Address,
  type AddressedLoad,
  childrenOf,
  type Expr,
  expressionsOf,
  type Frame,
  type If,
  type Kernel,
  type Local,
  type Memory,
  type Operation,
  type Scalar,
  type Stmt,
  statementsIn,
} from './ir.js';
import type { Shapes } from './vectorise.js';
import type { FunctionBody, Label, ValType } from './wasm.js';

/** The first parameters of every function of a kernel. */
export const PARAMETERS: readonly ValType[] = ['i32', 'i32', 'i32', 'i32', 'i32'];
const [ARGS, SCRATCH, GROUP_X] = [0, 1, 2] as const;

/** Bytes of the argument block before the bindings: the grid. */
export const GRID_BYTES = 12;

/** The context of emission. */
export interface EmitOptions {
  /** number of the function that runs one gang under a mask; a guard at the top calls it */
  readonly masked: number | undefined;
  readonly scratch: ScratchLayout;
}

const wasmType = (type: Scalar): 'i32' | 'f32' => (type === 'f32' ? 'f32' : 'i32');
const bitsOf = (type: Scalar, value: number): number =>
  type === 'f32' ? new Int32Array(new Float32Array([value]).buffer)[0]! : type === 'bool' ? -value : value | 0;

/** Names of instructions on f32, i32 and u32, as scalars and as vectors, if they are one instruction. */
const PLAIN: Readonly<Record<string, Partial<Record<Scalar, readonly [scalar: string, vector: string]>>>> = {
  add: { f32: ['f32.add', 'f32x4.add'], i32: ['i32.add', 'i32x4.add'], u32: ['i32.add', 'i32x4.add'] },
  sub: { f32: ['f32.sub', 'f32x4.sub'], i32: ['i32.sub', 'i32x4.sub'], u32: ['i32.sub', 'i32x4.sub'] },
  mul: { f32: ['f32.mul', 'f32x4.mul'], i32: ['i32.mul', 'i32x4.mul'], u32: ['i32.mul', 'i32x4.mul'] },
  div: { f32: ['f32.div', 'f32x4.div'] },
  sqrt: { f32: ['f32.sqrt', 'f32x4.sqrt'] },
  floor: { f32: ['f32.floor', 'f32x4.floor'] },
  ceil: { f32: ['f32.ceil', 'f32x4.ceil'] },
  trunc: { f32: ['f32.trunc', 'f32x4.trunc'] },
  nearest: { f32: ['f32.nearest', 'f32x4.nearest'] },
  and: { i32: ['i32.and', 'v128.and'], u32: ['i32.and', 'v128.and'], bool: ['i32.and', 'v128.and'] },
  or: { i32: ['i32.or', 'v128.or'], u32: ['i32.or', 'v128.or'], bool: ['i32.or', 'v128.or'] },
  xor: { i32: ['i32.xor', 'v128.xor'], u32: ['i32.xor', 'v128.xor'], bool: ['i32.xor', 'v128.xor'] },
  eq: compare('eq', 'eq', 'eq'),
  ne: compare('ne', 'ne', 'ne'),
  lt: compare('lt', 'lt_s', 'lt_u'),
  le: compare('le', 'le_s', 'le_u'),
  gt: compare('gt', 'gt_s', 'gt_u'),
  ge: compare('ge', 'ge_s', 'ge_u'),
};

function compare(float: string, signed: string, unsigned: string) {
  return {
    f32: [`f32.${float}`, `f32x4.${float}`],
    i32: [`i32.${signed}`, `i32x4.${signed}`],
    u32: [`i32.${unsigned}`, `i32x4.${unsigned}`],
    bool: [`i32.${signed}`, `i32x4.${signed}`],
  } as const;
}

/** The branch target of a frame, and its active lanes. */
interface Opened {
  readonly label: Label;
  readonly mask: number | undefined;
}

/** Writes one function of a kernel. */
export class Emitter {
  readonly #locals = new Map<Local, number>();
  /** vector copies of scalars that vector code uses, updated when the scalar is set */
  readonly #copies = new Map<Local, number>();
  readonly #copied = new Set<Local>();
  /** those of them that no scalar code uses: they are kept only as vectors */
  readonly #vectorsOnly = new Set<Local>();
  readonly #opened = new Map<Frame, Opened>();
  readonly #addresses = new Map<number, number>();
  /** local with the mask of active lanes; undefined: all */
  #mask: number | undefined;
  #path: Frame[];
  readonly #guards = new Set<Stmt>();
  /** blocks that lanes leave one by one only at guards */
  readonly #guarded = new Set<Frame>();
  #gang = -1;
  #private = -1;

  constructor(
    readonly body: FunctionBody,
    private readonly kernel: Kernel,
    private readonly shapes: Shapes,
    private readonly options: EmitOptions,
  ) {
    this.#path = [kernel.root];
    this.#findCopies(kernel.body);
    if (options.masked === undefined) return;
    for (const guard of guardsOf(kernel, shapes)) this.#guards.add(guard);
    for (const stmt of kernel.body) {
      if (stmt.kind !== 'block') continue;
      // Only guards leave the kernel lane by lane, so it needs no mask of its own.
      const others = stmt.body.filter((one) => !this.#guards.has(one));
      const leaves = [...statementsIn(others)].some((one) => one.kind === 'leave' && one.frame === stmt.frame);
      if (!leaves) this.#guarded.add(stmt.frame);
    }
  }

  // ---- the function's frame ----

  /** Reads the argument block and the uniforms, once. */
  prologue(gang: number): void {
    const { body, kernel } = this;
    this.#gang = gang;
    for (const local of kernel.builtins) {
      const axis = ['x', 'y', 'z'].indexOf(local.builtin!.split('.')[1] ?? '');
      if (local.builtin!.startsWith('workgroup.')) body.get(GROUP_X + axis);
      else if (local.builtin!.startsWith('grid.')) {
        body.get(ARGS);
        body.emit('i32.load', 4 * axis);
      } else continue;
      this.#setScalar(local);
    }
    for (const { local, load } of kernel.preloads) {
      if (load.memory.kind !== 'binding' || load.index.kind !== 'constant') continue;
      body.get(this.#addressOf(load.memory.slot));
      body.emit(`${wasmType(local.type)}.load`, load.index.value * 4);
      this.#setScalar(local);
    }
  }

  /**
   * Builtins that depend on the gang, and the address of its private arrays. `ownPrivate`: one address for each gang.
   */
  startGang(ownPrivate: boolean): void {
    const { body, kernel } = this;
    const [sx, sy] = kernel.workgroupSize;
    for (const local of kernel.builtins) {
      const name = local.builtin!;
      const shape = this.shapes.ofLocal(local);
      if (name === 'gang') body.get(this.#gang);
      else if (name === 'lane') body.i32(0);
      else if (name === 'index') this.#firstIndex();
      else if (!name.startsWith('local.')) continue;
      else {
        const place = () => {
          if (name === 'local.x') this.#modulo(sx);
          else if (name === 'local.y') {
            this.#divide(sx);
            this.#modulo(sy);
          } else this.#divide(sx * sy);
        };
        if (shape !== 'varying') {
          this.#firstIndex();
          place();
        } else {
          body.emit('v128.const', 0, 0, 0, 0);
          for (let lane = 0; lane < 4; lane++) {
            this.#firstIndex();
            body.i32(lane);
            body.emit('i32.add');
            place();
            body.emit('i32x4.replace_lane', lane);
          }
          body.set(this.#local(local));
          continue;
        }
      }
      this.#setScalar(local);
    }
    const { privateBytes } = this.options.scratch;
    if (privateBytes > 0) {
      if (this.#private < 0) this.#private = body.local('i32');
      body.get(SCRATCH);
      if (ownPrivate) {
        body.get(this.#gang);
        body.i32(privateBytes);
        body.emit('i32.mul');
        body.emit('i32.add');
      }
      body.set(this.#private);
    }
  }

  /** Masks off the lanes past the end of the workgroup, in its last gang. */
  maskTail(): void {
    const total = this.kernel.workgroupSize.reduce((product, size) => product * size);
    const { body } = this;
    const mask = body.local('v128');
    this.#firstIndex();
    body.emit('i32x4.splat');
    body.emit('v128.const', 0, 1, 2, 3);
    body.emit('i32x4.add');
    body.emit('v128.const', total, total, total, total);
    body.emit('i32x4.lt_u');
    body.set(mask);
    this.#mask = mask;
  }

  #firstIndex(): void {
    this.body.get(this.#gang);
    this.body.i32(2);
    this.body.emit('i32.shl');
  }

  #modulo(by: number): void {
    this.body.i32(by);
    this.body.emit('i32.rem_u');
  }

  #divide(by: number): void {
    this.body.i32(by);
    this.body.emit('i32.div_u');
  }

  // ---- statements ----

  /** Statements of the kernel's outermost list, or of one region of it, inside `path`. */
  statements(list: readonly Stmt[], path?: readonly Frame[]): void {
    if (path !== undefined) this.#path = [...path];
    for (const stmt of list) this.#statement(stmt);
  }

  #statement(stmt: Stmt): void {
    switch (stmt.kind) {
      case 'set':
        this.#set(stmt.local, stmt.value);
        return;
      case 'store':
        this.#store(stmt.memory, stmt.address!, stmt.value);
        return;
      case 'clear':
        this.#clear(stmt.memory);
        return;
      case 'if':
        this.#if(stmt);
        return;
      case 'block': {
        const label = this.body.block();
        this.#inside(stmt.frame, label, stmt.body);
        this.body.end();
        this.#checkAfter(stmt);
        return;
      }
      case 'loop': {
        const label = this.body.block();
        const mask = this.#ownMask(stmt.frame);
        const [first] = stmt.body;
        const isTested = first?.kind === 'if' && this.#isUniformExit(first, stmt.frame);
        // A loop that begins with its test is entered past it, and tests at its end: one jump per iteration.
        if (isTested) {
          this.#scalar(first.condition);
          this.body.brIf(label);
        }
        const again = this.body.loop();
        this.#inside(stmt.frame, label, isTested ? stmt.body.slice(1) : stmt.body, mask);
        if (isTested) {
          this.#scalar(first.condition);
          this.body.emit('i32.eqz');
          this.body.brIf(again);
        } else this.body.br(again);
        this.body.end();
        this.body.end();
        this.#checkAfter(stmt);
        return;
      }
      case 'leave':
        this.#leave(stmt.frame);
        return;
      case 'subgroup':
        this.#subgroup(stmt);
        return;
      case 'barrier':
        // A single gang needs no barrier.
        return;
    }
  }

  /** A loop's own `if (condition) leave`, if all lanes leave together. */
  #isUniformExit({ condition, yes, no }: If, frame: Frame): boolean {
    const [only] = yes;
    const leaves = yes.length === 1 && no.length === 0 && only?.kind === 'leave' && only.frame === frame;
    return leaves && this.shapes.of(condition) === 0;
  }

  #list(list: readonly Stmt[]): void {
    for (const stmt of list) {
      this.#statement(stmt);
      if (stmt.kind === 'leave') return; // the rest is never reached
    }
  }

  /** A mask for a frame that lanes may leave one by one, with the presently active lanes. */
  #ownMask(frame: Frame): number | undefined {
    if (!this.shapes.masked(frame) || this.#guarded.has(frame)) return this.#mask;
    const mask = this.body.local('v128');
    if (this.#mask === undefined) this.body.emit('v128.const', -1, -1, -1, -1);
    else this.body.get(this.#mask);
    this.body.set(mask);
    return mask;
  }

  #inside(frame: Frame, label: Label, body: readonly Stmt[], mask = this.#ownMask(frame)): void {
    const outer = this.#mask;
    this.#opened.set(frame, { label, mask });
    this.#mask = mask;
    this.#path.push(frame);
    this.#list(body);
    this.#path.pop();
    this.#mask = outer;
  }

  /** After a frame that lanes left for the end of an outer one: branch there too if no lane is active. */
  #checkAfter(stmt: Stmt): void {
    if (this.#mask === undefined) return;
    const inner = new Set<Frame>();
    if (stmt.kind === 'block' || stmt.kind === 'loop') inner.add(stmt.frame);
    for (const one of statementsIn([stmt])) if (one.kind === 'block' || one.kind === 'loop') inner.add(one.frame);
    const leaves = [...statementsIn([stmt])].some((one) => one.kind === 'leave' && !inner.has(one.frame));
    if (leaves) this.#leaveIfEmpty();
  }

  #leaveIfEmpty(): void {
    const target = this.#innermost();
    if (this.#mask === undefined || target === undefined) return;
    this.body.get(this.#mask);
    this.body.emit('v128.any_true');
    this.body.emit('i32.eqz');
    this.body.brIf(target.label);
  }

  /** The innermost surrounding frame with a branch target. */
  #innermost(): Opened | undefined {
    for (let i = this.#path.length - 1; i >= 0; i--) {
      const opened = this.#opened.get(this.#path[i]!);
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  #if(stmt: Extract<Stmt, { kind: 'if' }>): void {
    const { body } = this;
    const { condition, yes, no, yesFrame, noFrame } = stmt;
    if (this.shapes.of(condition) === 0) {
      this.#scalar(condition);
      const outer = this.#path;
      if (yes.length === 1 && no.length === 0 && yes[0]!.kind === 'leave' && !this.#waitsBefore(yes[0]!.frame)) {
        body.brIf(this.#opened.get(yes[0]!.frame)!.label);
        return;
      }
      body.if();
      this.#path = [...outer, yesFrame];
      this.#list(yes);
      if (no.length > 0) {
        body.else();
        this.#path = [...outer, noFrame];
        this.#list(no);
      }
      this.#path = outer;
      body.end();
      this.#checkAfter(stmt);
      return;
    }
    const [only] = yes;
    if (yes.length === 1 && no.length === 0 && only?.kind === 'leave') {
      if (this.#guards.has(stmt)) this.#handOver(only.frame, condition);
      else this.#leaveWhere(only.frame, condition);
      return;
    }
    const chosen = body.local('v128');
    this.#vector(condition);
    body.set(chosen);
    const side = (frame: Frame, list: readonly Stmt[], instruction: 'v128.and' | 'v128.andnot') => {
      if (list.length === 0) return;
      const mask = body.local('v128');
      if (this.#mask === undefined) {
        body.get(chosen);
        if (instruction === 'v128.andnot') body.emit('v128.not');
      } else {
        body.get(this.#mask);
        body.get(chosen);
        body.emit(instruction);
      }
      body.tee(mask);
      body.emit('v128.any_true');
      const label = body.if();
      this.#inside(frame, label, list, mask);
      body.end();
      body.release('v128', mask);
    };
    side(yesFrame, yes, 'v128.and');
    side(noFrame, no, 'v128.andnot');
    body.release('v128', chosen);
    this.#checkAfter(stmt);
  }

  /** Does a leave from here pass frames in which lanes wait, so that the leaving lanes must be recorded? */
  #waitsBefore(frame: Frame): boolean {
    const inside = this.#path.slice(this.#path.indexOf(frame) + 1);
    return inside.some((between) => this.shapes.waits(between) || this.#isSplit(between));
  }

  #isSplit(frame: Frame): boolean {
    return frame.kind === 'branch' && this.#opened.has(frame);
  }

  #leave(frame: Frame): void {
    const { body } = this;
    if (!this.#waitsBefore(frame)) {
      body.br(this.#opened.get(frame)!.label);
      return;
    }
    const gone = body.local('v128');
    body.get(this.#mask!);
    body.set(gone);
    this.#takeOut(frame, gone);
    body.release('v128', gone);
    body.br(this.#innermost()!.label);
  }

  /**
   * A guard such as `if (i >= n) { return; }`: a gang with lanes past the end restarts in the masked function, so that
   * the code after the guard needs no mask here.
   */
  #handOver(frame: Frame, condition: Expr): void {
    const { body } = this;
    this.#vector(condition);
    body.emit('v128.any_true');
    body.if();
    for (let i = 0; i < PARAMETERS.length; i++) body.get(i);
    body.get(this.#gang);
    body.emit('call', this.options.masked!);
    body.br(this.#opened.get(frame)!.label);
    body.end();
  }

  /** `if (condition) leave` without a branch. */
  #leaveWhere(frame: Frame, condition: Expr): void {
    const { body } = this;
    const gone = body.local('v128');
    this.#vector(condition);
    if (this.#mask !== undefined) {
      body.get(this.#mask);
      body.emit('v128.and');
    }
    body.set(gone);
    this.#takeOut(frame, gone);
    body.release('v128', gone);
    this.#leaveIfEmpty();
  }

  /** Takes lanes out of every mask from here to the frame they leave. */
  #takeOut(frame: Frame, gone: number): void {
    const from = this.#path.indexOf(frame);
    const masks = new Set(this.#path.slice(from).map((one) => this.#opened.get(one)?.mask));
    for (const mask of masks) {
      if (mask === undefined) continue;
      this.body.get(mask);
      this.body.get(gone);
      this.body.emit('v128.andnot');
      this.body.set(mask);
    }
  }

  // ---- memory ----

  #addressOf(slot: number): number {
    let local = this.#addresses.get(slot);
    if (local === undefined) {
      local = this.body.local('i32');
      this.#addresses.set(slot, local);
    }
    return local;
  }

  /** Loads the addresses of all bindings, at the start of a function. */
  loadAddresses(slots: number): void {
    for (let slot = 0; slot < slots; slot++) {
      this.body.get(ARGS);
      this.body.emit('i32.load', GRID_BYTES + 8 * slot);
      this.body.set(this.#addressOf(slot));
    }
  }

  #set(local: Local, value: Expr): void {
    const { body } = this;
    if (this.#vectorsOnly.has(local)) {
      this.#vector(value);
      body.set(this.#copyOf(local));
      return;
    }
    if (this.shapes.ofLocal(local) !== 'varying') {
      this.#scalar(value);
      this.#setScalar(local);
      return;
    }
    const index = this.#local(local);
    this.#vector(value);
    if (this.#mask !== undefined && this.shapes.blends(local, this.#path)) {
      body.get(index);
      body.get(this.#mask);
      body.emit('v128.bitselect');
    }
    body.set(index);
  }

  #setScalar(local: Local): void {
    const { body } = this;
    const index = this.#local(local);
    if (!this.#copied.has(local)) {
      body.set(index);
      return;
    }
    body.tee(index);
    this.#spread(local.type, this.shapes.ofLocal(local));
    body.set(this.#copyOf(local));
  }

  #copyOf(local: Local): number {
    let copy = this.#copies.get(local);
    if (copy === undefined) {
      copy = this.body.local('v128');
      this.#copies.set(local, copy);
    }
    return copy;
  }

  #local(local: Local): number {
    let index = this.#locals.get(local);
    if (index === undefined) {
      index = this.body.local(this.shapes.ofLocal(local) === 'varying' ? 'v128' : wasmType(local.type));
      this.#locals.set(local, index);
    }
    return index;
  }

  /** For regions: a local's number from, or to, the memory of its gang. */
  exchange(local: Local, base: number, offset: number, direction: 'load' | 'store'): void {
    const { body } = this;
    const isVector = this.shapes.ofLocal(local) === 'varying' || this.#vectorsOnly.has(local);
    const index = this.#vectorsOnly.has(local) ? this.#copyOf(local) : this.#local(local);
    const type = isVector ? 'v128' : wasmType(local.type);
    body.get(base);
    if (direction === 'load') {
      body.emit(`${type}.load`, offset);
      if (isVector) body.set(index);
      else this.#setScalar(local);
      return;
    }
    body.get(index);
    body.emit(`${type}.store`, offset);
  }

  #store(memory: Memory, address: Address, value: Expr): void {
    const { body } = this;
    const { mode, addresses, offset } = address;
    const masked =
      this.#mask !== undefined && (memory.kind !== 'private' || this.shapes.blendsMemory(memory, this.#path));
    if (mode === 'splat' && this.shapes.of(value) === 0) {
      this.#scalar(addresses[0]!);
      this.#scalar(value);
      body.emit(`${wasmType(value.type)}.store`, offset);
      return;
    }
    if (mode === 'side by side' && !masked) {
      this.#scalar(addresses[0]!);
      this.#vector(value);
      body.emit('v128.store', offset);
      return;
    }
    const numbers = body.local('v128');
    this.#vector(value);
    body.set(numbers);
    if (mode === 'side by side' && memory.kind === 'private') {
      this.#scalar(addresses[0]!);
      body.get(numbers);
      this.#scalar(addresses[0]!);
      body.emit('v128.load', offset);
      body.get(this.#mask!);
      body.emit('v128.bitselect');
      body.emit('v128.store', offset);
      body.release('v128', numbers);
      return;
    }
    const each = () => {
      const active = masked ? body.local('i32') : undefined;
      if (active !== undefined) {
        body.get(this.#mask!);
        body.emit('i32x4.bitmask');
        body.set(active);
      }
      for (let lane = 0; lane < 4; lane++) {
        if (mode === 'splat' && active === undefined && lane < 3) continue; // the last lane's number stays
        if (active !== undefined) {
          body.get(active);
          body.i32(1 << lane);
          body.emit('i32.and');
          body.if();
        }
        this.#scalar(addresses[mode === 'lanes' ? lane : 0]!);
        body.get(numbers);
        body.emit('v128.store32_lane', offset + (mode === 'side by side' ? 4 * lane : 0), lane);
        if (active !== undefined) body.end();
      }
      if (active !== undefined) body.release('i32', active);
    };
    if (mode === 'side by side') {
      body.get(this.#mask!);
      body.emit('i32x4.all_true');
      body.if();
      this.#scalar(addresses[0]!);
      body.get(numbers);
      body.emit('v128.store', offset);
      body.else();
      each();
      body.end();
    } else {
      each();
    }
    body.release('v128', numbers);
  }

  #privateAddress(): void {
    this.body.get(this.#private);
  }

  #clear(memory: Memory): void {
    if (memory.kind !== 'private') return;
    const { body } = this;
    const start = this.options.scratch.privateOf(memory);
    if (this.#mask === undefined || !this.shapes.blendsMemory(memory, this.#path)) {
      this.#privateAddress();
      body.i32(start);
      body.emit('i32.add');
      body.i32(0);
      body.i32(memory.words * 16);
      body.emit('memory.fill');
      return;
    }
    const at = body.local('i32');
    body.i32(0);
    body.set(at);
    const again = body.loop();
    const here = () => {
      this.#privateAddress();
      body.get(at);
      body.emit('i32.add');
    };
    here();
    here();
    body.emit('v128.load', start);
    body.get(this.#mask);
    body.emit('v128.andnot');
    body.emit('v128.store', start);
    body.get(at);
    body.i32(16);
    body.emit('i32.add');
    body.tee(at);
    body.i32(memory.words * 16);
    body.emit('i32.lt_u');
    body.brIf(again);
    body.end();
    body.release('i32', at);
  }

  // ---- scalars ----

  /** Leaves the number of every lane on the stack; for a linear value, lane 0's. */
  #scalar(expr: Expr): void {
    const { body } = this;
    switch (expr.kind) {
      case 'constant':
        if (expr.type === 'f32') body.f32(expr.value);
        else body.i32(expr.value);
        return;
      case 'read':
        body.get(this.#local(expr.local));
        return;
      case 'addressed':
        this.#scalar(expr.addresses[0]!);
        body.emit(`${wasmType(expr.type)}.load`, expr.offset);
        return;
      case 'load':
        throw new Error('a load without an address');
      case 'operation':
        this.#scalarOperation(expr);
    }
  }

  /** For control flow around regions: what the first lane of gang 0 says, which all others say too. */
  condition(expr: Expr): void {
    if (this.#private >= 0) {
      this.body.get(SCRATCH);
      this.body.set(this.#private);
    }
    if (this.shapes.of(expr) !== 'varying') {
      this.#scalar(expr);
      return;
    }
    this.#vector(expr);
    this.body.emit('i32x4.extract_lane', 0);
  }

  set(local: Local, value: Expr): void {
    this.#set(local, value);
  }

  #scalarOperation(expr: Operation): void {
    const { body } = this;
    const { operator, operands, type } = expr;
    const [a, b, c] = operands as [Expr, Expr, Expr];
    const from = a.type;
    const plain = PLAIN[operator]?.[from];
    if (plain !== undefined) {
      this.#scalar(a);
      if (operands.length > 1) this.#scalar(b);
      body.emit(plain[0]);
      return;
    }
    switch (operator) {
      case 'address': {
        const slot = (a as { value: number }).value;
        body.get(slot === SCRATCH_PLACE ? SCRATCH : slot === PRIVATE ? this.#private : this.#addressOf(slot));
        return;
      }
      case 'byteLength':
        body.get(ARGS);
        body.emit('i32.load', GRID_BYTES + 8 * (a as { value: number }).value + 4);
        return;
      case 'extract': {
        const lane = (b as { value: number }).value;
        const shape = this.shapes.of(a);
        if (shape !== 'varying') {
          this.#scalar(a);
          if (shape !== 0) {
            body.i32(shape * lane);
            body.emit('i32.add');
          }
          return;
        }
        this.#vector(a);
        body.emit(`${wasmType(type)}x4.extract_lane`, lane);
        return;
      }
      case 'neg':
        if (type !== 'f32') body.i32(0);
        this.#scalar(a);
        body.emit(type === 'f32' ? 'f32.neg' : 'i32.sub');
        return;
      case 'abs':
        this.#scalar(a);
        if (type === 'f32') body.emit('f32.abs');
        else {
          // (x ^ sign) - sign
          const [value, sign] = [body.local('i32'), body.local('i32')];
          body.tee(value);
          body.i32(31);
          body.emit('i32.shr_s');
          body.tee(sign);
          body.get(value);
          body.emit('i32.xor');
          body.get(sign);
          body.emit('i32.sub');
          body.release('i32', value);
          body.release('i32', sign);
        }
        return;
      case 'min':
      case 'max': {
        // min: b < a ? b : a; max: a < b ? b : a
        const kind = wasmType(type);
        const [x, y] = [body.local(kind), body.local(kind)];
        this.#scalar(a);
        body.set(x);
        this.#scalar(b);
        body.tee(y);
        body.get(x);
        body.get(operator === 'min' ? y : x);
        body.get(operator === 'min' ? x : y);
        body.emit(type === 'f32' ? 'f32.lt' : type === 'i32' ? 'i32.lt_s' : 'i32.lt_u');
        body.emit('select');
        body.release(kind, x);
        body.release(kind, y);
        return;
      }
      case 'not':
        this.#scalar(a);
        if (type === 'bool') body.emit('i32.eqz');
        else {
          body.i32(-1);
          body.emit('i32.xor');
        }
        return;
      case 'shl':
      case 'shr':
        this.#scalar(a);
        this.#scalar(b);
        body.emit(operator === 'shl' ? 'i32.shl' : type === 'i32' ? 'i32.shr_s' : 'i32.shr_u');
        return;
      case 'clz':
      case 'ctz':
      case 'popcnt':
        this.#scalar(a);
        body.emit(`i32.${operator}`);
        return;
      case 'div':
      case 'rem': {
        this.#scalar(a);
        const x = body.local('i32');
        body.tee(x);
        this.#scalar(b);
        this.#safeDivisor(b, type, x);
        body.emit(`i32.${operator}_${type === 'i32' ? 's' : 'u'}`);
        body.release('i32', x);
        return;
      }
      case 'select':
        this.#scalar(b);
        this.#scalar(c);
        this.#scalar(a);
        body.emit('select');
        return;
      case 'convert':
        this.#scalar(a);
        if (type === 'f32') body.emit(from === 'i32' ? 'f32.convert_i32_s' : 'f32.convert_i32_u');
        else body.emit(type === 'i32' ? 'i32.trunc_sat_f32_s' : 'i32.trunc_sat_f32_u');
        return;
      case 'bits':
        this.#scalar(a);
        if (type === 'f32' && from !== 'f32') body.emit('f32.reinterpret_i32');
        else if (type !== 'f32' && from === 'f32') body.emit('i32.reinterpret_f32');
        return;
      default:
        throw new Error(`no scalar ${operator} of ${from}`);
    }
  }

  /** Replace b on the stack by 1 if x / b has no quotient: x / 0 is x, the smallest i32 over -1 is itself. */
  #safeDivisor(b: Expr, type: Scalar, x: number): void {
    if (b.kind === 'constant' && b.value !== 0 && b.value !== -1) return;
    const { body } = this;
    const y = body.local('i32');
    body.set(y);
    body.i32(1);
    body.get(y);
    body.get(y);
    body.emit('i32.eqz');
    if (type === 'i32') {
      body.get(y);
      body.i32(-1);
      body.emit('i32.eq');
      body.get(x);
      body.i32(0x80000000 | 0);
      body.emit('i32.eq');
      body.emit('i32.and');
      body.emit('i32.or');
    }
    body.emit('select');
    body.release('i32', y);
  }

  // ---- vectors ----

  /** Copy the scalar on the stack to every lane; a linear value adds its stride. */
  #spread(type: Scalar, shape: number | 'varying'): void {
    const { body } = this;
    if (type === 'f32') {
      body.emit('f32x4.splat');
      return;
    }
    if (type === 'bool') {
      // 1 to all ones
      const flag = body.local('i32');
      body.set(flag);
      body.i32(0);
      body.get(flag);
      body.emit('i32.sub');
      body.release('i32', flag);
    }
    body.emit('i32x4.splat');
    if (shape !== 0 && shape !== 'varying') {
      body.emit('v128.const', 0, shape, 2 * shape, 3 * shape);
      body.emit('i32x4.add');
    }
  }

  /** Leaves a v128 on the stack with each lane's number; for a bool, all ones or zero. */
  #vector(expr: Expr): void {
    const { body } = this;
    if (expr.kind === 'constant') {
      const word = bitsOf(expr.type, expr.value);
      body.emit('v128.const', word, word, word, word);
      return;
    }
    const shape = this.shapes.of(expr);
    if (expr.kind === 'read') {
      const copy = this.#copies.get(expr.local);
      if (copy !== undefined) {
        body.get(copy);
        return;
      }
      body.get(this.#local(expr.local));
      if (shape !== 'varying') this.#spread(expr.type, shape);
      return;
    }
    if (expr.kind === 'addressed') {
      this.#vectorLoad(expr);
      return;
    }
    if (shape !== 'varying') {
      this.#scalar(expr);
      this.#spread(expr.type, shape);
      return;
    }
    if (expr.kind === 'operation') this.#vectorOperation(expr);
  }

  #vectorLoad({ mode, addresses, offset }: AddressedLoad): void {
    const { body } = this;
    if (mode !== 'lanes') {
      this.#scalar(addresses[0]!);
      body.emit(mode === 'splat' ? 'v128.load32_splat' : 'v128.load', offset);
      return;
    }
    addresses.forEach((address, lane) => {
      this.#scalar(address);
      if (this.#mask !== undefined) {
        // The address of an inactive lane is arbitrary, so it reads at 0.
        body.get(this.#mask);
        body.emit('i32x4.extract_lane', lane);
        body.emit('i32.and');
      }
      if (lane === 0) {
        body.emit('v128.load32_zero', offset);
        return;
      }
      const [at, before] = [body.local('i32'), body.local('v128')];
      body.set(at);
      body.set(before);
      body.get(at);
      body.get(before);
      body.emit('v128.load32_lane', offset, lane);
      body.release('i32', at);
      body.release('v128', before);
    });
  }

  #vectorOperation(expr: Operation): void {
    const { body } = this;
    const { operator, operands, type } = expr;
    const [a, b, c] = operands as [Expr, Expr, Expr];
    const from = a.type;
    const plain = PLAIN[operator]?.[from];
    if (plain !== undefined) {
      this.#vector(a);
      if (operands.length > 1) this.#vector(b);
      body.emit(plain[1]);
      return;
    }
    switch (operator) {
      case 'neg':
      case 'abs':
        this.#vector(a);
        body.emit(`${wasmType(type)}x4.${operator}`);
        return;
      case 'min':
      case 'max':
        this.#vector(a);
        this.#vector(b);
        if (type === 'f32') body.emit(operator === 'min' ? 'f32x4.pmin' : 'f32x4.pmax');
        else body.emit(`i32x4.${operator}_${type === 'i32' ? 's' : 'u'}`);
        return;
      case 'not':
        this.#vector(a);
        body.emit('v128.not');
        return;
      case 'shl':
      case 'shr': {
        const instruction = operator === 'shl' ? 'shl' : type === 'i32' ? 'shr_s' : 'shr_u';
        if (this.shapes.of(b) === 0) {
          this.#vector(a);
          this.#scalar(b);
          body.emit(`i32x4.${instruction}`);
        } else this.#eachLane([a, b], `i32.${instruction}`);
        return;
      }
      case 'clz':
      case 'ctz':
      case 'popcnt':
        this.#eachLane([a], `i32.${operator}`);
        return;
      case 'div':
      case 'rem':
        this.#vectorDivision(operator, a, b, type);
        return;
      case 'select':
        if (this.shapes.of(a) === 0) {
          this.#vector(b);
          this.#vector(c);
          this.#scalar(a);
          body.emit('select');
        } else {
          this.#vector(b);
          this.#vector(c);
          this.#vector(a);
          body.emit('v128.bitselect');
        }
        return;
      case 'convert':
        this.#vector(a);
        if (type === 'f32') body.emit(`f32x4.convert_i32x4_${from === 'i32' ? 's' : 'u'}`);
        else body.emit(`i32x4.trunc_sat_f32x4_${type === 'i32' ? 's' : 'u'}`);
        return;
      case 'bits':
        this.#vector(a);
        return;
      default:
        throw new Error(`no vector ${operator} of ${from}`);
    }
  }

  /** One lane after another, for operations without a SIMD instruction. */
  #eachLane(operands: readonly Expr[], instruction: string): void {
    const { body } = this;
    const vectors = operands.map((operand) => {
      const local = body.local('v128');
      this.#vector(operand);
      body.set(local);
      return local;
    });
    body.emit('v128.const', 0, 0, 0, 0);
    for (let lane = 0; lane < 4; lane++) {
      for (const vector of vectors) {
        body.get(vector);
        body.emit('i32x4.extract_lane', lane);
      }
      body.emit(instruction);
      body.emit('i32x4.replace_lane', lane);
    }
    for (const vector of vectors) body.release('v128', vector);
  }

  /** Through float64: the truncated float64 quotient of two 32-bit integers is exact. */
  #vectorDivision(operator: 'div' | 'rem', a: Expr, b: Expr, type: Scalar): void {
    const { body } = this;
    const sign = type === 'i32' ? 's' : 'u';
    const [x, y, q] = [body.local('v128'), body.local('v128'), body.local('v128')];
    this.#vector(a);
    body.set(x);
    if (b.kind === 'constant' && b.value !== 0 && b.value !== -1) this.#vector(b);
    else {
      const divisor = body.local('v128');
      body.emit('v128.const', 1, 1, 1, 1);
      this.#vector(b);
      body.tee(divisor);
      body.get(divisor);
      body.emit('v128.const', 0, 0, 0, 0);
      body.emit('i32x4.eq');
      if (type === 'i32') {
        body.get(divisor);
        body.emit('v128.const', -1, -1, -1, -1);
        body.emit('i32x4.eq');
        body.get(x);
        body.emit('v128.const', ...Array<number>(4).fill(0x80000000 | 0));
        body.emit('i32x4.eq');
        body.emit('v128.and');
        body.emit('v128.or');
      }
      body.emit('v128.bitselect');
      body.release('v128', divisor);
    }
    body.set(y);
    const half = (high: boolean) => {
      for (const operand of [x, y]) {
        body.get(operand);
        if (high) {
          body.get(operand);
          body.emit('i8x16.shuffle', 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
        }
        body.emit(`f64x2.convert_low_i32x4_${sign}`);
      }
      body.emit('f64x2.div');
      body.emit(`i32x4.trunc_sat_f64x2_${sign}_zero`);
    };
    half(false);
    half(true);
    body.emit('i8x16.shuffle', 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    if (operator === 'rem') {
      body.set(q);
      body.get(x);
      body.get(q);
      body.get(y);
      body.emit('i32x4.mul');
      body.emit('i32x4.sub');
    }
    for (const local of [x, y, q]) body.release('v128', local);
  }

  // ---- subgroups: the four lanes of a gang ----

  #subgroup({ operator, local, value, index }: Extract<Stmt, { kind: 'subgroup' }>): void {
    const { body } = this;
    const type = value.type;
    const scalar = wasmType(type);
    const extract = (vector: number, lane: number) => {
      body.get(vector);
      body.emit(`${scalar}x4.extract_lane`, lane);
      if (type === 'bool') {
        body.i32(1);
        body.emit('i32.and');
      }
    };
    const set = () => {
      if (this.shapes.ofLocal(local) !== 'varying') this.#setScalar(local);
      else body.set(this.#local(local));
    };
    /** value of the lowest active lane */
    const first = () => {
      if (this.#mask === undefined) {
        extract(vector, 0);
        return;
      }
      extract(vector, 3);
      for (let lane = 2; lane >= 0; lane--) {
        const other = body.local(scalar);
        body.set(other);
        extract(vector, lane);
        body.get(other);
        body.get(this.#mask);
        body.emit('i32x4.extract_lane', lane);
        body.emit('select');
        body.release(scalar, other);
      }
    };
    const zeroInactive = () => {
      if (this.#mask === undefined) return;
      body.get(this.#mask);
      body.emit('v128.and');
    };
    const vector = body.local('v128');
    this.#vector(value);
    switch (operator.kind) {
      case 'ballot':
        zeroInactive();
        body.emit('i32x4.bitmask');
        set();
        break;
      case 'broadcast': {
        zeroInactive();
        body.set(vector);
        // WGSL requires a constant. A lane that does not exist gives zero, as an inactive one does.
        if (index.kind !== 'constant') throw new Error('the lane of a broadcast is not a constant');
        if (index.value < 4) extract(vector, index.value);
        else if (scalar === 'f32') body.f32(0);
        else body.i32(0);
        set();
        break;
      }
      case 'first':
        body.set(vector);
        first();
        set();
        break;
      case 'elect': {
        body.emit('drop');
        // The lowest bit of the mask: bits & -bits.
        const bits = body.local('i32');
        if (this.#mask === undefined) body.i32(1);
        else {
          body.get(this.#mask);
          body.emit('i32x4.bitmask');
        }
        body.set(bits);
        body.get(bits);
        body.i32(0);
        body.get(bits);
        body.emit('i32.sub');
        body.emit('i32.and');
        body.emit('i32x4.splat');
        body.emit('v128.const', 1, 2, 4, 8);
        body.emit('i32x4.eq');
        set();
        body.release('i32', bits);
        break;
      }
      case 'shuffle': {
        zeroInactive();
        body.set(vector);
        // Bytes of lane i are 4 i to 4 i + 3; a lane that does not exist gives zero.
        const lanes = body.local('v128');
        this.#vector(index);
        body.set(lanes);
        body.emit('v128.const', 0, 0, 0, 0);
        for (let lane = 0; lane < 4; lane++) {
          // out |= (lanes == lane) & splat(vector[lane])
          body.get(lanes);
          body.emit('v128.const', lane, lane, lane, lane);
          body.emit('i32x4.eq');
          body.get(vector);
          body.get(vector);
          body.emit('i8x16.shuffle', ...Array.from({ length: 16 }, (_, i) => 4 * lane + (i % 4)));
          body.emit('v128.and');
          body.emit('v128.or');
        }
        set();
        body.release('v128', lanes);
        break;
      }
      default: {
        const { by, kind } = operator;
        if (this.#mask !== undefined) {
          if (by === 'min' || by === 'max') {
            // A value of an active lane changes neither result; an infinity would if a lane has NaN.
            body.tee(vector);
            first();
            body.emit(`${scalar}x4.splat`);
          } else {
            const neutral = neutralOf(by, type);
            body.emit('v128.const', neutral, neutral, neutral, neutral);
          }
          body.get(this.#mask);
          body.emit('v128.bitselect');
        }
        body.set(vector);
        const combine = () => this.#combine(by, type);
        if (kind === 'reduce') {
          extract(vector, 0);
          for (let lane = 1; lane < 4; lane++) {
            extract(vector, lane);
            combine();
          }
          set();
          break;
        }
        const sum = body.local(scalar);
        const start = kind === 'exclusive' ? (by === 'mul' ? 1 : 0) : undefined;
        if (start !== undefined) {
          if (scalar === 'f32') body.f32(start);
          else body.i32(start);
          body.set(sum);
        }
        body.emit('v128.const', 0, 0, 0, 0);
        for (let lane = 0; lane < 4; lane++) {
          if (kind === 'inclusive') {
            if (lane > 0) body.get(sum);
            extract(vector, lane);
            if (lane > 0) combine();
            body.tee(sum);
            body.emit(`${scalar}x4.replace_lane`, lane);
          } else {
            body.get(sum);
            body.emit(`${scalar}x4.replace_lane`, lane);
            body.get(sum);
            extract(vector, lane);
            combine();
            body.set(sum);
          }
        }
        body.release(scalar, sum);
        set();
      }
    }
    body.release('v128', vector);
  }

  /** Combine two scalars on the stack. */
  #combine(by: string, type: Scalar): void {
    const { body } = this;
    const plain = PLAIN[by]?.[type];
    if (plain !== undefined) {
      body.emit(plain[0]);
      return;
    }
    const kind = wasmType(type);
    const [x, y] = [body.local(kind), body.local(kind)];
    body.set(y);
    body.set(x);
    body.get(y);
    body.get(x);
    body.get(by === 'min' ? y : x);
    body.get(by === 'min' ? x : y);
    body.emit(type === 'f32' ? 'f32.lt' : type === 'i32' ? 'i32.lt_s' : 'i32.lt_u');
    body.emit('select');
    body.release(kind, x);
    body.release(kind, y);
  }

  // ---- scalars used as vectors ----

  /** Finds the constant scalars that vector code uses. */
  #findCopies(list: readonly Stmt[]): void {
    const { shapes } = this;
    const asScalars = new Set<Local>();
    const vector = (expr: Expr): void => {
      if (expr.kind === 'read') {
        if (expr.local.constant && shapes.ofLocal(expr.local) !== 'varying') this.#copied.add(expr.local);
        return;
      }
      if (expr.kind === 'addressed') expr.addresses.forEach(scalar);
      else if (expr.kind === 'operation') {
        const inner = shapes.of(expr) === 'varying' ? vector : scalar;
        expr.operands.forEach(inner);
      }
    };
    const scalar = (expr: Expr): void => {
      if (expr.kind === 'read') asScalars.add(expr.local);
      if (expr.kind === 'operation' && expr.operator === 'extract') {
        if (shapes.of(expr.operands[0]!) === 'varying') vector(expr.operands[0]!);
        return;
      }
      for (const child of childrenOf(expr)) scalar(child);
    };
    for (const stmt of statementsIn(list)) {
      if (stmt.kind === 'set') (shapes.ofLocal(stmt.local) === 'varying' ? vector : scalar)(stmt.value);
      else if (stmt.kind === 'store') {
        stmt.address!.addresses.forEach(scalar);
        (stmt.address!.mode === 'splat' && shapes.of(stmt.value) === 0 ? scalar : vector)(stmt.value);
      } else if (stmt.kind === 'if') (shapes.of(stmt.condition) === 0 ? scalar : vector)(stmt.condition);
      else {
        for (const expr of expressionsOf(stmt)) {
          vector(expr);
          scalar(expr);
        }
      }
    }
    for (const stmt of statementsIn(list)) {
      // A load broadcasts a word that every lane needs.
      if (stmt.kind !== 'set' || stmt.value.kind !== 'addressed') continue;
      if (this.#copied.has(stmt.local) && !asScalars.has(stmt.local)) this.#vectorsOnly.add(stmt.local);
    }
  }
}

/** The neutral element of a reduction, exact in bits: -0 for a sum of floats. */
function neutralOf(by: string, type: Scalar): number {
  if (by === 'add') return type === 'f32' ? 0x80000000 | 0 : 0;
  if (by === 'mul') return type === 'f32' ? bitsOf('f32', 1) : 1;
  return by === 'and' ? -1 : 0;
}

/** Guards at the top of a kernel, before any store: lanes for which a varying condition holds have finished. */
export function guardsOf(kernel: Kernel, shapes: Shapes): Stmt[] {
  const guards: Stmt[] = [];
  for (const block of kernel.body) {
    if (block.kind !== 'block') continue;
    for (const stmt of block.body) {
      if ([...statementsIn([stmt])].some((one) => one.kind === 'store' && one.memory.kind !== 'private')) return guards;
      if (stmt.kind !== 'if' || stmt.no.length > 0 || stmt.yes.length !== 1) continue;
      const [only] = stmt.yes;
      if (only?.kind === 'leave' && only.frame === block.frame && shapes.of(stmt.condition) !== 0) guards.push(stmt);
    }
  }
  return guards;
}
