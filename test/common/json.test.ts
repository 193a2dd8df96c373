import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { parseJson } from '../../src/common/json.js';
import { readJsonFile, WRITTEN } from '../../src/common/jsonFile.js';
import { readJsonLines } from '../../src/common/jsonl.js';
import { Skipped } from '../../src/train/data/skipped.js';

const folder = mkdtempSync(join(tmpdir(), 'json-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('parseJson', () => {
  it('agrees with JSON.parse on everything that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text, { depth: 16 })).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['[[[]]]', 'nested deeper than 2'],
    ['[1,2,3,4]', 'an array has more than 3 entries'],
    ['[[1,2],[3,4],[5,6]]', 'more than 5 values'],
    ['{"a":1,"b":{},"a":2}', 'key "a" appears twice'],
    ['{"a" : 1, "\\u0061"\n:2}', 'key "a" appears twice'],
    ['{"a"', 'not JSON: '],
    ['{"a":1}}', 'not JSON: '],
    ['', 'not JSON: '],
    ['{"a\\', 'not JSON: '],
    ['{"\\x":1}', 'not JSON: '],
  ])('refuses %s', (text, message) => {
    expect(() => parseJson(text, { depth: 2, items: 3, values: 5 })).toThrow(InputError);
    expect(() => parseJson(text, { depth: 2, items: 3, values: 5 })).toThrow(message);
  });

  it('takes brackets, colons and quotes within strings for what they are', () => {
    expect(parseJson('{"[[[{\\"":"a\\\\","b":["x","x"],"c":{"b":1}}', { depth: 2 })).toEqual({
      '[[[{"': 'a\\',
      b: ['x', 'x'],
      c: { b: 1 },
    });
  });

  it('throws nothing but InputError for any text', () => {
    const pieces = fc.array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '1', 'a', ' ', 'null', '"a"'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(pieces, (list) => {
        const text = list.join('');
        let parsed = false;
        try {
          parseJson(text, { depth: 99 });
          parsed = true;
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
        if (parsed) JSON.parse(text);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('readJsonFile', () => {
  it.each([
    ['a mebibyte', `["${'x'.repeat(1 << 20)}"]`, /long.json: is longer than such a file can be \(1 MiB\)/],
    ['100,000 values', `[${'1,'.repeat(100_000)}1]`, /long.json: cannot be used: more than 100000 values/],
  ])('reads a file of over %s only if we have written it', (_, content, refused) => {
    const path = join(folder, 'long.json');
    writeFileSync(path, content);
    expect(() => readJsonFile(path)).toThrow(refused);
    expect(readJsonFile(path, WRITTEN)).toEqual(JSON.parse(content));
  });
});

describe('readJsonLines', () => {
  it('numbers lines, skips blank ones, and continues after bad ones', () => {
    const path = join(folder, 'a.jsonl');
    writeFileSync(
      path,
      Buffer.concat([Buffer.from('{"a":1}\r\n\n[2]\nno\n'), Buffer.of(0xc3, 10), Buffer.from('"last"')]),
    );
    const lines = [...readJsonLines(path)];
    expect(lines.map(({ line }) => line)).toEqual([1, 3, 4, 5, 6]);
    expect(lines.map(({ value }) => value)).toEqual([{ a: 1 }, [2], undefined, undefined, 'last']);
    expect(lines[2]!.problem).toContain('not JSON');
    expect(lines[3]!.problem).toBe('not UTF-8');
    expect(lines.map(({ end }) => end)).toEqual([9, 14, 17, 19, undefined]);
  });

  it('joins a line that spans the chunks it reads', () => {
    const path = join(folder, 'long.jsonl');
    const long = 'é'.repeat(1_300_000); // 2.6 MB: across three chunks of 1 MiB, with a character cut in two
    writeFileSync(path, `"x"\n${JSON.stringify(long)}\n"y"\n`);
    expect([...readJsonLines(path)].map(({ value }) => (value === long ? 'long' : value))).toEqual(['x', 'long', 'y']);
  });
});

describe('readJsonLines, of a line that is too long', () => {
  it('skips it and continues', () => {
    const path = join(folder, 'longest.jsonl');
    writeFileSync(path, `"1234"\n"12345"\n"1234"\n`);
    expect([...readJsonLines(path, 6)]).toEqual([
      { line: 1, end: 7, value: '1234' },
      { line: 2, problem: 'a line of over 6 bytes, the most that are read' },
      { line: 3, end: 22, value: '1234' },
    ]);
  });

  it('tells so once, before it has read all of it', () => {
    const path = join(folder, 'hole.jsonl');
    writeFileSync(path, '1\n');
    truncateSync(path, 2 ** 31); // a hole: to read all of it takes seconds
    const lines = readJsonLines(path);
    expect([lines.next().value, lines.next().value]).toEqual([
      { line: 1, end: 2, value: 1 },
      { line: 2, problem: 'a line of over 8388608 bytes, the most that are read' },
    ]);
    lines.return(undefined);

    const short = join(folder, 'three chunks.jsonl');
    writeFileSync(short, `${'a'.repeat(3 << 20)}\n2`);
    expect([...readJsonLines(short, 9)].map(({ line, value }) => [line, value])).toEqual([
      [1, undefined],
      [2, 2],
    ]);
  });
});

describe('Skipped', () => {
  it('counts all and keeps a hundred', () => {
    const leftOut = new Skipped();
    for (let i = 0; i < 150; i++) leftOut.add(`a:${i}`, 'bad');
    expect([leftOut.count, leftOut.reasons.length, leftOut.summary()]).toEqual([
      150,
      100,
      ' (150 left out, the first: a:0: bad)',
    ]);
  });

  it('lets errors that are not about files pass', () => {
    expect(() =>
      new Skipped().attempt('a', 'a', () => {
        throw new TypeError('a bug');
      }),
    ).toThrow(new TypeError('a bug'));
  });
});
