import { type AdapterProfile, type Dispatch, kernelText } from '../../src/engine/kernel.js';
import { selectKernels } from '../../src/engine/prepare.js';
import { ReferenceRun } from '../../src/engine/reference.js';
import type { OpRow, OpSample } from '../../src/engine/registry.js';
import { shaderText } from '../../src/engine/shaderSource.js';
import { differenceOf } from '../../src/inspect/closeness.js';
import { HostMemory } from '../../src/inspect/hostMemory.js';
import { check, findingText, type Module, parseModule, type SubgroupSize } from '../../src/wgsl/index.js';
import { recordSample } from './recordSample.js';

/** Who would choose the kernels: every kind of device that picks other ones, with the size of its subgroups. */
export interface KernelProfile {
  readonly name: string;
  readonly subgroupSize: SubgroupSize;
  readonly adapter: AdapterProfile;
}

/** The readable kernels, those of the CPU device, and those for GPUs with subgroups of each size. */
export function kernelProfiles(sizes: readonly SubgroupSize[]): KernelProfile[] {
  const common = { f16: false, limits: { maxStorageBufferBindingSize: 2 ** 27 } };
  return [
    {
      name: 'readable',
      subgroupSize: 32,
      adapter: { ...common, kind: 'cpu', driver: 'interpreter', kernels: 'readable', subgroupSize: 0 },
    },
    { name: 'CPU device', subgroupSize: 4, adapter: { ...common, kind: 'cpu', driver: 'wasm', subgroupSize: 4 } },
    ...sizes.map((subgroupSize) => ({
      name: `GPU, subgroups of ${subgroupSize}`,
      subgroupSize,
      adapter: { ...common, kind: 'gpu', driver: 'interpreter', subgroupSize } as const,
    })),
  ];
}

/** What is known of one kernel file when all is done. */
export interface KernelReport {
  /** of its runs; empty where its text has none */
  readonly subgroupSizes: Set<number>;
  dispatches: number;
  /** findings and disagreements, as text */
  readonly problems: string[];
}

/** Checked runs of kernels, and what they found, by file. Dispatches that ran before are not run again. */
export class KernelCheck {
  readonly reports = new Map<string, KernelReport>();
  readonly #modules = new Map<string, Module>();
  readonly #seen = new Set<string>();

  /** Run every sample of an op at some sizes, under some profiles. */
  async checkRow(row: OpRow, profiles: readonly KernelProfile[], sizes: readonly number[]): Promise<void> {
    for (const sample of row.samples) {
      for (const n of sizes) for (const profile of profiles) await this.checkSample(sample, n, profile);
    }
  }

  /** Record an op at one size, run the kernels that a profile chooses, and compare with the float64 reference. */
  async checkSample(sample: OpSample, n: number, profile: KernelProfile): Promise<void> {
    const { program, feeds } = recordSample(sample, n);
    const dispatches = selectKernels(program, profile.adapter);
    const texts = new Map<string, string>();
    for (const dispatch of [...dispatches.values()].flat()) {
      texts.set(dispatch.shader, kernelText(await shaderText(dispatch.shader), dispatch));
    }
    if (!this.#isNew(`${sample.name} ${n}`, [...dispatches.values()].flat(), texts, profile)) return;
    const reference = new ReferenceRun(program, feeds);
    const memory = new HostMemory(program.flatLength);
    for (const [tensor, data] of feeds) memory.write(tensor.storage, data);
    for (const entry of program.entries) {
      reference.runEntry(entry);
      const here = dispatches.get(entry) ?? [];
      for (const dispatch of here)
        await this.#run(dispatch, memory, `${sample.name}, n = ${n}, ${profile.name}`, profile);
      for (const output of entry.outputs.filter((tensor) => tensor.isContiguous && here.length > 0)) {
        const difference = differenceOf(
          memory.read(output.storage),
          reference.value(output).data,
          sample.roundings ?? 64,
          sample.floor,
        );
        if (difference !== undefined) {
          const what = `${entry.op.name} ${output.label} (${sample.name}, n = ${n}, ${profile.name}): ${difference}`;
          this.#report(here.at(-1)!.shader).problems.push(what);
        }
      }
    }
  }

  /** Whether any dispatch differs from all that ran; the size of subgroups matters only to a kernel that has some. */
  #isNew(
    sample: string,
    dispatches: readonly Dispatch[],
    texts: ReadonlyMap<string, string>,
    { subgroupSize }: KernelProfile,
  ): boolean {
    const keys = dispatches.map(({ shader, constants, params, workgroups }) => {
      const size = usesSubgroups(texts.get(shader)!) ? subgroupSize : 0;
      return `${sample} ${shader} ${JSON.stringify([constants, params, workgroups, size])}`;
    });
    const isNew = keys.some((key) => !this.#seen.has(key));
    for (const key of keys) this.#seen.add(key);
    return isNew;
  }

  async #run(dispatch: Dispatch, memory: HostMemory, where: string, { subgroupSize }: KernelProfile): Promise<void> {
    const file = await shaderText(dispatch.shader);
    const text = kernelText(file, dispatch);
    const module = this.#module(text);
    const bindings = memory.bindings(dispatch, file);
    const entryPoint = module.entryPoints[0]!.function.name;
    const findings = check(module, entryPoint, { bindings, workgroups: dispatch.workgroups, subgroupSize, seed: 7 });
    const report = this.#report(dispatch.shader);
    report.dispatches += 1;
    if (usesSubgroups(text)) report.subgroupSizes.add(subgroupSize);
    for (const finding of findings) report.problems.push(`${where}: ${findingText(finding, module.text)}`);
  }

  #module(text: string): Module {
    let module = this.#modules.get(text);
    if (!module) {
      module = parseModule(text);
      this.#modules.set(text, module);
    }
    return module;
  }

  #report(shader: string): KernelReport {
    let report = this.reports.get(shader);
    if (!report) {
      report = { subgroupSizes: new Set(), dispatches: 0, problems: [] };
      this.reports.set(shader, report);
    }
    return report;
  }
}

/** Whether a kernel's text, comments aside, speaks of subgroups. */
function usesSubgroups(text: string): boolean {
  return /subgroup/.test(text.replace(/\/\/.*$/gm, ''));
}
