import { DeviceError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import type { AdapterProfile, Dispatch } from './kernel.js';
import { planMemory } from './memory.js';
import { flopsOf, inputOf, outputOf } from './op.js';
import { type CompiledKernel, compileKernel } from './pipeline.js';
import type { CompileOptions } from './plan.js';
import type { PlanBuffers } from './planBuffers.js';
import type { Entry, Program } from './program.js';
import type { Storage, Tensor } from './tensor.js';

/** One dispatch ready to run: everything that `replay` needs to encode it. */
export interface PreparedDispatch extends CompiledKernel {
  readonly entry: Entry;
  readonly dispatch: Dispatch;
  readonly bindGroup: GPUBindGroup;
  /** its part of the entry's arithmetic operations */
  readonly flops: number;
}

/** Choose kernels and share memory: the part of a plan that needs no memory of the device. */
export function selectKernels(
  program: Program,
  device: Device,
  { keep = [], profile = device }: Pick<CompileOptions, 'keep' | 'profile'>,
) {
  const keptIds = keep === 'all' ? undefined : new Set(keep.map((tensor) => tensor.storage.id));
  const kept = (storage: Storage) => keptIds === undefined || keptIds.has(storage.id);
  const dispatches = new Map(program.entries.map((entry) => [entry.index, dispatchesOf(entry, profile)]));
  return { dispatches, memory: planMemory(program, dispatches, kept), kept };
}

function dispatchesOf(entry: Entry, adapter: AdapterProfile): Dispatch[] {
  const inputs: Record<string, Tensor> = {};
  entry.inputs.forEach((tensor, i) => {
    inputs[inputOf(entry.op.inputs[i]!)[0]] = tensor;
  });
  const outputs: Record<string, Tensor> = {};
  entry.outputs.forEach((tensor, i) => {
    outputs[outputOf(entry.op.outputs[i]!)[0]] = tensor;
  });
  const dispatches = entry.op.dispatches({ adapter, inputs, outputs, attributes: entry.attributes });
  // An empty tensor needs no work; a dispatch of 0 workgroups is legal but useless.
  return dispatches.filter((dispatch) => dispatch.workgroups.every((count) => count > 0));
}

/** Compile the kernels, in parallel, and bind every dispatch. */
export async function prepareDispatches(
  program: Program,
  device: Device,
  dispatches: ReadonlyMap<number, readonly Dispatch[]>,
  buffers: PlanBuffers,
): Promise<PreparedDispatch[]> {
  const compiling = program.entries.flatMap((entry) =>
    (dispatches.get(entry.index) ?? []).map(async (dispatch, _, { length }) => {
      return { entry, dispatch, flops: flopsOf(entry) / length, ...(await compileKernel(device, dispatch)) };
    }),
  );
  const kernels = await device.settle(Promise.all(compiling));
  device.gpu.pushErrorScope('validation');
  const prepared = kernels.map((kernel) => ({ ...kernel, bindGroup: buffers.bindGroup(kernel) }));
  const invalid = await device.settle(device.gpu.popErrorScope());
  if (invalid !== null) throw new DeviceError(`a bind group was refused: ${invalid.message}`, 'invalid');
  return prepared;
}
