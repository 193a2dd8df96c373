import { exactnessChecks, judge } from '../model/exactness.js';
import { type Part, type Row, some } from './part.js';

/** Claims that are quick to check. */
const QUICK = /^table|boundary window of three|^ZeroInput/;

/** Every channel of the substrate to the bit, as in `byte-to-loss verify`. */
export const channels: Part = {
  name: 'channels',
  what: 'Every channel of every byte, pair and boundary window, to the bit, in TypeScript and by the kernels.',
  weight: 2,
  async run({ device, left, isQuick, progress }) {
    const all = exactnessChecks(device);
    const faults: string[] = [];
    const leftOut: string[] = [];
    const rows: Row[] = [];
    let total = 0;
    for (const [i, claim] of all.entries()) {
      const { path, what } = claim;
      progress(`claim ${i + 1}/${all.length}`);
      if (left() <= 0 || (isQuick && !QUICK.test(what))) {
        leftOut.push(what);
        continue;
      }
      const { numbers, fault } = await judge(claim);
      if (fault !== undefined) faults.push(`${what}: ${fault}`);
      rows.push({ where: path, claim: what, numbers, holds: fault === undefined });
      total += numbers;
    }
    const held = rows.filter(({ holds }) => holds).length;
    const tried = `${held} of ${some(rows.length, 'claim')} tried ${held === 1 ? 'holds' : 'hold'}`;
    const rest = leftOut.length > 0 ? `, ${leftOut.length} of ${all.length} left out` : '';
    const summary = `${tried}, ${some(total, 'number')} compared${rest}`;
    return { summary, faults, leftOut, tables: [{ title: 'Claims', rows }] };
  },
};
