import { z } from 'zod';

/** Lines that a person reads, and characters of one: a file may be wrong in a hundred thousand places. */
const MAX = { issues: 10, characters: 300 };

/**
 * What is wrong with an input, a line for each thing: `grid.json: arms[1].door: no door is called "wide"; there are zero, …`.
 *
 * @param from the file or flag that it came from; '' where that is said already
 */
export function issuesOf({ issues }: z.ZodError, from: string): string {
  const lines = issues.slice(0, MAX.issues).map(({ path, message }) => {
    const line = [from, z.core.toDotPath(path), message].filter((words) => words !== '').join(': ');
    return line.length > MAX.characters ? `${line.slice(0, MAX.characters)}…` : line;
  });
  if (issues.length > MAX.issues) lines.push(`… and ${issues.length - MAX.issues} more`);
  return lines.join('\n');
}

/** `schema.safeParse` whose messages are in our words: `must be at least 1`, whatever the checking library calls that. */
export function checked<S extends z.ZodType>(schema: S, input: unknown): z.ZodSafeParseResult<z.output<S>> {
  return schema.safeParse(input, { error: inWords });
}

/** How types are called in messages. */
const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return 'must not be empty';
      return `must be ${issue.inclusive ? 'at least' : 'above'} ${number(issue.minimum)}`;
    case 'too_big':
      return `must be ${issue.inclusive ? 'at most' : 'below'} ${number(issue.maximum)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'name' : 'names'} ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    case 'invalid_key':
      return 'unknown name';
    default:
      return undefined;
  }
}

function number(value: number | bigint): string {
  return value.toLocaleString('en-US');
}
