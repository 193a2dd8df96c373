import { z } from 'zod';

/** Lines that a person reads, and characters of one: a file may be wrong in a hundred thousand places. */
const MOST = { issues: 10, characters: 300 };

/** What is wrong with an input, a few lines for each thing: zod's own words, cut short. */
export function issuesOf({ issues }: z.ZodError): string {
  const words = z.prettifyError(new z.ZodError(issues.slice(0, MOST.issues)));
  const lines = words
    .split('\n')
    .map((line) => (line.length > MOST.characters ? `${line.slice(0, MOST.characters)}…` : line));
  if (issues.length > MOST.issues) lines.push(`… and ${issues.length - MOST.issues} more`);
  return lines.join('\n');
}
