import type { AdapterProfile, Extension } from '../kernel.js';
export type MatmulForm = 'nn' | 'nt' | 'tn';
export interface MatmulChoice {
  shader: string;
  constants: Record<string, number>;
  features: Extension[];
  workgroups: [number, number, number];
}
export function chooseMatmul(
  _a: AdapterProfile,
  form: MatmulForm,
  M: number,
  N: number,
  _K: number,
  o: { add?: boolean; bias?: boolean } = {},
): MatmulChoice[] {
  return [
    {
      shader: 'matmul.1-naive',
      constants: {
        TRANSPOSE_A: Number(form === 'tn'),
        TRANSPOSE_B: Number(form === 'nt'),
        BIAS: Number(o.bias ?? false),
        ADD: Number(o.add ?? false),
      },
      features: [],
      workgroups: [Math.ceil((M * N) / 64), 1, 1],
    },
  ];
}
