/** Subgroup operations: a subgroup is the four lanes of a gang. */

import { combineTwo } from './emitScalars.js';
import type { ValueEmitter } from './emitValues.js';
import { bitsOf, wasmType } from './instructions.js';
import type { Scalar, Stmt } from './ir.js';

/** Sets the local of a subgroup operation from the values of the active lanes. */
export function emitSubgroup(
  values: ValueEmitter,
  { operator, local, value, index }: Extract<Stmt, { kind: 'subgroup' }>,
): void {
  const { body } = values;
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
    if (values.shapes.ofLocal(local) !== 'varying') values.setScalar(local);
    else body.set(values.local(local));
  };
  /** value of the lowest active lane */
  const first = () => {
    if (values.mask === undefined) {
      extract(vector, 0);
      return;
    }
    extract(vector, 3);
    for (let lane = 2; lane >= 0; lane--) {
      const other = body.temporary(scalar);
      body.set(other);
      extract(vector, lane);
      body.get(other);
      body.get(values.mask);
      body.emit('i32x4.extract_lane', lane);
      body.emit('select');
      body.release(scalar, other);
    }
  };
  const zeroInactive = () => {
    if (values.mask === undefined) return;
    body.get(values.mask);
    body.emit('v128.and');
  };
  const vector = body.temporary('v128');
  values.vector(value);
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
      const bits = body.temporary('i32');
      if (values.mask === undefined) body.i32(1);
      else {
        body.get(values.mask);
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
      const lanes = body.temporary('v128');
      values.vector(index);
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
      if (values.mask !== undefined) {
        if (by === 'min' || by === 'max') {
          // A value of an active lane changes neither result; an infinity would if a lane has NaN.
          body.tee(vector);
          first();
          body.emit(`${scalar}x4.splat`);
        } else {
          const neutral = neutralOf(by, type);
          body.emit('v128.const', neutral, neutral, neutral, neutral);
        }
        body.get(values.mask);
        body.emit('v128.bitselect');
      }
      body.set(vector);
      const combine = () => combineTwo(values, by, type);
      if (kind === 'reduce') {
        extract(vector, 0);
        for (let lane = 1; lane < 4; lane++) {
          extract(vector, lane);
          combine();
        }
        set();
        break;
      }
      const sum = body.temporary(scalar);
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

/** The neutral element of a reduction, exact in bits: -0 for a sum of floats. */
function neutralOf(by: string, type: Scalar): number {
  if (by === 'add') return type === 'f32' ? 0x80000000 | 0 : 0;
  if (by === 'mul') return type === 'f32' ? bitsOf('f32', 1) : 1;
  return by === 'and' ? -1 : 0;
}
