import { kernelText } from '../../src/engine/kernel.js';
import { attention } from '../../src/engine/ops/attention.js';
import { registry } from '../../src/engine/ops/index.js';
import { selectKernels } from '../../src/engine/prepare.js';
import { ReferenceRun } from '../../src/engine/reference.js';
import type { OpSample } from '../../src/engine/registry.js';
import { HostMemory } from '../../src/inspect/hostMemory.js';
import { check, findingText, parseModule } from '../../src/wgsl/index.js';
import { type KernelProfile, kernelProfiles } from './kernelCheck.js';
import { recordSample } from './recordSample.js';
import { fileOf } from './shaders.js';

const BARRIER = /\b(?:workgroup|storage)Barrier\(\);/g;

/** A kernel file without one of its barriers. */
export interface BarrierMutant {
  readonly shader: string;
  /** line of the removed barrier, from 1 */
  readonly line: number;
  readonly text: string;
}

/** A kernel file without each of its barriers in turn; barriers in comments stay. */
export function barrierMutants(shader: string): BarrierMutant[] {
  const file = fileOf(shader);
  const places = [...file.matchAll(BARRIER)].filter(({ index }) => !/\/\/[^\n]*$/.test(file.slice(0, index)));
  return places.map(({ index, 0: barrier }) => ({
    shader,
    line: file.slice(0, index).split('\n').length,
    text: file.slice(0, index) + ' '.repeat(barrier.length) + file.slice(index + barrier.length),
  }));
}

/**
 * What the checker finds in one kernel where a sample of an op runs it first. Entries before it are computed by their references.
 *
 * @param text in place of the kernel's file
 */
export async function findingsOf(
  shader: string,
  text: string,
  sample: OpSample,
  n: number,
  { adapter, subgroupSize }: KernelProfile,
): Promise<string[]> {
  const { program, feeds } = recordSample(sample, n);
  const dispatches = selectKernels(program, adapter);
  const reference = new ReferenceRun(program, feeds);
  const memory = new HostMemory(program.flatLength);
  for (const [tensor, data] of feeds) memory.write(tensor.storage, data);
  for (const entry of program.entries) {
    const here = dispatches.get(entry) ?? [];
    if (here.some((dispatch) => dispatch.shader === shader)) {
      return here.flatMap((dispatch) => {
        const file = fileOf(dispatch.shader);
        const module = parseModule(kernelText(dispatch.shader === shader ? text : file, dispatch));
        const bindings = memory.bindings(dispatch, file);
        const options = { bindings, workgroups: dispatch.workgroups, subgroupSize, seed: 7 };
        const findings = check(module, module.entryPoints[0]!.function.name, options);
        return findings.map((finding) => findingText(finding, module.text));
      });
    }
    reference.runEntry(entry);
    for (const output of entry.outputs.filter((tensor) => tensor.isContiguous)) {
      memory.write(output.storage, Float32Array.from(reference.value(output).data));
    }
  }
  throw new Error(`${sample.name} at ${n} does not run ${shader}`);
}

/** A kernel with barriers, and a sample small enough to be interpreted that goes round each of its loops. */
export interface BarrierCase {
  readonly shader: string;
  readonly sample: OpSample;
  readonly n: number;
  /** takes long in the interpreter: `npm run kernels` runs it, `npm test` does not */
  readonly isLong?: boolean;
}

/** One head, wider than the 32 columns that a tile of attention stages at once. */
const ONE_HEAD: OpSample = {
  name: 'one head of width 36',
  inputs: (n) => ({ q: [1, 1, n, 36], k: [1, 1, n, 36], v: [1, 1, n, 36] }),
  call(x, n) {
    const position = x.q!.program.constant('position', [1], new Uint32Array(1));
    return [attention(x.q!, x.k!, x.v!, position, n >> 1)];
  },
};
const first = (op: string) => registry.find(({ name }) => name === op)!.samples[0]!;

/**
 * Every kernel that has barriers, but for `gpu/matmul.subgroupMatrix`, whose f16 our front end does not read. In
 * `cpu/matmul.register` a lane reads only what it wrote itself: nothing is found without its barriers.
 */
export const BARRIER_CASES: readonly BarrierCase[] = [
  { shader: 'gpu/matmul.tiled', sample: first('linear'), n: 9 },
  { shader: 'cpu/matmul.packed', sample: first('linear'), n: 33 },
  { shader: 'gpu/attention.forward.tiled', sample: ONE_HEAD, n: 9, isLong: true },
  { shader: 'gpu/attention.backwardQ.tiled', sample: ONE_HEAD, n: 9, isLong: true },
  { shader: 'gpu/attention.backwardKV.tiled', sample: ONE_HEAD, n: 9, isLong: true },
  { shader: 'sum', sample: first('sum'), n: 65 },
  { shader: 'gradientNorm.finish', sample: first('gradientNorm'), n: 65 },
  { shader: 'crossEntropy.total', sample: first('crossEntropy'), n: 65 },
  { shader: 'crossEntropy.reduce', sample: first('crossEntropy'), n: 65 },
];

/**
 * The barriers whose loss the checker does not notice: `gpu/matmul.tiled, line 189`. None where it notices every one.
 *
 * @throws Error when the unchanged kernel has findings, or has no barrier
 */
export async function unnoticedBarriers({ shader, sample, n }: BarrierCase): Promise<string[]> {
  const kind = shader.startsWith('cpu/') ? 'cpu' : 'gpu';
  const profile = kernelProfiles([32]).find(({ adapter }) => adapter.kind === kind && adapter.kernels === undefined)!;
  const before = await findingsOf(shader, fileOf(shader), sample, n, profile);
  const mutants = barrierMutants(shader);
  if (before.length > 0 || mutants.length === 0) throw new Error(`${shader}: ${before[0] ?? 'has no barrier'}`);
  const unnoticed: string[] = [];
  for (const { line, text } of mutants) {
    const findings = await findingsOf(shader, text, sample, n, profile);
    if (findings.length === 0) unnoticed.push(`${shader}, line ${line}`);
  }
  return unnoticed;
}
