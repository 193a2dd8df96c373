/** Ops that are other strides over the same numbers share a file. */
const VIEWS = ['reshape', 'permute', 'expand'];

/**
 * The file with an op's shape rule, float64 reference, dispatches and backward.
 *
 *     opFile('linear.backwardX') // 'src/engine/ops/linear.ts'
 */
export function opFile(op: string): string {
  const [stem] = op.split('.') as [string];
  return `src/engine/ops/${VIEWS.includes(stem) ? 'view' : stem}.ts`;
}
