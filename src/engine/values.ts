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
export function viewOf({ shape, strides, size, isContiguous }: Tensor, memory: Float64Array): Value {
  if (isContiguous) return { shape, data: memory };
  return { shape, data: Float64Array.from({ length: size }, (_, i) => memory[stridedIndex(i, shape, strides)]!) };
}
