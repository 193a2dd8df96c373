/** Stores of four lanes, to side by side words, to one word, or to a word for each lane. */

import type { ValueEmitter } from './emitValues.js';
import { wasmType } from './instructions.js';
import type { Address, Expr, Memory } from './ir.js';

/** Store a value in memory. `isMasked`: only in the lanes of the mask */
export function emitStore(
  values: ValueEmitter,
  memory: Memory,
  address: Address,
  value: Expr,
  isMasked: boolean,
): void {
  const { body } = values;
  const { mode, addresses, offset } = address;
  if (mode === 'splat' && values.shapes.of(value) === 0) {
    values.scalar(addresses[0]!);
    values.scalar(value);
    body.emit(`${wasmType(value.type)}.store`, offset);
    return;
  }
  if (mode === 'side by side' && !isMasked) {
    values.scalar(addresses[0]!);
    values.vector(value);
    body.emit('v128.store', offset);
    return;
  }
  const numbers = body.temporary('v128');
  values.vector(value);
  body.set(numbers);
  if (mode === 'side by side' && memory.kind === 'private') {
    values.scalar(addresses[0]!);
    body.get(numbers);
    values.scalar(addresses[0]!);
    body.emit('v128.load', offset);
    body.get(values.mask!);
    body.emit('v128.bitselect');
    body.emit('v128.store', offset);
    body.release('v128', numbers);
    return;
  }
  const each = () => {
    const active = isMasked ? body.temporary('i32') : undefined;
    if (active !== undefined) {
      body.get(values.mask!);
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
      values.scalar(addresses[mode === 'lanes' ? lane : 0]!);
      body.get(numbers);
      body.emit('v128.store32_lane', offset + (mode === 'side by side' ? 4 * lane : 0), lane);
      if (active !== undefined) body.end();
    }
    if (active !== undefined) body.release('i32', active);
  };
  if (mode === 'side by side') {
    body.get(values.mask!);
    body.emit('i32x4.all_true');
    body.if();
    values.scalar(addresses[0]!);
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

/** Zero a private array. `isMasked`: only in the lanes of the mask */
export function emitClear(values: ValueEmitter, memory: Memory, isMasked: boolean): void {
  if (memory.kind !== 'private') return;
  const { body } = values;
  const start = values.scratch.privateOf(memory);
  if (!isMasked) {
    body.get(values.privateAddress);
    body.i32(start);
    body.emit('i32.add');
    body.i32(0);
    body.i32(memory.words * 16);
    body.emit('memory.fill');
    return;
  }
  const at = body.temporary('i32');
  body.i32(0);
  body.set(at);
  const again = body.loop();
  const here = () => {
    body.get(values.privateAddress);
    body.get(at);
    body.emit('i32.add');
  };
  here();
  here();
  body.emit('v128.load', start);
  body.get(values.mask!);
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
