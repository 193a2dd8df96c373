/** Instructions of WebAssembly for the operators of `ir.ts`. */

import type { Scalar } from './ir.js';

/** The number type of a scalar in WebAssembly. */
export const wasmType = (type: Scalar): 'i32' | 'f32' => (type === 'f32' ? 'f32' : 'i32');
/** A number as the word that a lane holds; true is all ones. */
export const bitsOf = (type: Scalar, value: number): number =>
  type === 'f32' ? new Int32Array(new Float32Array([value]).buffer)[0]! : type === 'bool' ? -value : value | 0;

/** Names of instructions on f32, i32 and u32, as scalars and as vectors, if they are one instruction. */
export const PLAIN: Readonly<Record<string, Partial<Record<Scalar, readonly [scalar: string, vector: string]>>>> = {
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
