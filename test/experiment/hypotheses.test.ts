import { describe, expect, it } from 'vitest';
import {
  blindDeviation,
  type Evidence,
  hypotheses,
  judge,
  reading,
  seedsOfDoors,
} from '../../src/experiment/hypotheses.js';
import { verdictsHtml, verdictsMarkdown, verdictsOf } from '../../src/experiment/verdicts.js';
import { cellsOf, DOORS, evidence } from '../support/evidence.js';

const verdicts = (found: Evidence) =>
  judge(hypotheses('bytes-untied'), found).map(({ id, verdict }) => `${id} ${verdict}`);
const supported = (id: string) => `${id} supported`;

describe('the registered hypotheses', () => {
  it('are supported where the numbers are as they say', () => {
    expect(verdicts(evidence())).toEqual(['H1', 'H2', 'H3', 'H4', 'H5'].map(supported));
    const said = reading(judge(hypotheses('bytes-untied'), evidence()), 'bytes-untied', evidence());
    expect(said[0]).toMatch(
      /^The claim is reproduced at this scale, and zero is equivalent to projected within ±0\.05\. Grid doors: dim 128, 2 layers, K 4, 1000 steps of 8 windows\.$/,
    );
    expect(said[1]).toMatch(
      /^The lead of zero over bytes-untied shrinks from 1000 to 4000 steps; the embedding caught up\./,
    );
    expect(said[2]).toMatch(/^Context, not geometry/);
  });

  it('name scale, budget and seeds in every sentence, and never refute', () => {
    const shown = verdictsMarkdown(verdictsOf(evidence(), 'bytes-untied', 'abc'));
    expect(shown).toMatch(
      /H2, supported: zero − bytes: −0\.\d{3} \(95 % interval .*; bootstrap .*; 6 seeds, 40 windows\) text bits per byte; the hypothesis needs it below 0\.000\. Grid doors: dim 128, 2 layers, K 4, 1000 steps of 8 windows\./,
    );
    expect(shown).not.toContain('refuted');
    for (const line of shown.split('\n').filter((each) => /^- H\d/.test(each)))
      expect(line).toMatch(/Grid \w+: dim \d+, .* \d+ steps/);
  });

  it('are contradicted if the whole interval is on the other side, at this scale only', () => {
    expect(verdicts(evidence({ ...DOORS, projected: 2.3 }))[0]).toBe('H1 contradicted at this scale');
    expect(verdicts(evidence({ ...DOORS, bytes: 2.3 }))[1]).toBe('H2 contradicted at this scale');
    expect(verdicts(evidence({ ...DOORS, permuted: 2.7 }))[3]).toBe('H4 contradicted at this scale');
  });

  it('are supported as a whole or not: one embedding that is as good leaves H2 not decided', () => {
    expect(verdicts(evidence({ ...DOORS, 'bytes-untied': 2.5 }))[1]).toBe('H2 not decided');
  });

  it('are not decided until all registered runs have finished, however clear the numbers are', () => {
    const doors = cellsOf('doors', DOORS, 6).filter(({ cell }) => !(cell.arm === 'bytes' && cell.seed === 5));
    const found = judge(hypotheses('bytes-untied'), evidence(DOORS, [['doors', doors]]));
    expect(found.map(({ verdict }) => verdict)).toEqual([
      'supported',
      'not decided',
      'supported',
      'supported',
      'supported',
    ]);
    expect(found[1]).toMatchObject({ p: 1, adjusted: 1 });
    expect(found[1]!.parts[0]!.finished).toBe(5);
    expect(verdicts(new Map())).toEqual(['H1', 'H2', 'H3', 'H4', 'H5'].map((id) => `${id} not decided`));
  });

  it('count a run that was not finite as a loss', () => {
    const broken = (arm: string) => {
      const cells = cellsOf('doors', DOORS, 6);
      const other = cellsOf('doors', { ...DOORS, [arm]: null }, 6);
      return cells.map((each, i) => (each.cell.arm === arm && each.cell.seed === 2 ? other[i]! : each));
    };
    const found = judge(hypotheses('bytes-untied'), evidence(DOORS, [['doors', broken('zero')]]));
    expect(found[0]!.verdict).toBe('not decided');
    expect(found[0]!.parts[0]!.finished).toBe(6);
    // 8.011 − 2.5, in one of six seeds
    expect(found[0]!.parts[0]!.found!.mean).toBeCloseTo((Math.log2(258) - 2.5) / 6, 1);
    // A competitor that broke is no proof either: one value of six that is far off makes the interval wide.
    expect(judge(hypotheses('bytes-untied'), evidence(DOORS, [['doors', broken('bytes')]]))[1]!.verdict).toBe(
      'not decided',
    );
  });

  it('are held to Holm’s level, not to 0.05 each', () => {
    const found = judge(
      hypotheses('bytes-untied'),
      new Map([['doors', cellsOf('doors', { zero: 2.5, projected: 2.5 }, 6)]]),
    );
    const [h1] = found;
    expect(h1!.adjusted).toBeCloseTo(5 * h1!.p, 12); // four others are not decided, and count
  });
});

describe('the page', () => {
  it('has the square, and the progress of every grid', () => {
    const all = verdictsOf(evidence(), 'bytes-untied', 'abc');
    expect(all.square.at(-1)!.found!.mean).toBeCloseTo(2.5 - 2.65 - (2.51 - 2.8), 1);
    expect(all.progress.find(({ grid }) => grid === 'doors')).toMatchObject({ finished: 48, cells: 48 });
    expect(all.progress.find(({ grid }) => grid === 'small')).toEqual({ grid: 'small', finished: 0 });
    expect(verdictsHtml(all, [], evidence())).toContain('<td>interaction</td>');
  });

  it('decides nothing, and says so, without runs', () => {
    expect(verdictsMarkdown(verdictsOf(new Map(), undefined, 'abc'))).toContain('Nothing is decided yet');
  });
});

it('the deviation that decides on more seeds is of four seeds, and shows no mean', () => {
  const value = blindDeviation(evidence())!;
  expect(value).toBeGreaterThan(0.001);
  expect(value).toBeLessThan(0.1);
  const shifted = blindDeviation(evidence({ ...DOORS, zero: 3.5 }))!;
  expect(shifted).toBeCloseTo(value, 9);
  expect(blindDeviation(new Map())).toBeUndefined();
  expect([seedsOfDoors(undefined), seedsOfDoors(0.036), seedsOfDoors(0.0361)]).toEqual([6, 6, 8]);
});

it('shows no mean of grid doors before that deviation is known', () => {
  const doors = cellsOf('doors', DOORS, 6).filter(({ cell }) => cell.seed < 3);
  const early = verdictsOf(new Map([['doors', doors]]), 'bytes-untied', 'abc');
  expect(early.progress.find(({ grid }) => grid === 'doors')!.finished).toBe(24);
  expect([early.deviation, early.corners, early.secondary]).toEqual([undefined, {}, []]);
  expect(verdictsMarkdown(early)).toContain('Grid doors shows no mean before');
  expect(verdictsMarkdown(early)).not.toMatch(/[−+]\d\.\d{3} \(95/);
  const later = verdictsMarkdown(verdictsOf(evidence(), 'bytes-untied', 'abc'));
  expect(later).toMatch(/The pooled deviation over seeds 0 to 3 of grid doors is 0\.\d{4}, so 6 seeds decide/);
});
