import type { ArmSummary, Group } from './collect.js';
import { type Interval, pairedDifference, side } from './intervals.js';

/** What measurements say of a claim. */
export type Verdict = 'reproduced' | 'refuted' | 'undecided at this scale';

/** A claim, judged by what was measured. */
export interface Claim {
  /** what is claimed, a sentence */
  readonly text: string;
  readonly verdict: Verdict;
  /** the numbers that the verdict rests on, a sentence */
  readonly evidence: string;
}

/** Two doors whose difference is surely smaller than this, in bits per byte, count as equally good. */
export const AS_WELL = 0.05;

/** A binding gap that is surely smaller than this, in bits per byte, counts as none: a decoder that listens shows ten times as much. */
export const BINDS = 0.02;

const BPB = { text_bpb: 'text', caption_bpb: 'captions', video_bpb: 'video' } as const;
type Bpb = keyof typeof BPB;

/** Differences that the seed reports at K = 8, one run each: text and caption bits per byte of zero minus those of the other door. */
const SEED: Readonly<Record<string, Partial<Record<Bpb, number>>>> = {
  projected: { text_bpb: 2.483 - 2.457, caption_bpb: 1.503 - 1.329 },
  bytes: { text_bpb: 2.483 - 2.848, caption_bpb: 1.503 - 2.532 },
};

/**
 * The seed's claims, and the questions asked of them since, as far as the arms are there to answer. A difference is judged by
 * its whole 95 % interval over seeds, so a single seed decides nothing.
 */
export function judgeClaims(groups: readonly Group[]): Claim[] {
  return [...groups.flatMap((group) => ofGroup(group, groups.length > 1)), ...ofSlotWidths(groups)];
}

function ofGroup({ K, steps, windows, arms }: Group, several: boolean): Claim[] {
  const where = several ? ` (K ${K}, ${steps} steps)` : '';
  const claims: Claim[] = [];
  const find = (name: string) => arms.find(({ arm }) => arm === name);
  const zero = find('zero');
  if (zero === undefined) return [];
  const compare = (other: string, measure: Bpb, text: string, margin: number) => {
    const difference = find(other)?.toZero?.[measure];
    if (difference === undefined) return;
    const zeroMinus = negated(difference);
    const seeds = SEED[other]?.[measure];
    claims.push({
      text: text + where,
      verdict: verdictOf(side(zeroMinus, margin), 'below'),
      evidence:
        `zero minus ${other} is ${shown(zeroMinus)} bits per byte` +
        (seeds === undefined ? '.' : `; the seed reports ${signed(seeds)}.`),
    });
  };
  for (const [measure, of] of Object.entries(BPB) as [Bpb, string][]) {
    const equal = `With nothing to learn at the door a decoder does as well on ${of} as with a learned projection, to ${AS_WELL} bits`;
    compare('projected', measure, equal, AS_WELL);
    compare('bytes', measure, `The zero door does better on ${of} than plain byte embeddings`, 0);
    for (const control of ['learned', 'random', 'permuted']) {
      const text = `HSL's own values do better on ${of} than ${CONTROLS[control]}`;
      compare(control, measure, text, 0);
    }
  }
  for (const { arm, measures } of arms.filter(({ arm }) => arm === 'zero' || arm === 'bytes')) {
    const { binding_gap: gap, retrieval } = measures;
    if (gap) {
      claims.push({
        text: `The ${arm} door binds sound to words: another's audio makes a caption dearer, by more than ${BINDS} bits${where}`,
        verdict: verdictOf(side(gap, BINDS), 'above'),
        evidence: `the binding gap is ${shown(gap)} bits per byte.`,
      });
    }
    if (retrieval) {
      claims.push({
        text: `Through the ${arm} door the right caption is found among ten more often than by chance${where}`,
        verdict: verdictOf(side(withChance(retrieval, windows), 0.1), 'above'),
        evidence: `retrieval is ${shown(retrieval, false)}; chance is 0.1, give or take ${chanceHalf(windows).toFixed(3)} for ${windows} windows.`,
      });
    }
  }
  return [...claims, ...ofChannels(arms, zero, where)];
}

/** Half the 95 % interval of retrieval by guessing among ten: seeds share their windows, so their spread does not show it. */
function chanceHalf(windows: number): number {
  return 1.96 * Math.sqrt((0.1 * 0.9) / windows);
}

function withChance({ n, mean, half }: Interval, windows: number): Interval {
  return { n, mean, half: half === undefined ? undefined : Math.hypot(half, chanceHalf(windows)) };
}

const CONTROLS: Readonly<Record<string, string>> = {
  learned: 'a table that is learned',
  random: 'a random table of the same spread',
  permuted: 'the same rows given to other bytes',
};

/** How much of the lead is the byte before, and are raw bits as good as their differences? */
function ofChannels(arms: readonly ArmSummary[], zero: ArmSummary, where: string): Claim[] {
  const claims: Claim[] = [];
  const withChannels = (...names: string[]) =>
    arms.find(({ door, channels }) => door === 'zero' && channels?.join() === names.join());
  const value = withChannels('value');
  const bytes = arms.find(({ arm }) => arm === 'bytes');
  const without = value?.toZero?.text_bpb;
  const lead = bytes?.toZero?.text_bpb;
  if (without) {
    const share = !lead
      ? ''
      : side(lead, 0) === 'above' || (lead.half === undefined && lead.mean > 0)
        ? `; of the lead over bytes, ${signed(lead.mean)}, that is ${percent(without.mean / lead.mean)}`
        : `; there is no sure lead over bytes that they could explain: bytes minus zero is ${shown(lead)}`;
    claims.push({
      text: `The context channels, which hand over the byte before, help on text${where}`,
      verdict: verdictOf(side(without, 0), 'above'),
      evidence: `without them text costs ${shown(without)} bits per byte more${share}.`,
    });
  }
  const bits = withChannels('bits');
  const dxor = withChannels('dxor');
  const pair = bits && dxor && pairedDifference(dxor.bySeed.text_bpb ?? new Map(), bits.bySeed.text_bpb ?? new Map());
  if (pair) {
    claims.push({
      text: `Alone, the differences of bits (dxor) do better on text than the raw bits${where}`,
      verdict: verdictOf(side(pair, 0), 'below'),
      evidence: `dxor minus bits is ${shown(pair)} bits per byte; zero with all channels is at ${shown(zero.measures.text_bpb!, false)}.`,
    });
  }
  return claims;
}

/** Do wider slots, so fewer positions, cost nothing? */
function ofSlotWidths(groups: readonly Group[]): Claim[] {
  const [narrow, ...wider] = groups.toSorted((a, b) => a.K - b.K);
  return wider.flatMap((wide) => {
    const [a, b] = [wide, narrow!].map(({ arms }) => arms.find(({ arm }) => arm === 'zero')?.bySeed.text_bpb);
    if (wide.steps !== narrow!.steps || wide.K === narrow!.K || !a || !b) return [];
    const difference = pairedDifference(a, b);
    if (difference === undefined) return [];
    return [
      {
        text: `The zero door does as well on text with ${wide.K} bytes to a slot as with ${narrow!.K}, to ${AS_WELL} bits`,
        verdict: verdictOf(side(difference, AS_WELL), 'below'),
        evidence: `K ${wide.K} minus K ${narrow!.K} is ${shown(difference)} bits per byte; the seed reports −0.0015 for 16 and 8.`,
      },
    ];
  });
}

/** The claim holds where the interval lies wholly on the claimed side of the bound. */
function verdictOf(found: ReturnType<typeof side>, claimed: 'below' | 'above'): Verdict {
  if (found === 'open') return 'undecided at this scale';
  return found === claimed ? 'reproduced' : 'refuted';
}

function negated({ n, mean, half }: Interval): Interval {
  return { n, mean: -mean, half };
}

/** signed(-0.365) // "−0.365"; signed(-1e-6) // "0.000" */
export function signed(value: number): string {
  const digits = Math.abs(value).toFixed(3);
  if (Number(digits) === 0) return digits;
  return `${value < 0 ? '−' : '+'}${digits}`;
}

/** "+0.012 (95 % interval −0.030 to +0.054, 3 seeds)" */
function shown({ n, mean, half }: Interval, sign = true): string {
  const number = (value: number) => (sign ? signed(value) : value.toFixed(3).replace('-', '−'));
  if (half === undefined) return `${number(mean)} (one seed)`;
  return `${number(mean)} (95 % interval ${number(mean - half)} to ${number(mean + half)}, ${n} seeds)`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
