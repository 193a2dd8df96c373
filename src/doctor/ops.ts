import { DeviceError } from '../common/errors.js';
import { registry } from '../engine/ops/index.js';
import { sampleParity } from '../inspect/contract.js';
import { EDGE_SIZES } from '../inspect/sample.js';
import { messageOf, type Part, some } from './part.js';

/**
 * Sizes in order of importance: those beyond one tile first, so that an interrupted run has tested every op at them.
 */
const SIZES = [65, 9, ...EDGE_SIZES.filter((n) => n !== 65 && n !== 9)];

/** Every op against its float64 reference, values and gradients, at sizes around the edges of tiles. */
export const ops: Part = {
  name: 'ops',
  what: "Every op's kernels compared with its float64 reference: outputs, saved tensors and each gradient, at sizes around the edges of tiles.",
  weight: 4,
  async run({ device, left, isQuick, progress }) {
    const all = registry.flatMap(({ name, samples }) => samples.map((sample, i) => ({ op: name, sample, i })));
    // The first sample of every op before the second of any, so that an interrupted run has tested every op.
    const inTurn = [...all].sort((a, b) => a.i - b.i).filter(({ i }) => i === 0 || !isQuick);
    const cases = (isQuick ? [9] : SIZES).flatMap((n) => inTurn.map(({ op, sample }) => ({ op, sample, n })));
    const faults: string[] = [];
    const found = new Map<string, { tried: number; wrong: number; worst: number; kernels: Set<string> }>();
    let tried = 0;
    for (const { op, sample, n } of cases) {
      if (left() <= 0) break;
      progress(`${tried}/${cases.length} ${op}`);
      const row = found.get(op) ?? { tried: 0, wrong: 0, worst: 0, kernels: new Set<string>() };
      found.set(op, row);
      row.tried++;
      tried++;
      try {
        const parity = await sampleParity(device, sample, n);
        faults.push(...parity.faults.map((fault) => `${sample.name}: ${fault}`));
        if (parity.faults.length > 0) row.wrong++;
        row.worst = Math.max(row.worst, parity.worst);
        for (const shader of parity.shaders) row.kernels.add(shader);
      } catch (error) {
        faults.push(`${sample.name}, n = ${n}: ${messageOf(error)}`);
        row.wrong++;
        // A lost device would fail every later op. The next part opens another one.
        if (error instanceof DeviceError && error.fault === 'lost') break;
      }
    }
    const rows = [...found].map(([op, { tried, wrong, worst, kernels }]) => {
      return {
        op,
        tried,
        wrong,
        'largest error, share of what is allowed': round(worst),
        kernels: [...kernels].join(', '),
      };
    });
    const missing = cases.length - tried;
    const summary = `${some(found.size, 'op')}, ${some(tried, 'case')}, ${faults.length === 0 ? 'all' : 'not all'} within their tolerance`;
    const leftOut = missing > 0 ? [`${missing} of ${some(cases.length, 'case')}`] : [];
    return { summary, faults, leftOut, tables: [{ title: 'Ops', rows }] };
  },
};

const round = (x: number) => (Number.isFinite(x) ? Number(x.toPrecision(2)) : 'infinite');
