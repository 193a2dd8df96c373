import { chartsHtml, pageHtml } from '../report/page.js';
import { ratioOf } from '../train/measures.js';
import { chartsOf } from './charts.js';
import type { CollectedCell } from './collect.js';
import { type Contrast, contrast, difference } from './contrast.js';
import { type Crossings, crossingsOf } from './crossings.js';
import {
  blindDeviation,
  type Evidence,
  hypotheses,
  type Judgement,
  judge,
  leads,
  reading,
  scaleOf,
  seedsOfDoors,
} from './hypotheses.js';
import { type Interval, intervalOf } from './intervals.js';
import { contrastText, intervalText, signed } from './numberText.js';
import { markdownTable, type Report, type Table } from './report.js';
import { listHtml, tableHtml } from './reportHtml.js';
import { runsOf } from './runs.js';

/** The present state of the registered experiment. */
export interface Verdicts {
  /** commit that registered results/PROTOCOL.md */
  readonly protocol: string;
  /**
   * finished and registered cells by grid, in the order in which they are run; a grid that depends on others may not
   * exist yet
   */
  readonly progress: readonly { readonly grid: string; readonly finished: number; readonly cells?: number }[];
  /**
   * the pooled deviation over seeds that decides on more seeds; absent until seeds 0 to 3 of grid doors have finished
   */
  readonly deviation?: number;
  readonly judgements: readonly Judgement[];
  /** conclusions from the verdicts; empty if nothing is decided */
  readonly reading: readonly string[];
  /** text bits per byte of the square's four arms */
  readonly corners: Readonly<Record<string, Interval>>;
  /** effects of the square {HSL, embedding} × {byte before, none} */
  readonly square: readonly { readonly effect: string; readonly found?: Contrast }[];
  /** zero minus each other arm of grid doors, in text bits per byte: secondary */
  readonly secondary: readonly { readonly arm: string; readonly found: Contrast }[];
  /** the two differences that H3 subtracts, a sentence each; empty before a run of grid long has finished */
  readonly leads: readonly string[];
  /** zero and each other arm of grid long: secondary */
  readonly crossings: readonly Crossings[];
}

/** The registered grids, in their order. */
export const REGISTERED = [
  'rates',
  'rates-beyond',
  'rates-again',
  'deviations',
  'doors',
  'binding-rates',
  'binding',
  'small',
  'long',
  'small-long',
] as const;

/** The arms of the square: HSL and the embedding, each with the byte before and without. */
const CORNERS = ['zero', 'zero:value', 'bytes+previous', 'bytes-untied'] as const;

/** @param chosen the byte embedding that grid A finds better; undefined until it is known */
export function verdictsOf(all: Evidence, chosen: string | undefined, protocol: string): Verdicts {
  const deviation = blindDeviation(all);
  // No mean of grid doors is shown before its deviation has decided on the seeds.
  const evidence = new Map([...all].filter(([name]) => name !== 'doors' || deviation !== undefined));
  const embedding = chosen ?? 'the chosen embedding'; // no arm of that name has runs
  const judgements = judge(hypotheses(embedding, seedsOfDoors(deviation)), evidence);
  const doors = evidence.get('doors') ?? [];
  const zero = runsOf(doors, 'zero', 'text_bpb');
  const others = (cells: readonly CollectedCell[]) =>
    [...new Set(cells.map(({ cell }) => cell.arm))].filter((arm) => arm !== 'zero');
  const long = evidence.get('long') ?? [];
  return {
    protocol,
    progress: REGISTERED.flatMap((grid) => {
      const cells = all.get(grid);
      if (cells === undefined && grid === 'rates-beyond') return []; // exists only if an arm was best at an end
      const finished = cells?.filter(({ state }) => state === 'finished').length ?? 0;
      return [{ grid, finished, ...(cells && { cells: cells.length }) }];
    }),
    ...(deviation !== undefined && { deviation }),
    judgements,
    reading: reading(judgements, embedding, evidence),
    corners: Object.fromEntries(
      CORNERS.flatMap((arm) => {
        const values = runsOf(doors, arm, 'text_bpb').map(ratioOf);
        return values.length > 0 ? [[arm, intervalOf(values)]] : [];
      }),
    ),
    square: squareOf(doors),
    secondary: others(doors).flatMap((arm) => {
      const found = difference(zero, runsOf(doors, arm, 'text_bpb'));
      return found ? [{ arm, found }] : [];
    }),
    leads: leads(embedding, evidence),
    crossings: others(long).flatMap((arm) => crossingsOf(long, ['zero', arm], 'text_bpb') ?? []),
  };
}

/**
 * The effect of the previous byte for each kind of row, the effect of HSL with and without it, and their interaction.
 */
function squareOf(doors: readonly CollectedCell[]): Verdicts['square'] {
  const runs = (arm: string) => runsOf(doors, arm, 'text_bpb');
  const effect = (name: string, factors: Readonly<Record<string, number>>) => {
    const found = contrast(Object.entries(factors).map(([arm, factor]) => ({ runs: runs(arm), factor })));
    return { effect: name, ...(found && { found }) };
  };
  const [hsl, alone, both, bare] = CORNERS;
  return [
    effect('the byte before, to HSL: zero − zero:value', { [hsl]: 1, [alone]: -1 }),
    effect('the byte before, to an embedding: bytes+previous − bytes-untied', { [both]: 1, [bare]: -1 }),
    effect('HSL in place of an embedding, with the byte before: zero − bytes+previous', { [hsl]: 1, [both]: -1 }),
    effect('HSL in place of an embedding, without it: zero:value − bytes-untied', { [alone]: 1, [bare]: -1 }),
    effect('the byte before, on average', { [hsl]: 0.5, [alone]: -0.5, [both]: 0.5, [bare]: -0.5 }),
    effect('HSL in place of an embedding, on average', { [hsl]: 0.5, [alone]: 0.5, [both]: -0.5, [bare]: -0.5 }),
    effect('interaction', { [hsl]: 1, [alone]: -1, [both]: -1, [bare]: 1 }),
  ];
}

/** The tables of verdicts: progress, hypotheses, the square, differences. */
export function verdictTables(verdicts: Verdicts): Table[] {
  const { progress, judgements, corners, square, secondary, crossings } = verdicts;
  const mean = (arm: string) => (corners[arm] ? intervalText(corners[arm]) : 'no runs yet');
  const [hsl, alone, both, bare] = CORNERS.map(mean) as [string, string, string, string];
  const tables = [
    {
      title: 'Progress',
      header: ['grid', 'runs finished', 'registered'],
      rows: progress.map(({ grid, finished, cells }) => [
        grid,
        `${finished}`,
        cells === undefined ? 'not defined yet' : `${cells}`,
      ]),
    },
    {
      title: 'Hypotheses, with Holm’s correction over all five at 0.05',
      header: ['', 'hypothesis', 'verdict', 'p', 'corrected', 'runs'],
      rows: judgements.map(({ id, text, verdict, p, adjusted, parts }) => [
        id,
        text,
        verdict,
        pText(p),
        pText(adjusted),
        parts.map(({ finished, seeds }) => `${finished} of ${seeds.length}`).join(', '),
      ]),
    },
    {
      title: 'The square {HSL, embedding} × {with the byte before, without}: text bits per byte, grid doors',
      header: ['', 'with the byte before', 'without'],
      rows: [
        ['HSL', `zero: ${hsl}`, `zero:value: ${alone}`],
        ['embedding', `bytes+previous: ${both}`, `bytes-untied: ${bare}`],
      ],
    },
    {
      title: 'Effects in the square: secondary, not corrected',
      header: ['effect', 'text bits per byte'],
      rows: square.map(({ effect, found }) => [effect, found ? contrastText(found) : 'no runs yet']),
    },
    {
      title: 'zero minus each other arm, grid doors: secondary, not corrected',
      header: ['arm', 'text bits per byte'],
      rows: secondary.map(({ arm, found }) => [`zero − ${arm}`, contrastText(found)]),
    },
    {
      title: 'Where mean curves of grid long cross: text bits per byte, secondary',
      header: ['arms', 'seeds', 'they cross', 'difference at the last step'],
      rows: crossings.map(({ arms, seeds, steps, differences, between }) => [
        arms.join(' − '),
        `${seeds}`,
        between.length === 0
          ? `at none of ${steps.length} validations, steps ${steps[0]} to ${steps.at(-1)}`
          : between.map(([from, to]) => `between steps ${from} and ${to}`).join(', '),
        signed(differences.at(-1)!),
      ]),
    },
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

/** pText(0.00002) // "< 0.0001", with a space that does not break */
function pText(p: number): string {
  return p < 0.0001 ? '<\u00a00.0001' : p.toFixed(4);
}

/** The evidence of each hypothesis, one sentence per part, and the rules of reading. */
export function evidenceLines({ judgements, leads }: Verdicts): string[] {
  return judgements.flatMap(({ id, verdict, parts }) => [
    ...parts.map(({ sentence }) => `${id}, ${verdict}: ${sentence}.`),
    ...(id === 'H3' ? leads.map((sentence) => `H3, what it subtracts: ${sentence}.`) : []),
  ]);
}

const NOTHING =
  'Nothing is decided yet: a verdict is drawn only when all registered runs of a hypothesis have finished.';

/** The state of the decision, and the number of seeds. */
function headlines({ reading, deviation, progress }: Verdicts): string[] {
  const begun = progress.some(({ grid, finished }) => grid === 'doors' && finished > 0);
  const seeds =
    deviation === undefined
      ? 'Grid doors shows no mean before the deviation of its seeds 0 to 3 has decided on the number of seeds.'
      : `The pooled deviation over seeds 0 to 3 of grid doors is ${deviation.toFixed(4)}, so ${seedsOfDoors(deviation)} seeds decide.`;
  return [...(reading.length > 0 ? reading : [NOTHING]), ...(begun ? [seeds] : [])];
}

/** The verdicts as Markdown. */
export function verdictsMarkdown(verdicts: Verdicts): string {
  return [
    '# The registered experiment',
    '',
    `Registered in [\`PROTOCOL.md\`](PROTOCOL.md), commit ${verdicts.protocol}. Written by \`npx tsx results/report.ts\`. With curves: [\`verdicts.html\`](verdicts.html).`,
    '',
    ...headlines(verdicts).flatMap((line) => [line, '']),
    ...verdictTables(verdicts).flatMap((table) => markdownTable(table, 2)),
    '## Evidence',
    '',
    ...evidenceLines(verdicts).map((line) => `- ${line}`),
    '',
  ].join('\n');
}

/** The verdicts as one page, with the curves of every grid that has runs. */
export function verdictsHtml(verdicts: Verdicts, reports: readonly Report[], evidence: Evidence): string {
  const charts = reports.map((report) => chartsOf(report));
  const sections = reports.map((report, i) => {
    const first = charts.slice(0, i).reduce((sum, { length }) => sum + length, 0);
    return charts[i]!.length === 0
      ? ''
      : `<h2>${scaleOf(report.name, evidence)}</h2>\n${chartsHtml(charts[i]!, first)}`;
  });
  const [progress, ...tables] = verdictTables(verdicts).map(tableHtml);
  return pageHtml({
    title: 'The registered experiment',
    kicker: `byte-to-loss, registered in results/PROTOCOL.md, commit ${verdicts.protocol}`,
    charts: charts.flat(),
    body: `${listHtml(headlines(verdicts))}
${tables.join('\n')}
<h3>Evidence</h3>
${listHtml(evidenceLines(verdicts))}
${progress}
${sections.join('\n')}`,
  });
}
