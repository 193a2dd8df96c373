import { InputError } from './errors.js';

/** Limits on JSON from outside. */
export interface JsonLimits {
  readonly depth: number;
  /** entries of any one array */
  readonly items?: number;
  /** values in total: each takes some 50 bytes in memory, independent of its length in the file. Default 100,000 */
  readonly values?: number;
}

/**
 * `JSON.parse` for text from outside: refuses nesting deeper than `depth`, arrays longer than `items`, more values than
 * `values`, and a key given twice in one object (`JSON.parse` silently returns the last one).
 *
 * @throws InputError with the reason: "not JSON: …", "nested deeper than 3", `key "a" appears twice`
 */
export function parseJson(
  text: string,
  { depth: maxDepth, items: maxItems = Infinity, values: maxValues = 100_000 }: JsonLimits,
): unknown {
  let values = 1;
  const open: { keys: Set<string> | undefined; commas: number }[] = []; // one per bracket still open; keys for objects
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    const inside = open.at(-1);
    if (char === '{' || char === '[') {
      if (open.length === maxDepth) throw new InputError(`nested deeper than ${maxDepth}`);
      open.push({ keys: char === '{' ? new Set() : undefined, commas: 0 });
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === ',' && inside) {
      inside.commas++;
      if (++values > maxValues) throw new InputError(`more than ${maxValues} values`);
      if (!inside.keys && inside.commas >= maxItems) throw new InputError(`an array has more than ${maxItems} entries`);
    } else if (char === '"') {
      const start = i;
      // an escape hides the next character
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (inside?.keys && isKey(text, i + 1)) {
        const key = parse(text.slice(start, i + 1)) as string; // "\u0061" and "a" are one key
        if (inside.keys.has(key)) throw new InputError(`key ${JSON.stringify(key.slice(0, 80))} appears twice`);
        inside.keys.add(key);
      }
    }
  }
  return parse(text);
}

/** Is the string that ended just before `at` followed by a colon? */
function isKey(text: string, at: number): boolean {
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return text[at] === ':';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`not JSON: ${(error as Error).message.replace(/\s+/g, ' ').slice(0, 120)}`);
  }
}

/** Is it an object with keys: not null, not an array? */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
