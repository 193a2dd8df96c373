import type { AdapterProfile, Dispatch } from './kernel.js';
import { nameOf } from './op.js';
import type { CompiledKernel } from './pipeline.js';
import type { Entry, Program } from './program.js';

/** One dispatch ready to run: everything that `replay` needs to encode it. */
export interface PreparedDispatch extends CompiledKernel {
  readonly entry: Entry;
  readonly dispatch: Dispatch;
  readonly bindGroup: GPUBindGroup;
  /** its part of the entry's arithmetic operations */
  readonly flops: number;
}

/** Choose the kernels of every entry for an adapter. */
export function selectKernels({ entries }: Program, adapter: AdapterProfile): Map<Entry, Dispatch[]> {
  const dispatchesOf = ({ op, inputs, outputs, attributes }: Entry) => {
    const names = [...op.inputs.map(nameOf), ...op.outputs];
    const tensors = Object.fromEntries([...inputs, ...outputs].map((tensor, i) => [names[i]!, tensor]));
    // An empty tensor needs no work; a dispatch of 0 workgroups is legal but useless.
    return op.dispatches({ adapter, tensors, attributes }).filter(({ workgroups }) => !workgroups.includes(0));
  };
  return new Map(entries.map((entry) => [entry, dispatchesOf(entry)]));
}
