/**
 * Four lanes at a time: a kernel's statements as WebAssembly SIMD.
 *
 * A uniform value is a scalar local, a linear one the scalar of its lane 0, a varying one a v128 with an invocation in
 * each lane. In varying control flow a mask holds the active lanes; uniform control flow uses no mask and real
 * branches. Inactive lanes compute too, and their results are discarded: arithmetic cannot trap, their loads use safe
 * addresses, and their stores are skipped.
 */

import type { ScratchLayout } from './address.js';
import { emitClear, emitStore } from './emitStores.js';
import { emitSubgroup } from './emitSubgroups.js';
import { ValueEmitter } from './emitValues.js';
import { wasmType } from './instructions.js';
import { type Expr, type Frame, type If, type Kernel, type Local, type Memory, type Stmt, statementsIn } from './ir.js';
import { ARGS, GROUP_X, PARAMETERS, SCRATCH } from './parameters.js';
import type { Shapes } from './vectorise.js';
import type { FunctionBody, Label } from './wasm.js';

/** The context of emission. */
export interface EmitOptions {
  /** number of the function that runs one gang under a mask; a guard at the top calls it */
  readonly masked: number | undefined;
  readonly scratch: ScratchLayout;
}

/** The branch target of a frame, and its active lanes. */
interface Opened {
  readonly label: Label;
  readonly mask: number | undefined;
}

/** Writes one function of a kernel. */
export class Emitter {
  readonly values: ValueEmitter;
  readonly #opened = new Map<Frame, Opened>();
  #path: Frame[];
  readonly #guards = new Set<Stmt>();
  /** blocks that lanes leave one by one only at guards */
  readonly #guarded = new Set<Frame>();
  #gang = -1;

  constructor(
    readonly body: FunctionBody,
    private readonly kernel: Kernel,
    private readonly shapes: Shapes,
    private readonly options: EmitOptions,
  ) {
    this.#path = [kernel.root];
    this.values = new ValueEmitter(body, kernel, shapes, options.scratch);
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
      this.values.setScalar(local);
    }
    for (const { local, load } of kernel.preloads) {
      if (load.memory.kind !== 'binding' || load.index.kind !== 'constant') continue;
      body.get(this.values.addressOf(load.memory.slot));
      body.emit(`${wasmType(local.type)}.load`, load.index.value * 4);
      this.values.setScalar(local);
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
          body.set(this.values.local(local));
          continue;
        }
      }
      this.values.setScalar(local);
    }
    const { privateBytes } = this.options.scratch;
    if (privateBytes > 0) {
      if (this.values.privateAddress < 0) this.values.privateAddress = body.local('i32');
      body.get(SCRATCH);
      if (ownPrivate) {
        body.get(this.#gang);
        body.i32(privateBytes);
        body.emit('i32.mul');
        body.emit('i32.add');
      }
      body.set(this.values.privateAddress);
    }
  }

  /** Masks off the lanes past the end of the workgroup, in its last gang. */
  maskTail(): void {
    const total = this.kernel.workgroupSize.reduce((product, size) => product * size);
    const { body } = this;
    const mask = body.temporary('v128');
    this.#firstIndex();
    body.emit('i32x4.splat');
    body.emit('v128.const', 0, 1, 2, 3);
    body.emit('i32x4.add');
    body.emit('v128.const', total, total, total, total);
    body.emit('i32x4.lt_u');
    body.set(mask);
    this.values.mask = mask;
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
    this.body.mark(this.kernel.lines.get(stmt));
    switch (stmt.kind) {
      case 'set':
        this.set(stmt.local, stmt.value);
        return;
      case 'store':
        emitStore(this.values, stmt.memory, stmt.address!, stmt.value, this.#masks(stmt.memory));
        return;
      case 'clear':
        emitClear(this.values, stmt.memory, this.#masks(stmt.memory));
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
          this.values.scalar(first.condition);
          this.body.brIf(label);
        }
        const again = this.body.loop();
        this.#inside(stmt.frame, label, isTested ? stmt.body.slice(1) : stmt.body, mask);
        if (isTested) {
          this.values.scalar(first.condition);
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
        emitSubgroup(this.values, stmt);
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
    if (!this.shapes.masked(frame) || this.#guarded.has(frame)) return this.values.mask;
    const mask = this.body.temporary('v128');
    if (this.values.mask === undefined) this.body.emit('v128.const', -1, -1, -1, -1);
    else this.body.get(this.values.mask);
    this.body.set(mask);
    return mask;
  }

  #inside(frame: Frame, label: Label, body: readonly Stmt[], mask = this.#ownMask(frame)): void {
    const outer = this.values.mask;
    this.#opened.set(frame, { label, mask });
    this.values.mask = mask;
    this.#path.push(frame);
    this.#list(body);
    this.#path.pop();
    this.values.mask = outer;
  }

  /** After a frame that lanes left for the end of an outer one: branch there too if no lane is active. */
  #checkAfter(stmt: Stmt): void {
    if (this.values.mask === undefined) return;
    const inner = new Set<Frame>();
    if (stmt.kind === 'block' || stmt.kind === 'loop') inner.add(stmt.frame);
    for (const one of statementsIn([stmt])) if (one.kind === 'block' || one.kind === 'loop') inner.add(one.frame);
    const leaves = [...statementsIn([stmt])].some((one) => one.kind === 'leave' && !inner.has(one.frame));
    if (leaves) this.#leaveIfEmpty();
  }

  #leaveIfEmpty(): void {
    const target = this.#innermost();
    if (this.values.mask === undefined || target === undefined) return;
    this.body.get(this.values.mask);
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
      this.values.scalar(condition);
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
    const chosen = body.temporary('v128');
    this.values.vector(condition);
    body.set(chosen);
    const side = (frame: Frame, list: readonly Stmt[], instruction: 'v128.and' | 'v128.andnot') => {
      if (list.length === 0) return;
      const mask = body.temporary('v128');
      if (this.values.mask === undefined) {
        body.get(chosen);
        if (instruction === 'v128.andnot') body.emit('v128.not');
      } else {
        body.get(this.values.mask);
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
    const gone = body.temporary('v128');
    body.get(this.values.mask!);
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
    this.values.vector(condition);
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
    const gone = body.temporary('v128');
    this.values.vector(condition);
    if (this.values.mask !== undefined) {
      body.get(this.values.mask);
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

  // ---- values ----

  /** Must a store to this memory leave out the inactive lanes? */
  #masks(memory: Memory): boolean {
    if (this.values.mask === undefined) return false;
    return memory.kind !== 'private' || this.shapes.blendsMemory(memory, this.#path);
  }

  /** Set a local, under the mask where other lanes still need its old value. */
  set(local: Local, value: Expr): void {
    const { body } = this;
    if (this.values.isVectorOnly(local)) {
      this.values.vector(value);
      body.set(this.values.copyOf(local));
      return;
    }
    if (this.shapes.ofLocal(local) !== 'varying') {
      this.values.scalar(value);
      this.values.setScalar(local);
      return;
    }
    const index = this.values.local(local);
    this.values.vector(value);
    if (this.values.mask !== undefined && this.shapes.blends(local, this.#path)) {
      body.get(index);
      body.get(this.values.mask);
      body.emit('v128.bitselect');
    }
    body.set(index);
  }

  /** For control flow around regions: what the first lane of gang 0 says, which all others say too. */
  condition(expr: Expr): void {
    if (this.values.privateAddress >= 0) {
      this.body.get(SCRATCH);
      this.body.set(this.values.privateAddress);
    }
    if (this.shapes.of(expr) !== 'varying') {
      this.values.scalar(expr);
      return;
    }
    this.values.vector(expr);
    this.body.emit('i32x4.extract_lane', 0);
  }
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
