import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** What a check found. */
export interface Outcome {
  /** the promise, in words */
  readonly promise: string;
  /** what was counted: `200 kills, 200 readable, …` */
  readonly counts: Readonly<Record<string, number | string>>;
  /** adapter it ran on; absent where none is used */
  readonly adapter?: string;
  /** a line for each time the promise was broken */
  readonly broken: readonly string[];
}

/** An outcome as results/reliability.json keeps it. */
export type Row = Outcome & {
  readonly command: string;
  readonly seconds: number;
  readonly node: string;
  readonly cores: number;
};

const FOLDER = new URL('../../results/', import.meta.url);
const JSON_FILE = new URL('reliability.json', FOLDER);
const TABLE = new URL('reliability.md', FOLDER);

/** Print an outcome, and write it into the table of results. */
export function record(name: string, count: string | undefined, outcome: Outcome, seconds: number): void {
  const command = ['npm run reliability --', name, ...(count === undefined ? [] : [count])].join(' ');
  const row: Row = { command, ...outcome, seconds, node: process.version, cores: availableParallelism() };
  for (const line of outcome.broken.slice(0, 20)) console.log(`BROKEN: ${line}`);
  console.log(`${command}: ${words(row)} in ${seconds} s`);
  mkdirSync(FOLDER, { recursive: true });
  const before = existsSync(JSON_FILE) ? (JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Record<string, Row>) : {};
  const rows = { ...before, [name]: row };
  writeFileSync(JSON_FILE, `${JSON.stringify(rows, null, 2)}\n`);
  writeFileSync(TABLE, table(Object.values(rows)));
}

function words({ counts, broken }: Outcome): string {
  const counted = Object.entries(counts).map(([what, value]) => `${value} ${what}`);
  return [...counted, broken.length === 0 ? 'kept' : `broken ${broken.length} times`].join(', ');
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    (row) => `| ${row.promise} | ${words(row)} | \`${row.command}\` | ${row.adapter ?? 'none'}, ${row.seconds} s |`,
  );
  return `# Reliability\n\n| Promise | Found | Command | Adapter, time |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}
