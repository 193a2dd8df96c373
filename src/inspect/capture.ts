import { InputError } from '../common/errors.js';
import type { Shape } from '../common/shape.js';
import { type Dispatch, readInterface } from '../engine/kernel.js';
import type { Plan } from '../engine/plan.js';
import { shaderText } from '../engine/shaderSource.js';
import { Tensor } from '../engine/tensor.js';
import { type CheckedBinding, type Module, parseModule, run, type SubgroupSize } from '../wgsl/index.js';
import { HostMemory } from './hostMemory.js';

/** One binding of a captured dispatch. */
export interface CapturedBinding extends CheckedBinding {
  /** name in the kernel */
  readonly name: string;
  /** label of the bound tensor; undefined for parameters, ranges and scratch memory */
  readonly shape: Shape | undefined;
}

/** One dispatch with a copy of the memory that it read, ready for the interpreter. */
export interface CapturedDispatch {
  /** file name in shaders/ without `.wgsl` */
  readonly shader: string;
  readonly module: Module;
  readonly entryPoint: string;
  readonly workgroups: readonly [number, number, number];
  readonly bindings: readonly CapturedBinding[];
  /** content of each binding on the device after the entry, by name; without parameters and scratch memory */
  readonly after: ReadonlyMap<string, Float32Array | Uint32Array>;
}

/**
 * The dispatches of one entry, each with the memory that it read on the device. If an entry has several, the
 * interpreter runs the earlier ones to fill scratch memory.
 *
 * @param plan compiled with `keep: 'all'`, its inputs written   @param subgroupSize of those runs
 * @throws InputError when the entry runs nothing
 */
export async function captureEntry(plan: Plan, index: number, subgroupSize: SubgroupSize): Promise<CapturedDispatch[]> {
  const { entries, flatLength } = plan.program;
  const prepared = plan.dispatches.filter(({ entry }) => entry.index === index);
  if (prepared.length === 0) throw new InputError(`capture: entry ${index} runs no kernel`);
  const bound = prepared.flatMap(({ dispatch }) => Object.values(dispatch.bind));
  const storages = [...new Set(bound.flatMap(({ storage }) => ('role' in storage ? [storage] : [])))];
  await plan.replay({ only: new Set(entries.slice(0, index)) });
  const before = await plan.readback(storages);
  await plan.replay({ only: new Set(entries.slice(0, index + 1)) });
  const after = await plan.readback(storages);
  const memory = new HostMemory(flatLength);
  for (const [i, storage] of storages.entries()) memory.write(storage, before[i]!);

  const captured: CapturedDispatch[] = [];
  for (const { dispatch, text } of prepared) {
    const file = await shaderText(dispatch.shader);
    const module = parseModule(text);
    const entryPoint = module.entryPoints[0]!.function.name;
    const bindings = memory.bindings(dispatch, file);
    captured.push({
      shader: dispatch.shader,
      module,
      entryPoint,
      workgroups: dispatch.workgroups,
      bindings: named(dispatch, file, bindings),
      after: new Map(
        Object.entries(dispatch.bind).flatMap(([name, { storage, offset = 0, length = storage.length }]) => {
          if (!('role' in storage)) return [];
          return [[name, after[storages.indexOf(storage)]!.subarray(offset, offset + length)] as const];
        }),
      ),
    });
    if (captured.length < prepared.length) {
      run(module, entryPoint, { bindings, workgroups: dispatch.workgroups, subgroupSize });
    }
  }
  return captured;
}

/** Copies of bindings, under their names. */
function named(dispatch: Dispatch, file: string, bindings: readonly CheckedBinding[]): CapturedBinding[] {
  return readInterface(dispatch.shader, file).bindings.map(({ binding, name }) => {
    const { bytes, written, ...place } = bindings.find((one) => one.binding === binding)!;
    const bound = dispatch.bind[name];
    return {
      ...place,
      name,
      shape: bound instanceof Tensor ? bound.shape : undefined,
      bytes: bytes.slice(),
      ...(written && { written: written.slice() }),
    };
  });
}
