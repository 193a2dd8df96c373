/*
 * npm run reliability -- kill [kills] | fuzz [inputs] | faults | soak [steps] | determinism [runs] | exits [times]
 *
 * The long versions of what `npm test` checks in small: each prints what it counts and adds its line to
 * results/reliability.md. Exit code 1 when a promise was broken.
 */
import { InputError } from '../../src/common/errors.js';
import build from '../support/build.js';
import { determinism } from './determinism.js';
import { cleanExits } from './exits.js';
import { faults } from './faults.js';
import { untrusted } from './fuzz.js';
import { kill } from './kill.js';
import { type Outcome, record } from './report.js';
import { soak } from './soak.js';

const CHECKS: Readonly<Record<string, (count?: number) => Promise<Outcome>>> = {
  kill,
  fuzz: untrusted,
  faults,
  soak,
  determinism,
  exits: cleanExits,
};

const [name = '', count] = process.argv.slice(2);
const check = CHECKS[name];
if (check === undefined) {
  throw new InputError(`reliability: name one of ${Object.keys(CHECKS).join(', ')}; got ${JSON.stringify(name)}`);
}
await build();
const start = performance.now();
const outcome = await check(count === undefined ? undefined : Number(count));
const seconds = Math.round((performance.now() - start) / 1000);
record(name, count, outcome, seconds);
process.exitCode = outcome.broken.length === 0 ? 0 : 1;
