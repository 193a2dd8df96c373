/** Values of a kernel as code: locals, and expressions for one number or for four lanes. */

import type { ScratchLayout } from './address.js';
import { type Copies, findCopies } from './copies.js';
import { scalarOperation } from './emitScalars.js';
import { vectorOperation } from './emitVectors.js';
import { bitsOf, wasmType } from './instructions.js';
import type { AddressedLoad, Expr, Kernel, Local, Scalar } from './ir.js';
import { ARGS, GRID_BYTES } from './parameters.js';
import type { Shapes } from './vectorise.js';
import type { FunctionBody, ValType } from './wasm.js';

/** Writes the values of one function of a kernel. */
export class ValueEmitter {
  readonly #locals = new Map<Local, number>();
  readonly #copies = new Map<Local, number>();
  readonly #copied: Copies;
  readonly #addresses = new Map<number, number>();
  /** local with the mask of active lanes; undefined: all */
  mask: number | undefined;
  /** local with the address of the gang's private arrays, or -1 */
  privateAddress = -1;

  constructor(
    readonly body: FunctionBody,
    kernel: Kernel,
    readonly shapes: Shapes,
    readonly scratch: ScratchLayout,
  ) {
    this.#copied = findCopies(kernel.body, shapes);
  }

  /** Is a local kept only as a vector? */
  isVectorOnly(local: Local): boolean {
    return this.#copied.vectorsOnly.has(local);
  }

  addressOf(slot: number): number {
    return this.#localOf(this.#addresses, slot, 'i32');
  }

  /** Loads the addresses of all bindings, at the start of a function. */
  loadAddresses(slots: number): void {
    for (let slot = 0; slot < slots; slot++) {
      this.body.get(ARGS);
      this.body.emit('i32.load', GRID_BYTES + 8 * slot);
      this.body.set(this.addressOf(slot));
    }
  }

  setScalar(local: Local): void {
    const { body } = this;
    const index = this.local(local);
    if (!this.#copied.copied.has(local)) {
      body.set(index);
      return;
    }
    body.tee(index);
    this.spread(local.type, this.shapes.ofLocal(local));
    body.set(this.copyOf(local));
  }

  copyOf(local: Local): number {
    return this.#localOf(this.#copies, local, 'v128');
  }

  local(local: Local): number {
    return this.#localOf(this.#locals, local, this.shapes.ofLocal(local) === 'varying' ? 'v128' : wasmType(local.type));
  }

  /** The local that a map has for a key; made when it is first asked for. */
  #localOf<Key>(locals: Map<Key, number>, key: Key, type: ValType): number {
    const local = locals.get(key) ?? this.body.local(type);
    locals.set(key, local);
    return local;
  }

  /** For regions: a local's number from, or to, the memory of its gang. */
  exchange(local: Local, base: number, offset: number, direction: 'load' | 'store'): void {
    const { body } = this;
    const isVector = this.shapes.ofLocal(local) === 'varying' || this.isVectorOnly(local);
    const index = this.isVectorOnly(local) ? this.copyOf(local) : this.local(local);
    const type = isVector ? 'v128' : wasmType(local.type);
    body.get(base);
    if (direction === 'load') {
      body.emit(`${type}.load`, offset);
      if (isVector) body.set(index);
      else this.setScalar(local);
      return;
    }
    body.get(index);
    body.emit(`${type}.store`, offset);
  }

  /** Leaves the number of every lane on the stack; for a linear value, lane 0's. */
  scalar(expr: Expr): void {
    const { body } = this;
    switch (expr.kind) {
      case 'constant':
        if (expr.type === 'f32') body.f32(expr.value);
        else body.i32(expr.value);
        return;
      case 'read':
        body.get(this.local(expr.local));
        return;
      case 'addressed':
        this.scalar(expr.addresses[0]!);
        body.emit(`${wasmType(expr.type)}.load`, expr.offset);
        return;
      case 'load':
        throw new Error('a load without an address');
      case 'operation':
        scalarOperation(this, expr);
    }
  }

  /** Copy the scalar on the stack to every lane; a linear value adds its stride. */
  spread(type: Scalar, shape: number | 'varying'): void {
    const { body } = this;
    if (type === 'f32') {
      body.emit('f32x4.splat');
      return;
    }
    if (type === 'bool') {
      // 1 to all ones
      const flag = body.temporary('i32');
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
  vector(expr: Expr): void {
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
      body.get(this.local(expr.local));
      if (shape !== 'varying') this.spread(expr.type, shape);
      return;
    }
    if (expr.kind === 'addressed') {
      this.#vectorLoad(expr);
      return;
    }
    if (shape !== 'varying') {
      this.scalar(expr);
      this.spread(expr.type, shape);
      return;
    }
    if (expr.kind === 'operation') vectorOperation(this, expr);
  }

  #vectorLoad({ mode, addresses, offset }: AddressedLoad): void {
    const { body } = this;
    if (mode !== 'lanes') {
      this.scalar(addresses[0]!);
      body.emit(mode === 'splat' ? 'v128.load32_splat' : 'v128.load', offset);
      return;
    }
    addresses.forEach((address, lane) => {
      this.scalar(address);
      if (this.mask !== undefined) {
        // The address of an inactive lane is arbitrary, so it reads at 0.
        body.get(this.mask);
        body.emit('i32x4.extract_lane', lane);
        body.emit('i32.and');
      }
      if (lane === 0) {
        body.emit('v128.load32_zero', offset);
        return;
      }
      const [at, before] = [body.temporary('i32'), body.temporary('v128')];
      body.set(at);
      body.set(before);
      body.get(at);
      body.get(before);
      body.emit('v128.load32_lane', offset, lane);
      body.release('i32', at);
      body.release('v128', before);
    });
  }
}
