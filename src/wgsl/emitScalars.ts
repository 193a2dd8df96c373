/** Operations on one number, which is the same in all lanes or that of lane 0. */

import { PRIVATE, SCRATCH as SCRATCH_PLACE } from './address.js';
import type { ValueEmitter } from './emitValues.js';
import { PLAIN, wasmType } from './instructions.js';
import type { Expr, Operation, Scalar } from './ir.js';
import { ARGS, GRID_BYTES, SCRATCH } from './parameters.js';

/** Leaves the result on the stack. */
export function scalarOperation(values: ValueEmitter, expr: Operation): void {
  const { body } = values;
  const { operator, operands, type } = expr;
  const [a, b, c] = operands as [Expr, Expr, Expr];
  const from = a.type;
  const plain = PLAIN[operator]?.[from];
  if (plain !== undefined) {
    values.scalar(a);
    if (operands.length > 1) values.scalar(b);
    body.emit(plain[0]);
    return;
  }
  switch (operator) {
    case 'address': {
      const slot = (a as { value: number }).value;
      body.get(slot === SCRATCH_PLACE ? SCRATCH : slot === PRIVATE ? values.privateAddress : values.addressOf(slot));
      return;
    }
    case 'byteLength':
      body.get(ARGS);
      body.emit('i32.load', GRID_BYTES + 8 * (a as { value: number }).value + 4);
      return;
    case 'extract': {
      const lane = (b as { value: number }).value;
      const shape = values.shapes.of(a);
      if (shape !== 'varying') {
        values.scalar(a);
        if (shape !== 0) {
          body.i32(shape * lane);
          body.emit('i32.add');
        }
        return;
      }
      values.vector(a);
      body.emit(`${wasmType(type)}x4.extract_lane`, lane);
      return;
    }
    case 'neg':
      if (type !== 'f32') body.i32(0);
      values.scalar(a);
      body.emit(type === 'f32' ? 'f32.neg' : 'i32.sub');
      return;
    case 'abs':
      values.scalar(a);
      if (type === 'f32') body.emit('f32.abs');
      else {
        // (x ^ sign) - sign
        const [value, sign] = [body.temporary('i32'), body.temporary('i32')];
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
    case 'max':
      values.scalar(a);
      values.scalar(b);
      combineTwo(values, operator, type);
      return;
    case 'not':
      values.scalar(a);
      if (type === 'bool') body.emit('i32.eqz');
      else {
        body.i32(-1);
        body.emit('i32.xor');
      }
      return;
    case 'shl':
    case 'shr':
      values.scalar(a);
      values.scalar(b);
      body.emit(operator === 'shl' ? 'i32.shl' : type === 'i32' ? 'i32.shr_s' : 'i32.shr_u');
      return;
    case 'clz':
    case 'ctz':
    case 'popcnt':
      values.scalar(a);
      body.emit(`i32.${operator}`);
      return;
    case 'div':
    case 'rem': {
      values.scalar(a);
      const x = body.temporary('i32');
      body.tee(x);
      values.scalar(b);
      safeDivisor(values, b, type, x);
      body.emit(`i32.${operator}_${type === 'i32' ? 's' : 'u'}`);
      body.release('i32', x);
      return;
    }
    case 'select':
      values.scalar(b);
      values.scalar(c);
      values.scalar(a);
      body.emit('select');
      return;
    case 'convert':
      values.scalar(a);
      if (type === 'f32') body.emit(from === 'i32' ? 'f32.convert_i32_s' : 'f32.convert_i32_u');
      else body.emit(type === 'i32' ? 'i32.trunc_sat_f32_s' : 'i32.trunc_sat_f32_u');
      return;
    case 'bits':
      values.scalar(a);
      if (type === 'f32' && from !== 'f32') body.emit('f32.reinterpret_i32');
      else if (type !== 'f32' && from === 'f32') body.emit('i32.reinterpret_f32');
      return;
    default:
      throw new Error(`no scalar ${operator} of ${from}`);
  }
}

/** Replace b on the stack by 1 if x / b has no quotient: x / 0 is x, the smallest i32 over -1 is itself. */
function safeDivisor(values: ValueEmitter, b: Expr, type: Scalar, x: number): void {
  if (b.kind === 'constant' && b.value !== 0 && b.value !== -1) return;
  const { body } = values;
  const y = body.temporary('i32');
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

/** Combine the two scalars on the stack, x below y. min is y < x ? y : x, max is x < y ? y : x. */
export function combineTwo(values: ValueEmitter, by: string, type: Scalar): void {
  const { body } = values;
  const plain = PLAIN[by]?.[type];
  if (plain !== undefined) {
    body.emit(plain[0]);
    return;
  }
  const kind = wasmType(type);
  const [x, y] = [body.temporary(kind), body.temporary(kind)];
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
