import { z } from 'zod';

/** Lines that a person reads, and characters of one: a file may be wrong in a hundred thousand places. */
const MOST = { issues: 10, characters: 300 };

/**
 * What is wrong with an input, a line for each thing: `grid.json: arms[1].door: no door is called "wide"; there are zero, …`.
 *
 * @param from the file or flag that it came from; '' where that is said already
 */
export function issuesOf({ issues }: z.ZodError, from: string): string {
  const lines = issues.slice(0, MOST.issues).map(({ path, message }) => {
    const line = [from, z.core.toDotPath(path), message].filter((words) => words !== '').join(': ');
    return line.length > MOST.characters ? `${line.slice(0, MOST.characters)}…` : line;
  });
  if (issues.length > MOST.issues) lines.push(`… and ${issues.length - MOST.issues} more`);
  return lines.join('\n');
}
