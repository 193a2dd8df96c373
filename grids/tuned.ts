/*
 * Write the grids that depend on what grid A chose, by the rules of results/PROTOCOL.md: run it after each of `rates`,
 * `rates-beyond`, `rates-again`, `deviations` and `binding-rates` has finished. It writes what can be written, and says what is next.
 *
 *     npx tsx grids/tuned.ts
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type CollectedCell, collect } from '../src/experiment/collect.js';
import { readGrid } from '../src/experiment/grid.js';
import { blindDeviation, seedsOfDoors } from '../src/experiment/hypotheses.js';
import { bestDeviation, bestRate, rateBeyond, ratesInOrder, type Tuned, triedOf } from '../src/experiment/select.js';

const SEEDS = [100, 101] as const;
const TUNED = ['zero', 'zero-scaled', 'projected', 'bytes', 'bytes-untied', 'bytes+previous'];
/** Arms whose doors start from random matrices. */
const STARTED = ['projected', 'bytes', 'bytes-untied', 'bytes+previous'];
const DEVIATIONS = [0.1, 0.5];
const BINDING = ['zero', 'projected', 'bytes', 'bytes-untied'];
/** Arms that have the rate of zero. */
const AS_ZERO = ['permuted', 'random', { door: 'zero', channels: ['value'] }, 'bits', 'bits+context'];

type Arm = string | { readonly door: string; readonly [name: string]: unknown };
type Tried = ReturnType<typeof triedOf>;

/** Cells of a grid, those that have finished with their results; undefined where the grid is not written yet. */
export function cellsOf(name: string, root = '.'): CollectedCell[] | undefined {
  const file = `${root}/grids/${name}.json`;
  if (!existsSync(file)) return undefined;
  const grid = readGrid(JSON.parse(readFileSync(file, 'utf8')), file);
  const results = `${root}/results/${name}`;
  return collect(grid, results, results); // kept cells alone: what is under way on one machine is nothing to report
}

const finished = (cells: readonly CollectedCell[] = []) =>
  cells.length > 0 && cells.every(({ state }) => state === 'finished');

/** What has been tried of each arm in grid A. */
function triedInA(root: string): Map<string, Tried> {
  const names = ['rates', 'rates-beyond', 'rates-again', 'deviations'];
  return new Map(TUNED.map((arm) => [arm, names.flatMap((name) => triedOf(cellsOf(name, root) ?? [], arm))]));
}

/** Rate and deviation of each arm by the rules of grid A; undefined until all of it has finished. */
export function tunedArms(root = '.'): Map<string, Tuned> | undefined {
  if (!finished(cellsOf('rates-again', root)) || !finished(cellsOf('deviations', root))) return undefined;
  return new Map(
    [...triedInA(root)].map(([arm, tried]) => {
      const { lr } = bestRate(tried, SEEDS)!;
      return [arm, { lr, ...bestDeviation(tried, lr, SEEDS[0]) }];
    }),
  );
}

/** Each grid's text by its name, as far as what has finished decides it; and what is to be run next. */
export function tunedGrids(root = '.'): { grids: Map<string, object>; next: string } {
  const grids = new Map<string, object>();
  const cells = (name: string) => cellsOf(name, root);
  const rates = readJson(`${root}/grids/rates.json`);
  const tuning = rates.settings as Record<string, unknown>;
  const reporting = { ...tuning, validationPart: 'odd' };
  const tried = triedInA(root);
  if (!finished(cells('rates'))) return { grids, next: 'rates' };

  // Every step beyond is kept, so that the file only grows.
  const beyond = (
    existsSync(`${root}/grids/rates-beyond.json`) ? readJson(`${root}/grids/rates-beyond.json`).arms : []
  ) as Arm[];
  const more = TUNED.flatMap((arm) => {
    const lr = rateBeyond(tried.get(arm)!, SEEDS[0], rates.lr as number[]);
    return lr === undefined || tried.get(arm)!.some((run) => run.lr === lr) ? [] : [named(arm, { lr })];
  });
  const arms = [
    ...beyond,
    ...more.filter(({ name }) => !beyond.some((one) => typeof one !== 'string' && one.name === name)),
  ];
  if (arms.length > 0) {
    const about = 'Grid A: the rates beyond an end of `rates` at which an arm was best.';
    grids.set('rates-beyond', grid('rates-beyond', about, arms, [SEEDS[0]], 1000, tuning));
    if (more.length > 0 || !finished(cells('rates-beyond'))) return { grids, next: 'rates-beyond' };
  }

  const again = TUNED.flatMap((arm) =>
    ratesInOrder(tried.get(arm)!, SEEDS[0])
      .slice(0, 2)
      .map((lr) => named(arm, { lr })),
  );
  const aboutAgain = 'Grid A: the best two rates of each arm, with another tuning seed.';
  grids.set('rates-again', grid('rates-again', aboutAgain, again, [SEEDS[1]], 1000, tuning));
  if (!finished(cells('rates-again'))) return { grids, next: 'rates-again' };

  const rateOf = new Map(TUNED.map((arm) => [arm, bestRate(tried.get(arm)!, SEEDS)!.lr]));
  const deviations = STARTED.flatMap((arm) =>
    DEVIATIONS.map((doorDeviation) => named(arm, { lr: rateOf.get(arm)!, doorDeviation })),
  );
  const aboutDeviations = 'Grid A: doors that are learned, started with other deviations, at their best rate.';
  grids.set('deviations', grid('deviations', aboutDeviations, deviations, [SEEDS[0]], 1000, tuning));
  const tuned = tunedArms(root);
  if (tuned === undefined) return { grids, next: 'deviations' };

  const arm = (name: string, change = (lr: number) => lr): Arm => {
    const { lr, doorDeviation } = tuned.get(name)!;
    return { door: name, lr: change(lr), ...(doorDeviation !== undefined && { doorDeviation }) };
  };
  const { lr } = tuned.get('zero')!;
  const asZero = AS_ZERO.map((each) => ({ ...(typeof each === 'string' ? { door: each } : each), lr }));
  const chosen = chosenEmbedding(tuned);
  const half = (rate: number) => rate / 2;
  const few = ['zero', 'projected', chosen, 'bytes+previous'];
  const seeds = seedsOfDoors(blindDeviation(new Map([['doors', cells('doors') ?? []]])));
  const aboutDoors = 'Grid B of results/PROTOCOL.md: all doors, tuned, on odd held-out windows.';
  grids.set(
    'doors',
    grid('doors', aboutDoors, [...TUNED.map((name) => arm(name)), ...asZero], upTo(seeds), 1000, reporting),
  );
  const aboutLong = 'Grid C of results/PROTOCOL.md: four times the steps of `doors`.';
  grids.set(
    'long',
    grid(
      'long',
      aboutLong,
      few.map((name) => arm(name)),
      upTo(4),
      4000,
      { ...reporting, evalEvery: 500 },
    ),
  );
  const small = {
    ...reporting,
    ...{ size: 'small', text: ['data/tinyshakespeare.txt'], prefix: 256, stream: 128, evalEvery: 100 },
  };
  const smallArms = [...few.map((name) => arm(name, half)), { door: 'permuted', lr: half(lr) }];
  const aboutSmall = 'Grid D of results/PROTOCOL.md: a decoder of dim 256 with four layers, on Tiny Shakespeare.';
  grids.set('small', grid('small', aboutSmall, smallArms, upTo(4), 400, small));
  const aboutSmallLong = 'Grid D-long of results/PROTOCOL.md: four times the steps of `small`.';
  const two = ['zero', chosen].map((name) => arm(name, half));
  grids.set('small-long', grid('small-long', aboutSmallLong, two, upTo(3), 1600, { ...small, evalEvery: 200 }));

  const { prefix: _, stream: __, ...shared } = tuning;
  const digits = {
    ...shared,
    ...{ audio: 'data/recordings', window: { audio: { prefix: 1024, stream: 24 } }, batch: 16, evalEvery: 100 },
  };
  const bindingRates = BINDING.flatMap((name) => {
    const { lr: own, doorDeviation } = tuned.get(name)!;
    return [own / 2, own, 2 * own].map((rate) =>
      named(name, { lr: rate, ...(doorDeviation !== undefined && { doorDeviation }) }),
    );
  });
  const aboutRates = 'Grid E of results/PROTOCOL.md: learning rates on spoken digits, on even held-out recordings.';
  grids.set('binding-rates', grid('binding-rates', aboutRates, bindingRates, [SEEDS[0]], 600, digits));
  const bound = cells('binding-rates');
  if (!finished(bound)) return { grids, next: 'doors, then binding-rates' };

  const bindingArms = BINDING.map((name) => {
    const order = triedOf(bound!, name, 'caption_bpb').toSorted((a, b) => a.value - b.value || a.lr - b.lr);
    return arm(name, () => order[0]!.lr);
  });
  const aboutBinding =
    'Grid E of results/PROTOCOL.md: spoken digits and their captions alone, on odd held-out recordings.';
  grids.set('binding', grid('binding', aboutBinding, bindingArms, upTo(5), 600, { ...digits, validationPart: 'odd' }));
  return { grids, next: 'doors, binding, small, long, small-long, in this order' };
}

/** The byte embedding that grid A finds better; ties go to `bytes`. */
export function chosenEmbedding(tuned: ReadonlyMap<string, Tuned>): 'bytes' | 'bytes-untied' {
  return tuned.get('bytes-untied')!.value < tuned.get('bytes')!.value ? 'bytes-untied' : 'bytes';
}

function named(door: string, own: { lr: number; doorDeviation?: number }) {
  const deviation = own.doorDeviation === undefined ? '' : `, deviation ${own.doorDeviation}`;
  return { name: `${door}, rate ${own.lr}${deviation}`, door, ...own };
}

function grid(
  name: string,
  about: string,
  arms: readonly Arm[],
  seeds: readonly number[],
  steps: number,
  settings: object,
) {
  return { name, about, arms, seeds, steps, settings };
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, seed) => seed);
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

if (process.argv[1]?.endsWith('tuned.ts')) {
  const { grids, next } = tunedGrids();
  for (const [name, text] of grids) writeFileSync(`grids/${name}.json`, `${JSON.stringify(text, null, 2)}\n`);
  console.log(`written: ${[...grids.keys()].join(', ') || 'nothing'}; next: ${next}`);
}
