import { DeviceError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import { type AdapterProfile, type Dispatch, kernelText, readInterface } from './kernel.js';
import { planMemory } from './memory.js';
import { flopsOf, inputOf, outputOf } from './op.js';
import { compilePipeline } from './pipeline.js';
import type { CompileOptions } from './plan.js';
import type { PlanBuffers } from './planBuffers.js';
import type { Entry, Program } from './program.js';
import { shaderText } from './shaderSource.js';
import type { Storage, Tensor } from './tensor.js';

/** One prepared dispatch: everything that `replay` needs to encode it. */
export interface PreparedDispatch {
  readonly entry: Entry;
  readonly dispatch: Dispatch;
  /** the WGSL that runs, prelude included */
  readonly text: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
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
  const dispatches = entry.op.kernels({ adapter, inputs, outputs, attributes: entry.attributes });
  // An empty tensor needs no work; a dispatch of 0 workgroups is legal but useless.
  return dispatches.filter((dispatch) => dispatch.workgroups.every((count) => count > 0));
}

/** Compile the pipelines, in parallel, and bind every dispatch. */
export async function createPipelines(
  program: Program,
  device: Device,
  dispatches: ReadonlyMap<number, readonly Dispatch[]>,
  buffers: PlanBuffers,
): Promise<PreparedDispatch[]> {
  const flat = program.entries.flatMap((entry) =>
    (dispatches.get(entry.index) ?? []).map((dispatch) => ({ entry, dispatch })),
  );
  const compiling = Promise.all(
    flat.map(async ({ entry, dispatch }) => {
      const file = await shaderText(dispatch.shader);
      const text = kernelText(file, dispatch);
      const declared = readInterface(dispatch.shader, file);
      const pipeline = await compilePipeline(device, dispatch.shader, text, declared);
      return { entry, dispatch, text, declared, ...pipeline };
    }),
  );
  const kernels = await device.settle(compiling);
  buffers.writeParams(kernels);
  device.gpu.pushErrorScope('validation');
  const prepared = kernels.map(({ entry, dispatch, text, declared, pipeline, layout }, i) => ({
    entry,
    dispatch,
    text,
    pipeline,
    bindGroup: buffers.bindGroup(entry, dispatch, declared, layout, i),
  }));
  const invalid = await device.settle(device.gpu.popErrorScope());
  if (invalid !== null) throw new DeviceError(`a bind group was refused: ${invalid.message}`, 'invalid');
  return prepared;
}

/**
 * The maximum operations of one submit on a GPU: about 100 ms on an integrated one. A whole step of `lean` takes it
 * four seconds, and Windows resets a GPU whose submit runs for two.
 */
export const SUBMIT_FLOPS = 20e9;

/** Dispatches in pieces of at most `most` operations, each for a submit of its own; an entry stays whole. */
export function intoSubmits(prepared: readonly PreparedDispatch[], most: number): PreparedDispatch[][] {
  const pieces: PreparedDispatch[][] = [];
  let flops = 0; // of the last piece
  let last: Entry | undefined;
  for (const each of prepared) {
    if (each.entry !== last) {
      const more = flopsOf(each.entry);
      const isNew = last === undefined || flops + more > most;
      if (isNew) pieces.push([]);
      flops = isNew ? more : flops + more;
      last = each.entry;
    }
    pieces.at(-1)!.push(each);
  }
  return pieces;
}
