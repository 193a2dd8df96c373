/**
 * Kernels with barriers and more than one gang: the code between two barriers runs for every gang before the code after
 * them.
 *
 * Loops and branches around barriers are the same for the whole workgroup, so they run once, and inside them each piece of code
 * between barriers, a region, runs over all gangs. A local that is used in more than one region is kept in memory, one
 * copy for each gang: loaded at the start of a region, stored at its end. pocl's work-item loops do the same for
 * OpenCL.
 */

import { forEachGang } from './compile.js';
import type { Emitter } from './emit.js';
import {
  bodiesOf,
  childrenOf,
  type Expr,
  expressionsOf,
  type Frame,
  type Kernel,
  type Local,
  type Stmt,
  statementsIn,
} from './ir.js';
import type { SyncPoints } from './syncPoints.js';
import type { Shapes } from './vectorise.js';
import type { FunctionBody, Label } from './wasm.js';
import { Wide } from './wide.js';

interface RegionOptions {
  /** wasm local that counts gangs */
  readonly gang: number;
  readonly gangs: number;
  /** invocations of a workgroup */
  readonly total: number;
  /** offset in scratch memory of the gangs' locals */
  readonly contextStart: number;
}

interface Region {
  readonly statements: Stmt[];
  readonly path: readonly Frame[];
}

/** Finds the regions of a kernel with barriers, and writes each as a loop over all gangs. */
export class Regions {
  /** locals that are set outside of regions */
  readonly #wide = new Set<Local>();
  readonly #slots = new Map<Local, number>();
  readonly #labels = new Map<Frame, Label>();
  readonly #regions = new Map<Stmt, Region>();
  readonly #context: number;

  constructor(
    private readonly kernel: Kernel,
    private readonly shapes: Shapes,
    private readonly syncPoints: SyncPoints,
    private readonly emitter: Emitter,
    private readonly body: FunctionBody,
    private readonly options: RegionOptions,
  ) {
    this.#context = body.local('i32');
    this.#findWideLocals();
    this.#findRegions(kernel.body, [kernel.root]);
    this.#findSlots();
  }

  /** Bytes of the locals kept between regions, for all gangs together. */
  get contextBytes(): number {
    return this.#gangBytes * this.options.gangs;
  }

  get #gangBytes(): number {
    return this.#slots.size * 16;
  }

  emit(): void {
    this.#emit(this.kernel.body);
  }

  // ---- code that runs once ----

  /** Is it a synchronisation point, or control flow that contains one? */
  #isWide(stmt: Stmt): boolean {
    return stmt.kind === 'set' ? this.#wide.has(stmt.local) : this.syncPoints.in([stmt]);
  }

  /** Locals that control control flow around barriers, and uniform ones moved in front of such a loop. */
  #findWideLocals(): void {
    const everywhere = new Wide(this.kernel, this.shapes);
    const setsWide = new Map<Local, Expr[]>();
    const setElsewhere = new Set<Local>();
    const needed: Local[] = [];
    const need = (expr: Expr): void => {
      if (expr.kind === 'read') needed.push(expr.local);
      for (const child of childrenOf(expr)) need(child);
    };
    const visit = (list: readonly Stmt[]): void => {
      for (const stmt of list) {
        if (stmt.kind === 'set') {
          setsWide.set(stmt.local, [...(setsWide.get(stmt.local) ?? []), stmt.value]);
          if (stmt.local.name === 'fixed' || stmt.local.workgroupUniform) needed.push(stmt.local);
        } else if (this.#isWide(stmt)) {
          if (stmt.kind === 'if') need(stmt.condition);
          for (const body of bodiesOf(stmt)) visit(body);
        } else {
          for (const one of statementsIn([stmt])) {
            if (one.kind === 'set' || one.kind === 'subgroup') setElsewhere.add(one.local);
          }
        }
      }
    };
    visit(this.kernel.body);
    for (let local = needed.pop(); local !== undefined; local = needed.pop()) {
      const values = setsWide.get(local);
      if (this.#wide.has(local) || values === undefined || setElsewhere.has(local)) continue;
      if (!local.workgroupUniform && !values.every((value) => everywhere.same(value))) continue;
      this.#wide.add(local);
      values.forEach(need);
    }
  }

  // ---- regions, and locals kept between them ----

  #findRegions(list: readonly Stmt[], path: readonly Frame[]): void {
    let region: Region | undefined;
    for (const stmt of list) {
      if (!this.#isWide(stmt)) {
        if (region === undefined) {
          region = { statements: [], path };
          this.#regions.set(stmt, region);
        }
        region.statements.push(stmt);
        continue;
      }
      region = undefined;
      if (stmt.kind === 'if') {
        this.#findRegions(stmt.yes, [...path, stmt.yesFrame]);
        this.#findRegions(stmt.no, [...path, stmt.noFrame]);
      } else if (stmt.kind === 'block' || stmt.kind === 'loop') this.#findRegions(stmt.body, [...path, stmt.frame]);
    }
  }

  /** Memory for every local of more than one region, or of a region and the surrounding control flow. */
  #findSlots(): void {
    const usedBy = new Map<Local, Set<unknown>>();
    const note = (local: Local, by: unknown) => {
      if (local.builtin !== undefined || this.#wide.has(local)) return;
      if (this.kernel.preloads.some((preload) => preload.local === local)) return;
      const users = usedBy.get(local) ?? new Set();
      usedBy.set(local, users.add(by));
    };
    for (const region of this.#regions.values()) {
      const { reads, sets } = localsOf(region.statements);
      for (const local of [...reads, ...sets]) note(local, region);
    }
    const wide = (list: readonly Stmt[]): void => {
      for (const stmt of list) {
        if (!this.#isWide(stmt)) continue;
        const reads = new Set<Local>();
        for (const expr of expressionsOf(stmt)) readsOf(expr, reads);
        for (const local of reads) note(local, 'around');
        for (const body of bodiesOf(stmt)) wide(body);
      }
    };
    wide(this.kernel.body);
    for (const [local, users] of usedBy) if (users.size > 1) this.#slots.set(local, this.#slots.size * 16);
  }

  // ---- emission ----

  #emit(list: readonly Stmt[]): void {
    const { body } = this;
    for (const stmt of list) {
      const region = this.#regions.get(stmt);
      if (region !== undefined) this.#emitRegion(region);
      if (!this.#isWide(stmt)) continue;
      body.mark(this.kernel.lines.get(stmt));
      switch (stmt.kind) {
        case 'set':
          this.#fetch(stmt.value);
          this.emitter.set(stmt.local, stmt.value);
          break;
        case 'if':
          this.#fetch(stmt.condition);
          this.emitter.condition(stmt.condition);
          body.if();
          this.#emit(stmt.yes);
          if (stmt.no.length > 0) {
            body.else();
            this.#emit(stmt.no);
          }
          body.end();
          break;
        case 'block':
          this.#labels.set(stmt.frame, body.block());
          this.#emit(stmt.body);
          body.end();
          break;
        case 'loop': {
          this.#labels.set(stmt.frame, body.block());
          const again = body.loop();
          this.#emit(stmt.body);
          body.br(again);
          body.end();
          body.end();
          break;
        }
        case 'leave':
          body.br(this.#labels.get(stmt.frame)!);
          return;
        default:
      }
    }
  }

  /** For a value outside regions: a local kept by gangs is the same in all of them, so gang 0's is used. */
  #fetch(expr: Expr): void {
    const reads = readsOf(expr, new Set());
    for (const local of reads) {
      const slot = this.#slots.get(local);
      if (slot !== undefined) this.emitter.values.exchange(local, SCRATCH, this.options.contextStart + slot, 'load');
    }
  }

  #emitRegion({ statements, path }: Region): void {
    const { body, emitter, options } = this;
    const { reads, sets } = localsOf(statements);
    forEachGang(body, options.gang, options.gangs, () => {
      body.get(SCRATCH);
      body.get(options.gang);
      body.i32(this.#gangBytes);
      body.emit('i32.mul');
      body.emit('i32.add');
      body.set(this.#context);
      emitter.startGang(true);
      if (options.total % 4 !== 0) emitter.maskTail();
      for (const local of new Set([...reads, ...sets])) {
        const slot = this.#slots.get(local);
        if (slot !== undefined) emitter.values.exchange(local, this.#context, options.contextStart + slot, 'load');
      }
      emitter.statements(statements, path);
      for (const local of sets) {
        const slot = this.#slots.get(local);
        if (slot !== undefined) emitter.values.exchange(local, this.#context, options.contextStart + slot, 'store');
      }
    });
  }
}

/** The parameter that holds the address of scratch memory. */
const SCRATCH = 1;

function readsOf(expr: Expr, into: Set<Local>): Set<Local> {
  if (expr.kind === 'read') into.add(expr.local);
  for (const child of childrenOf(expr)) readsOf(child, into);
  return into;
}

function localsOf(statements: readonly Stmt[]): { reads: Set<Local>; sets: Set<Local> } {
  const reads = new Set<Local>();
  const sets = new Set<Local>();
  for (const stmt of statementsIn(statements)) {
    for (const expr of expressionsOf(stmt)) readsOf(expr, reads);
    if (stmt.kind === 'set' || stmt.kind === 'subgroup') sets.add(stmt.local);
  }
  return { reads, sets };
}
