import type { CollectedCell } from './collect.js';
import {
  type Contrast,
  contrast,
  holm,
  lowerBound,
  pAbove,
  pBelow,
  pDifferent,
  pEquivalent,
  type Run,
  type Term,
} from './contrast.js';
import { contrastText, signed } from './numberText.js';
import { runsOf } from './runs.js';

/*
 * The hypotheses of results/PROTOCOL.md and its rules of reading, as code. Nothing is chosen after the runs: arms,
 * grids, seeds, margins and words are those of the protocol.
 */

/** The level of the family, after Holm. */
const LEVEL = 0.05;
/** The smallest effect of interest in text bits per byte, and in retrieval. */
export const MARGIN = { text_bpb: 0.05, retrieval: 0.08 } as const;

/** Cells of a grid, by its name. */
export type Evidence = ReadonlyMap<string, readonly CollectedCell[]>;

/** The contrast of one test: an arm minus another in a grid, or the same at a longer budget minus it. */
interface Comparison {
  readonly grid: string;
  readonly measure: 'text_bpb' | 'retrieval';
  readonly plus: string;
  readonly minus: string;
  readonly seeds: readonly number[];
  /** a grid of more steps: then the contrast is its difference minus that of `grid` */
  readonly longer?: string;
}

type Test =
  | { readonly kind: 'below' | 'above'; readonly bound: number }
  | { readonly kind: 'equivalent'; readonly margin: number }
  | { readonly kind: 'different' };

interface Part extends Comparison {
  readonly test: Test;
}

/** A hypothesis as registered. */
export interface Hypothesis {
  readonly id: string;
  readonly text: string;
  readonly parts: readonly Part[];
}

/** The possible verdicts. */
export type Verdict = 'supported' | 'contradicted at this scale' | 'not decided';

/** A part with its result. */
export interface FoundPart extends Part {
  readonly found?: Contrast;
  readonly p: number;
  /** seeds that both arms have finished, of those registered */
  readonly finished: number;
  /** the numbers, a sentence with its scale */
  readonly sentence: string;
}

/** A hypothesis with its verdict. */
export interface Judgement {
  readonly id: string;
  readonly text: string;
  readonly verdict: Verdict;
  /** the largest of its parts; 1 until all registered runs have finished */
  readonly p: number;
  readonly adjusted: number;
  readonly parts: readonly FoundPart[];
}

const upTo = (n: number) => Array.from({ length: n }, (_, seed) => seed);

/**
 * @param chosen the byte embedding that grid A finds better   @param seeds of grid B: six, or eight by the rule on its
 * deviation
 */
export function hypotheses(chosen: string, seeds = 6): Hypothesis[] {
  const doors = (minus: string, test: Test): Part => ({
    ...{ grid: 'doors', measure: 'text_bpb', plus: 'zero', minus, seeds: upTo(seeds), test },
  });
  const binding = (minus: string, bound: number): Part => ({
    ...{ grid: 'binding', measure: 'retrieval', plus: 'zero', minus, seeds: upTo(5), test: { kind: 'above', bound } },
  });
  const margin = MARGIN.text_bpb;
  return [
    {
      id: 'H1',
      text: 'The zero door is not inferior to the learned projection on text',
      parts: [doors('projected', { kind: 'below', bound: margin })],
    },
    {
      id: 'H2',
      text: 'The zero door has a lower loss on text than both byte embeddings',
      parts: ['bytes', 'bytes-untied'].map((minus) => doors(minus, { kind: 'below', bound: 0 })),
    },
    {
      id: 'H3',
      text: 'The difference of the zero door to the chosen embedding changes with four times the steps',
      parts: [
        {
          ...{ grid: 'doors', longer: 'long', measure: 'text_bpb', plus: 'zero', minus: chosen, seeds: upTo(4) },
          test: { kind: 'different' },
        },
      ],
    },
    {
      id: 'H4',
      text: 'The zero door is equivalent on text to tables of permuted and of random values',
      parts: ['permuted', 'random'].map((minus) => doors(minus, { kind: 'equivalent', margin })),
    },
    {
      id: 'H5',
      text: 'On spoken digits the zero door retrieves captions no worse than the projection, and better than both byte embeddings',
      parts: [binding('projected', -MARGIN.retrieval), binding('bytes', 0), binding('bytes-untied', 0)],
    },
  ];
}

/** Judge every hypothesis, with Holm's correction over all of them: an undecided one counts with p = 1. */
export function judge(list: readonly Hypothesis[], evidence: Evidence): Judgement[] {
  const found = list.map((hypothesis) => ({
    ...hypothesis,
    parts: hypothesis.parts.map((part) => test(part, evidence)),
  }));
  const complete = (parts: readonly FoundPart[]) => parts.every(({ finished, seeds }) => finished === seeds.length);
  const pValues = found.map(({ parts }) => (complete(parts) ? Math.max(...parts.map(({ p }) => p)) : 1));
  const adjusted = holm(pValues);
  return found.map(({ id, text, parts }, i) => {
    let verdict: Verdict = 'not decided';
    if (complete(parts)) {
      if (adjusted[i]! < LEVEL) verdict = 'supported';
      else if (parts.some(contradicted)) verdict = 'contradicted at this scale';
    }
    return { id, text, verdict, p: pValues[i]!, adjusted: adjusted[i]!, parts };
  });
}

/** A comparison with its numbers; of the registered seeds those that have finished. */
export function compare(comparison: Comparison, evidence: Evidence): { found?: Contrast; finished: number } {
  const { grid, longer, plus, minus, seeds, measure } = comparison;
  const runs = (name: string, arm: string): Run[] =>
    runsOf(evidence.get(name) ?? [], arm, measure).filter(({ seed }) => seeds.includes(seed));
  const pair = (name: string, factor: number): Term[] => [
    { runs: runs(name, plus), factor },
    { runs: runs(name, minus), factor: -factor },
  ];
  const found = contrast(longer ? [...pair(grid, -1), ...pair(longer, 1)] : pair(grid, 1));
  return { finished: found?.seeds ?? 0, ...(found && { found }) };
}

function test(part: Part, evidence: Evidence): FoundPart {
  const { found, finished } = compare(part, evidence);
  return {
    ...part,
    ...(found && { found }),
    finished,
    p: found ? pOf(found, part.test) : 1,
    sentence: sentenceOf(part, found, evidence),
  };
}

function pOf(found: Contrast, test: Test): number {
  if (test.kind === 'below') return pBelow(found, test.bound);
  if (test.kind === 'above') return pAbove(found, test.bound);
  if (test.kind === 'equivalent') return pEquivalent(found, test.margin);
  return pDifferent(found);
}

/** Is the whole 95 % interval on the opposite side of the part's bound? */
function contradicted({ found, test }: FoundPart): boolean {
  if (found?.low === undefined) return false;
  const { low, high } = found as Required<Contrast>;
  if (test.kind === 'below') return low > test.bound;
  if (test.kind === 'above') return high < test.bound;
  if (test.kind === 'equivalent') return low > test.margin || high < -test.margin;
  return false; // nothing contradicts "different" but a test of equivalence, which is not registered
}

/**
 * "zero − bytes: −0.120 text bits per byte (…); the claim needs it below 0. Grid doors: dim 128, 2 layers, K 4, 1000
 * steps"
 */
function sentenceOf(part: Part, found: Contrast | undefined, evidence: Evidence): string {
  const { measure, longer, grid, seeds } = part;
  const what = comparisonName(part);
  const unit = measure === 'text_bpb' ? 'text bits per byte' : 'retrieval of ten';
  const where = [grid, ...(longer ? [longer] : [])].map((name) => scaleOf(name, evidence)).join('; ');
  if (found === undefined) return `${what}: no pair of runs has finished of ${seeds.length}. ${where}`;
  return `${what}: ${contrastText(found)} ${unit}; ${needOf(part.test)}. ${where}`;
}

/** "zero − bytes", or "(zero − bytes) of grid long minus the same of grid doors" */
export function comparisonName({ plus, minus, grid, longer }: Comparison): string {
  return longer ? `(${plus} − ${minus}) of grid ${longer} minus the same of grid ${grid}` : `${plus} − ${minus}`;
}

function needOf(test: Test): string {
  if (test.kind === 'equivalent') return `the hypothesis needs it within ±${test.margin.toFixed(3)}`;
  if (test.kind === 'different') return 'the hypothesis needs it to differ from 0';
  return `the hypothesis needs it ${test.kind} ${signed(test.bound)}`;
}

/** "Grid doors: dim 128, 2 layers, K 4, 1000 steps of 8 windows" */
export function scaleOf(grid: string, evidence: Evidence): string {
  const cell = evidence.get(grid)?.[0]?.cell;
  if (cell === undefined) return `Grid ${grid}: not laid out yet`;
  const { dim, layers, K } = cell.decoder;
  return `Grid ${grid}: dim ${dim}, ${layers} layers, K ${K}, ${cell.steps} steps of ${cell.options.batch} windows`;
}

/** The lower one-sided 95 % bound of the lead at the longer budget above this: the embedding caught up. */
const CAUGHT_UP = -MARGIN.text_bpb;

/** The lead of zero over the chosen embedding at one of the two budgets of H3. */
function lead(grid: 'doors' | 'long', chosen: string, evidence: Evidence): Contrast | undefined {
  return compare({ grid, measure: 'text_bpb', plus: 'zero', minus: chosen, seeds: upTo(4) }, evidence).found;
}

/** The two leads whose difference is H3, a sentence each; none before any run of the longer budget has finished. */
export function leads(chosen: string, evidence: Evidence): string[] {
  const [early, later] = [lead('doors', chosen, evidence), lead('long', chosen, evidence)];
  if (early === undefined || later === undefined) return [];
  const what = (grid: 'doors' | 'long', found: Contrast) =>
    `zero − ${chosen} of grid ${grid}: ${contrastText(found)} text bits per byte`;
  const bound = lowerBound(later);
  const above = bound === undefined ? '' : `; the lower one-sided 95 % bound is ${signed(bound)}`;
  return [
    `${what('doors', early)}. ${scaleOf('doors', evidence)}`,
    `${what('long', later)}${above}. ${scaleOf('long', evidence)}`,
  ];
}

/** Conclusions from the verdicts, by the rules of reading: a sentence each, none if nothing is decided. */
export function reading(judgements: readonly Judgement[], chosen: string, evidence: Evidence): string[] {
  const of = (id: string) => judgements.find((each) => each.id === id)!;
  const supported = (id: string) => of(id).verdict === 'supported';
  const sentences: string[] = [];
  const scale = (id: string, ...grids: string[]) =>
    `${grids.map((grid) => scaleOf(grid, evidence)).join('; ')}; ${of(id).parts[0]!.seeds.length} seeds`;
  if (supported('H1') && supported('H2')) {
    const { p: own, parts } = of('H1');
    const rank = judgements.filter(({ p }) => p < own).length; // its step in Holm's procedure
    const equivalent = pEquivalent(parts[0]!.found!, MARGIN.text_bpb) < LEVEL / (judgements.length - rank);
    sentences.push(
      `The claim is reproduced at this scale${equivalent ? ', and zero is equivalent to projected within ±0.05' : ''}. ${scale('H1', 'doors')}.`,
    );
  }
  if (supported('H3')) {
    const shrinks = of('H3').parts[0]!.found!.mean > 0;
    const at = lead('long', chosen, evidence);
    const caught = shrinks && at?.error !== undefined && pAbove(at, CAUGHT_UP) < LEVEL;
    sentences.push(
      `The lead of zero over ${chosen} ${shrinks ? 'shrinks' : 'grows'} from 1000 to 4000 steps${caught ? '; the embedding caught up' : ''}. ${scale('H3', 'doors', 'long')}.`,
    );
  }
  if (supported('H4')) {
    const seeds = of('H4').parts[0]!.seeds;
    const { found } = compare(
      { grid: 'doors', measure: 'text_bpb', plus: 'bytes+previous', minus: 'zero', seeds },
      evidence,
    );
    if (found && found.seeds === seeds.length && pEquivalent(found, MARGIN.text_bpb) < LEVEL)
      sentences.push(
        `Context, not geometry: other values do as well, and so does an embedding with the byte before. ${scale('H4', 'doors')}.`,
      );
  }
  return sentences;
}

/**
 * The pooled standard deviation over seeds of zero minus five other arms, after four seeds of grid B, which decides on
 * more seeds. It shows no mean. Undefined until all of them have finished.
 */
export function blindDeviation(evidence: Evidence): number | undefined {
  const others = ['projected', 'bytes', 'bytes-untied', 'permuted', 'random'];
  const found = others.map((minus) =>
    compare({ grid: 'doors', measure: 'text_bpb', plus: 'zero', minus, seeds: upTo(4) }, evidence),
  );
  if (found.some(({ finished }) => finished < 4)) return undefined;
  const squares = found.flatMap(({ found }) => found!.bySeed.map((value) => (value - found!.mean) ** 2));
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / (others.length * 3));
}

/** Seeds of grid B: six, or eight if the pooled deviation is above 0.036. */
export function seedsOfDoors(deviation: number | undefined): number {
  return deviation !== undefined && deviation > 0.036 ? 8 : 6;
}
