import { exactnessChecks, Fault } from '../model/exactness.js';
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
    for (const [i, { path, what, check }] of all.entries()) {
      progress(`claim ${i + 1}/${all.length}`);
      if (left() <= 0 || (isQuick && !QUICK.test(what))) {
        leftOut.push(what);
        continue;
      }
      let numbers = 0;
      try {
        await check((right) => {
          numbers += right;
        });
        rows.push({ where: path, claim: what, numbers, holds: true });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.push(`${what}: ${error.message}`);
        rows.push({ where: path, claim: what, numbers, holds: false });
      }
      total += numbers;
    }
    const held = rows.filter(({ holds }) => holds).length;
    const tried = `${held} of ${some(rows.length, 'claim')} tried ${held === 1 ? 'holds' : 'hold'}`;
    const rest = leftOut.length > 0 ? `, ${leftOut.length} of ${all.length} left out` : '';
    const summary = `${tried}, ${some(total, 'number')} compared${rest}`;
    return { summary, faults, leftOut, tables: [{ title: 'Claims', rows }] };
  },
};
