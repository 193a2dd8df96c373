import { Command } from 'commander';
import { type ExactnessCheck, exactnessChecks, judge, type Verdict } from '../model/exactness.js';
import { colours } from './colours.js';
import { type DeviceFlags, onDevice, withDevice } from './device.js';

/** `byte-to-loss verify`: checks on this machine's own adapter that channels are exact to the last bit. */
export function verifyCommand(): Command {
  return withDevice(
    new Command('verify').description('check on this device that every channel is exact to the last bit'),
  )
    .option('--json', 'print JSON: { adapter, seconds, claims: [{ path, what, numbers, seconds, fault? }] }')
    .action(async ({ json, ...flags }: DeviceFlags & { json?: boolean }) => {
      const started = performance.now();
      await onDevice(flags, async (device) => {
        if (!json) console.log(`adapter: ${device.name}`);
        const verdicts: Verdict[] = [];
        let path: string | undefined;
        for (const claim of exactnessChecks(device)) {
          if (!json && claim.path !== path) console.log(heading(claim.path));
          path = claim.path;
          const verdict = await judge(claim);
          if (!json) console.log(describe(verdict));
          verdicts.push(verdict);
        }
        const seconds = (performance.now() - started) / 1000;
        const failed = verdicts.filter(({ fault }) => fault !== undefined).length;
        if (failed > 0) process.exitCode = 1;
        console.log(
          json ? verdictsJson(device.name, seconds, verdicts) : summary(device.name, seconds, verdicts, failed),
        );
      });
    });
}

function heading(path: ExactnessCheck['path']): string {
  const { bold, dim } = colours(process.stdout);
  return `\n${bold(path === 'device' ? 'on the device' : 'in TypeScript')}${dim(', numbers compared and time')}`;
}

/** `✓   4,608    0.0 s  table: …`, and under it the first error, if any. */
function describe({ claim, numbers, seconds, fault }: Verdict): string {
  const { green, red, dim } = colours(process.stdout);
  const mark = fault === undefined ? green('✓') : red('✗');
  const counted = `${numbers.toLocaleString('en').padStart(12)} ${seconds.toFixed(1).padStart(5)} s`;
  const line = `${mark} ${dim(counted)}  ${claim.what}`;
  return fault === undefined ? line : `${line}\n  ${red(fault)}`;
}

function summary(adapter: string, seconds: number, verdicts: readonly Verdict[], failed: number): string {
  const { green, red } = colours(process.stdout);
  const numbers = verdicts.reduce((sum, verdict) => sum + verdict.numbers, 0).toLocaleString('en');
  const all = verdicts.length;
  const said =
    failed === 0
      ? green(`all ${all} claims hold, ${numbers} numbers compared`)
      : red(`${failed} of ${all} claims ${failed === 1 ? 'does' : 'do'} not hold`);
  return `\n${said} on ${adapter}, ${seconds.toFixed(1)} s`;
}

function verdictsJson(adapter: string, seconds: number, verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ claim: { path, what }, ...rest }) => ({ path, what, ...rest }));
  return JSON.stringify({ adapter, seconds, claims: rows }, null, 2);
}
