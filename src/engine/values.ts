import { stridedIndex } from '../common/shape.js';
import type { Value } from './op.js';
import type { Plan } from './plan.js';
import type { Storage, Tensor } from './tensor.js';

/** Tensors' numbers at this moment, row-major, views included. */
export async function valuesNow(plan: Plan, tensors: readonly Tensor[]): Promise<Map<Tensor, Value>> {
  const storages = [...new Set(tensors.map((tensor) => tensor.storage))];
  const numbers = await plan.readback(storages);
  const memory = new Map<Storage, Float64Array>(storages.map((storage, i) => [storage, new Float64Array(numbers[i]!)]));
  return new Map(tensors.map((tensor) => [tensor, viewOf(tensor, memory.get(tensor.storage)!)]));
}

/** The numbers of a tensor, row-major; `memory` itself if the tensor covers all of it in order. */
export function viewOf(tensor: Tensor, memory: Float64Array): Value {
  return { shape: tensor.shape, data: rowMajor(tensor, memory) };
}

/** As `viewOf`, of numbers of any type. */
export function rowMajor<T extends Float64Array | Float32Array | Uint32Array>(
  { shape, strides, size, isContiguous }: Tensor,
  memory: T,
): T {
  if (isContiguous) return memory;
  const numbers = new (memory.constructor as new (length: number) => T)(size);
  for (let i = 0; i < size; i++) numbers[i] = memory[stridedIndex(i, shape, strides)]!;
  return numbers;
}
