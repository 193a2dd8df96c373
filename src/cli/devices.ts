import { Command } from 'commander';
import { cardOf, choiceOf, type DeviceName, hint, type Listed, listDevices, taken } from '../device/adapters.js';
import { DEVICE_HELP } from './device.js';

const MIB = 2 ** 20;

/** `byte-to-loss devices`: the devices of this machine, their main properties, and the default choice. */
export function devicesCommand(): Command {
  return new Command('devices')
    .description('list the devices of this machine and the one that commands would use')
    .option('--device <name>', DEVICE_HELP)
    .option('--json', 'print JSON')
    .action(async (options: { device?: string; json?: boolean }) => {
      const choice = choiceOf(options.device);
      const listed = await listDevices();
      const own = choice.card === undefined ? taken(choice, listed) : cardOf(choice, listed, options.device);
      const label = own?.label;
      const names = choice.sources.map((source) => source.name);
      const text = devicesTable(listed, label, names);
      console.log(options.json ? JSON.stringify(devicesJson(listed, label), null, 2) : text);
    });
}

/** The listing as data; sizes in bytes. */
export function devicesJson(listed: readonly Listed[], taken: string | undefined) {
  const devices = listed.map(({ label, found, failure }) => {
    if (found === undefined) return { device: label, taken: false, failure };
    const { description, limits, features } = found;
    return {
      device: label,
      taken: label === taken,
      ...description,
      limits: {
        buffer: limits.maxBufferSize,
        binding: limits.maxStorageBufferBindingSize,
        workgroupMemory: limits.maxComputeWorkgroupStorageSize,
        workgroupInvocations: limits.maxComputeInvocationsPerWorkgroup,
        storageBuffers: limits.maxStorageBuffersPerShaderStage,
      },
      features,
    };
  });
  return { taken: taken ?? null, devices };
}

/**
 * The listing for people: one block for each source, `*` before the one that commands would use.
 *
 * @param wanted the requested sources; if none of them is available, the last line gives a fix
 */
export function devicesTable(
  listed: readonly Listed[],
  taken: string | undefined,
  wanted: readonly DeviceName[],
): string {
  const blocks = listed.map(({ source, label, found, failure }) => {
    const head = `${label === taken ? '*' : ' '} ${label.padEnd(8)}`;
    if (found === undefined) return `${head} - (${source.what}: ${failure})`;
    const { description, limits } = found;
    const [smallest, largest] = description.subgroupRange;
    const rows: [string, string][] = [
      ['driver', `${description.driver} (${description.kind === 'cpu' ? 'software' : 'hardware'})`],
      ['subgroup size', largest === 0 ? 'none' : smallest === largest ? `${smallest}` : `${smallest} to ${largest}`],
      ['f16', yes(description.f16)],
      ['subgroup matrix', matrices(description.subgroupMatrix)],
      ['timestamps', yes(description.timestamps)],
      ['buffer', `${mib(limits.maxBufferSize)}, binding ${mib(limits.maxStorageBufferBindingSize)}`],
      [
        'workgroup',
        `${limits.maxComputeInvocationsPerWorkgroup} invocations, ${limits.maxComputeWorkgroupStorageSize / 1024} KiB`,
      ],
    ];
    return [`${head} ${description.name}`, ...rows.map(([name, value]) => `    ${name.padEnd(16)} ${value}`)].join(
      '\n',
    );
  });
  const none = `${wanted.join(', ')}: none available. ${hint(wanted)}`;
  const last = taken === undefined ? none : '* is the default; --device NAME selects another';
  return [...blocks, last].join('\n');
}

const yes = (there: boolean) => (there ? 'yes' : 'no');
const mib = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;

function matrices(configs: NonNullable<Listed['found']>['description']['subgroupMatrix']): string {
  if (configs === undefined || configs.length === 0) return 'no';
  return configs.map((c) => `${c.M}×${c.N}×${c.K} ${c.componentType}→${c.resultComponentType}`).join(', ');
}
