import { shortNumber } from '../../src/cli/inspect/signs.js';
import { type AdapterProfile, type Dispatch, kernelText, readInterface } from '../../src/engine/kernel.js';
import { selectKernels } from '../../src/engine/prepare.js';
import { Program } from '../../src/engine/program.js';
import { ReferenceRun } from '../../src/engine/reference.js';
import { shaderText } from '../../src/engine/shaderSource.js';
import type { CapturedDispatch } from '../../src/inspect/capture.js';
import { HostMemory } from '../../src/inspect/hostMemory.js';
import {
  type Access,
  type CheckedBinding,
  check,
  type Finding,
  findingText,
  type Invocation,
  type Module,
  parseModule,
  type Stepper,
  type SubgroupSize,
  type Three,
  WgslError,
} from '../../src/wgsl/index.js';
import type { Feeds, Puzzle } from './puzzles.js';

/** The result of an attempt: passed, or the reason of the failure and its place. */
export type Verdict =
  | { readonly passed: true; readonly said: string }
  | {
      readonly passed: false;
      readonly said: string;
      /** the dispatch that failed, to step through */
      readonly dispatch?: CapturedDispatch;
      readonly finding?: Finding;
    };

const SUBGROUP: SubgroupSize = 32;

/**
 * Run a reader's kernel in the interpreter and the checker, at every size of a puzzle, and compare it with float64
 * loops.
 */
export async function checkPuzzle(puzzle: Puzzle, text: string): Promise<Verdict> {
  const adapter: AdapterProfile = {
    kind: 'gpu',
    driver: 'interpreter',
    subgroupSize: SUBGROUP,
    limits: { maxStorageBufferBindingSize: 2 ** 27 },
    kernels: puzzle.kernels,
  };
  let invocations = 0;
  for (const n of puzzle.sizes) {
    const program = new Program();
    const feeds: Feeds = new Map();
    puzzle.record(program, n, feeds);
    const dispatches = selectKernels(program, adapter);
    const reference = new ReferenceRun(program, feeds);
    const memory = new HostMemory(program.flatLength);
    for (const [tensor, data] of feeds) memory.write(tensor.storage, data);
    for (const entry of program.entries) {
      reference.runEntry(entry);
      const here = dispatches.get(entry) ?? [];
      for (const dispatch of here) {
        const file = dispatch.shader === puzzle.shader ? text : await shaderText(dispatch.shader);
        const verdict = runChecked(dispatch, file, memory);
        if (typeof verdict !== 'number') return verdict;
        invocations += verdict;
      }
      if (here.length === 0) continue;
      for (const output of entry.outputs) {
        const off = firstOff(memory.read(output.storage), reference.value(output).data, puzzle.roundings ?? 64);
        if (off === undefined) continue;
        const [at, got, wanted] = off;
        return {
          passed: false,
          said: `With n = ${n}, ${output.label} is wrong at ${at}: it must be ${shortNumber(wanted)}, and is ${shortNumber(got)}.`,
        };
      }
    }
  }
  return {
    passed: true,
    said: `Solved: ${invocations} invocations ran, no race, no access out of bounds, and every number is that of the float64 loops.`,
  };
}

/** Run a reader's own kernel on 64 numbers, with the checker only. */
export function checkOwn(text: string): Verdict {
  let dispatch: Dispatch;
  try {
    const { bindings } = readInterface('your kernel', text);
    dispatch = { shader: 'your kernel', bind: {}, workgroups: [1, 1, 1] };
    const numbers = Float32Array.from({ length: 64 }, (_, i) => i);
    const bound = bindings.map(({ binding, name, type }): CheckedBinding & { name: string } => {
      const isRead = type !== 'storage';
      return {
        group: 0,
        binding,
        name,
        bytes: isRead ? new Uint8Array(numbers.slice().buffer) : new Uint8Array(256),
        ...(!isRead && { written: new Uint8Array(64) }),
      };
    });
    const failed = judged(dispatch, parseModule(text), bound);
    return typeof failed === 'number' ? { passed: true, said: 'The checker found nothing wrong.' } : failed;
  } catch (error) {
    return { passed: false, said: (error as Error).message };
  }
}

function runChecked(dispatch: Dispatch, file: string, memory: HostMemory): Verdict | number {
  try {
    const module = parseModule(kernelText(file, dispatch));
    const names = readInterface(dispatch.shader, file).bindings;
    const bindings = memory.bindings(dispatch, file);
    const named = bindings.map((binding) => ({
      ...binding,
      name: names.find((one) => one.binding === binding.binding)!.name,
    }));
    return judged(dispatch, module, named);
  } catch (error) {
    if (error instanceof WgslError || error instanceof Error) return { passed: false, said: error.message };
    throw error;
  }
}

/** @returns the number of invocations that ran without a fault, or the fault */
function judged(
  { shader, workgroups }: Dispatch,
  module: Module,
  bindings: readonly (CheckedBinding & { readonly name: string })[],
): Verdict | number {
  const [entry] = module.entryPoints;
  if (entry === undefined) return { passed: false, said: 'There is no function with @compute.' };
  const before = bindings.map(({ bytes, ...rest }) => ({ ...rest, bytes: bytes.slice(), shape: undefined }));
  const [finding] = check(module, entry.function.name, { bindings, workgroups, subgroupSize: SUBGROUP });
  const [x, y, z] = entry.workgroupSize;
  if (finding === undefined) return x * y * z * workgroups[0] * workgroups[1] * workgroups[2];
  return {
    passed: false,
    said: findingText(finding, module.text),
    finding,
    dispatch: { shader, module, entryPoint: entry.function.name, workgroups, bindings: before, after: new Map() },
  };
}

function firstOff(
  got: ArrayLike<number>,
  wanted: Float64Array,
  roundings: number,
): [at: number, got: number, wanted: number] | undefined {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  const at = wanted.findIndex((value, i) => !(Math.abs(got[i]! - value) <= roundings * 2 ** -24 * largest));
  return at < 0 ? undefined : [at, got[at]!, wanted[at]!];
}

/** The location of a finding: the workgroup to step, the lane, the lines to mark, and the steps to it. */
export function placeOf(finding: Finding, size: Three) {
  const laneOf = ({ localId: [x, y, z] }: Invocation) => x + size[0] * (y + size[1] * z);
  const accesses: readonly Access[] =
    finding.kind === 'race'
      ? [finding.earlier, finding.later]
      : finding.kind === 'unwritten read'
        ? [finding.access]
        : [];
  const who: Invocation =
    accesses.at(-1) ??
    ('invocation' in finding
      ? finding.invocation
      : 'present' in finding
        ? finding.present[0]!
        : { workgroup: [0, 0, 0], localId: [0, 0, 0] });
  const lane = laneOf(who);
  return {
    workgroup: who.workgroup,
    faults: new Set([finding.at.line, ...accesses.map(({ at }) => at.line)]),
    begin: (stepper: Stepper): number => {
      const [later] = accesses.slice(-1);
      if (later === undefined) stepper.toLine(lane, finding.at.line);
      else
        stepper.toTouch((touch) => touch.lane === lane && touch.use === later.use && touch.at.line === later.at.line);
      return lane;
    },
  };
}
