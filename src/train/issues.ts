import { z } from 'zod';

/** Maximum lines of a message, and characters of a line: a file may have a hundred thousand errors. */
const MAX = { issues: 10, characters: 300 };

/** A whole number of a schema. */
export const whole = (least: number, most = 1e9) => z.number().int().min(least).max(most);

/**
 * The errors of an input, one line each: `grid.json: arms[1].door: no door is called "wide"; there are zero, …`.
 *
 * @param from the file or flag of the input; '' if the message already names it
 */
export function issuesOf({ issues }: z.ZodError, from: string): string {
  const lines = issues.slice(0, MAX.issues).map(({ path, message }) => {
    const line = [from, z.core.toDotPath(path), message].filter((words) => words !== '').join(': ');
    return line.length > MAX.characters ? `${line.slice(0, MAX.characters)}…` : line;
  });
  if (issues.length > MAX.issues) lines.push(`… and ${issues.length - MAX.issues} more`);
  return lines.join('\n');
}

/**
 * `schema.safeParse` with our own messages, such as `must be at least 1`, in place of those of the checking library.
 */
export function checked<S extends z.ZodType>(schema: S, input: unknown): z.ZodSafeParseResult<z.output<S>> {
  return schema.safeParse(input, { error: inWords });
}

/** Names of types in messages. */
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
