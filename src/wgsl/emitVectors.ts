/** Operations on four lanes. */

import type { ValueEmitter } from './emitValues.js';
import { PLAIN, wasmType } from './instructions.js';
import type { Expr, Operation, Scalar } from './ir.js';

/** Leaves a v128 with the result of each lane on the stack. */
export function vectorOperation(values: ValueEmitter, expr: Operation): void {
  const { body } = values;
  const { operator, operands, type } = expr;
  const [a, b, c] = operands as [Expr, Expr, Expr];
  const from = a.type;
  const plain = PLAIN[operator]?.[from];
  if (plain !== undefined) {
    values.vector(a);
    if (operands.length > 1) values.vector(b);
    body.emit(plain[1]);
    return;
  }
  switch (operator) {
    case 'neg':
    case 'abs':
      values.vector(a);
      body.emit(`${wasmType(type)}x4.${operator}`);
      return;
    case 'min':
    case 'max':
      values.vector(a);
      values.vector(b);
      if (type === 'f32') body.emit(operator === 'min' ? 'f32x4.pmin' : 'f32x4.pmax');
      else body.emit(`i32x4.${operator}_${type === 'i32' ? 's' : 'u'}`);
      return;
    case 'not':
      values.vector(a);
      body.emit('v128.not');
      return;
    case 'shl':
    case 'shr': {
      const instruction = operator === 'shl' ? 'shl' : type === 'i32' ? 'shr_s' : 'shr_u';
      if (values.shapes.of(b) === 0) {
        values.vector(a);
        values.scalar(b);
        body.emit(`i32x4.${instruction}`);
      } else eachLane(values, [a, b], `i32.${instruction}`);
      return;
    }
    case 'clz':
    case 'ctz':
    case 'popcnt':
      eachLane(values, [a], `i32.${operator}`);
      return;
    case 'div':
    case 'rem':
      vectorDivision(values, operator, a, b, type);
      return;
    case 'select':
      if (values.shapes.of(a) === 0) {
        values.vector(b);
        values.vector(c);
        values.scalar(a);
        body.emit('select');
      } else {
        values.vector(b);
        values.vector(c);
        values.vector(a);
        body.emit('v128.bitselect');
      }
      return;
    case 'convert':
      values.vector(a);
      if (type === 'f32') body.emit(`f32x4.convert_i32x4_${from === 'i32' ? 's' : 'u'}`);
      else body.emit(`i32x4.trunc_sat_f32x4_${type === 'i32' ? 's' : 'u'}`);
      return;
    case 'bits':
      values.vector(a);
      return;
    default:
      throw new Error(`no vector ${operator} of ${from}`);
  }
}

/** One lane after another, for operations without a SIMD instruction. */
function eachLane(values: ValueEmitter, operands: readonly Expr[], instruction: string): void {
  const { body } = values;
  const vectors = operands.map((operand) => {
    const local = body.temporary('v128');
    values.vector(operand);
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
function vectorDivision(values: ValueEmitter, operator: 'div' | 'rem', a: Expr, b: Expr, type: Scalar): void {
  const { body } = values;
  const sign = type === 'i32' ? 's' : 'u';
  const [x, y, q] = [body.temporary('v128'), body.temporary('v128'), body.temporary('v128')];
  values.vector(a);
  body.set(x);
  if (b.kind === 'constant' && b.value !== 0 && b.value !== -1) values.vector(b);
  else {
    const divisor = body.temporary('v128');
    body.emit('v128.const', 1, 1, 1, 1);
    values.vector(b);
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
