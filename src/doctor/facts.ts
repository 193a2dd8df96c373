import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { listDevices } from '../device/adapters.js';
import { type Part, precisionsOf, type Row, type Table } from './part.js';

/** Variables that select drivers. The report only shows if one is set, since paths may contain names of people. */
const VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'DAWNNODE_BACKEND', 'NVIDIA_DRIVER_CAPABILITIES'];

/** The adapter, its limits, and the machine around it. Nothing in it names a person or a machine. */
export const facts: Part = {
  name: 'facts',
  what: 'The properties of the adapter and of the machine.',
  weight: 0.1,
  async run({ device }) {
    const { info, limits } = device;
    const [smallest, largest] = device.subgroupRange;
    const adapter: Row = {
      name: device.name,
      driver: device.driver,
      kind: device.kind,
      vendor: info.vendor,
      architecture: info.architecture,
      device: info.device,
      description: info.description,
      subgroups: largest === 0 ? 'none' : `${smallest} to ${largest}`,
      f16: device.f16,
      'mixed precision': precisionsOf(device).includes('mixed'),
      timestamps: device.timestamps,
    };
    const machine: Row = {
      system: `${platform()} ${release()} ${arch()}`,
      node: process.version,
      webgpu: webgpuVersion(),
      processor: cpus()[0]?.model ?? 'unknown',
      'processors this process may use': availableParallelism(),
      'memory, MiB': Math.round(totalmem() / 2 ** 20),
      'variables set': VARIABLES.filter((name) => process.env[name]).join(', ') || 'none',
    };
    const matrices = (device.subgroupMatrix ?? []).map(({ M, N, K, componentType, resultComponentType }) => {
      return { M, N, K, inputs: componentType, sums: resultComponentType };
    });
    const names = (Object.keys(Object.getPrototypeOf(limits)) as (keyof GPUSupportedLimits)[]).concat(
      Object.keys(limits) as (keyof GPUSupportedLimits)[],
    );
    const limitRows = [...new Set(names)].flatMap((name) =>
      typeof limits[name] === 'number' ? [{ limit: name, value: limits[name] }] : [],
    );
    const listed = (await listDevices()).map(({ label, found, failure }) => {
      return { device: label, found: found?.description.name ?? `- ${failure}` };
    });
    const tables: Table[] = [
      { title: 'Adapter', rows: pairs(adapter) },
      { title: 'Machine', rows: pairs(machine) },
      { title: 'Devices of this machine', rows: listed },
      { title: 'Subgroup matrices', rows: matrices },
      { title: 'Features', rows: [...device.features].sort().map((feature) => ({ feature })) },
      { title: 'Limits', rows: limitRows },
    ];
    const summary = `${device.name} (${device.driver}), mixed precision ${adapter['mixed precision'] ? 'yes' : 'no'}, subgroups ${adapter.subgroups}`;
    return { summary, faults: [], leftOut: [], tables: tables.filter(({ rows }) => rows.length > 0) };
  },
};

function pairs(row: Row): Row[] {
  return Object.entries(row).map(([fact, value]) => ({ fact, value }));
}

function webgpuVersion(): string {
  try {
    return createRequire(import.meta.url)('webgpu/package.json').version;
  } catch {
    return 'unknown';
  }
}
