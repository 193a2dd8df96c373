import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/common/errors.js';
import { mobyDick, openText, order0Entropy, textWindow } from '../../../src/train/windows/text.js';
import { EOS, MASK } from '../../../src/train/windows/window.js';

const folder = mkdtempSync(join(tmpdir(), 'text-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const size = { prefix: 4, stream: 3 };
const document = { source: 'a', bytes: Uint8Array.of(1, 2, 3, 4, 5), closed: true };

describe('a text window', () => {
  it('is the bytes before and the bytes after', () => {
    const long = { source: 'a', bytes: Uint8Array.from({ length: 20 }, (_, i) => i), closed: true };
    const { prefix, stream, weights } = textWindow(long, 10, size);
    expect([[...prefix], [...stream], [...weights]]).toEqual([
      [6, 7, 8, 9],
      [10, 11, 12],
      [1, 1, 1],
    ]);
  });

  it('closes a document with one EOS and pads with MASK of weight 0', () => {
    const { prefix, stream, weights } = textWindow(document, 4, size);
    expect([[...prefix], [...stream], [...weights]]).toEqual([
      [1, 2, 3, 4],
      [5, EOS, MASK],
      [1, 1, 0],
    ]);
    const cut = textWindow({ ...document, closed: false }, 4, size);
    expect([[...cut.stream], [...cut.weights]]).toEqual([
      [5, MASK, MASK],
      [1, 0, 0],
    ]);
  });

  it('pads before a document that starts inside the prefix', () => {
    expect([...textWindow(document, 2, size).prefix]).toEqual([MASK, MASK, 1, 2]);
  });

  it('can be the EOS alone', () => {
    expect([...textWindow(document, 5, size).stream]).toEqual([EOS, MASK, MASK]);
  });
});

describe('openText', () => {
  const numbers = file(
    'numbers.txt',
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );

  it('holds out the last tenth of a text', () => {
    const text = openText([numbers], size);
    expect(text.documents.train.map(({ bytes }) => [bytes[0], bytes.length])).toEqual([[0, 90]]);
    expect(text.documents.validation.map(({ bytes }) => [bytes[0], bytes.length])).toEqual([[90, 10]]);
    // train: 90 ids, streams begin at 4..87; validation: 10 bytes and EOS, streams begin at 4..8
    expect([text.trainCount, text.validationCount]).toEqual([84, 5]);
    expect([...text.validation(4).stream]).toEqual([98, 99, EOS]);
  });

  it('draws every window of the train part and no byte of the held-out part', () => {
    const text = openText([numbers], size);
    const seen = new Set<number>();
    for (let step = 0; step < 400; step++) {
      const { prefix, stream, info } = text.sample('train', 1, step, step % 3);
      expect(prefix[0]).toBe(info.at - 4);
      expect(stream[2]).toBe(info.at + 2);
      seen.add(info.at);
    }
    expect([Math.min(...seen), Math.max(...seen), seen.size > 80]).toEqual([4, 87, true]);
  });

  it('draws by seed, step and index, and by nothing else', () => {
    const at = (seed: number, step: number, index: number) =>
      openText([numbers], size).sample('train', seed, step, index).info.at;
    const text = openText([numbers], size);
    for (let i = 0; i < 9; i++) text.sample('train', 0, 0, 0);
    expect(text.sample('train', 7, 5, 3).info.at).toBe(at(7, 5, 3));
    const varied = [0, 1, 2, 3, 4, 5].flatMap((i) => [at(i, 5, 3), at(7, i, 3), at(7, 5, i)]);
    expect(new Set(varied).size).toBeGreaterThan(8);
  });

  it('spaces the held-out windows evenly', () => {
    const long = file(
      'long.txt',
      Uint8Array.from({ length: 1070 }, (_, i) => i & 255),
    );
    const text = openText([long], size, { validationWindows: 4, validation: 0.1 });
    // 107 bytes and EOS are held out: streams begin at 4..105, 102 places, so at 4 + 12, 38, 63, 89
    expect([0, 1, 2, 3].map((i) => text.validation(i).info.at)).toEqual([16, 42, 67, 93]);
  });

  it('reads JSONL, holds out every tenth document, and pads short ones', () => {
    const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify({ text: `doc ${i}` }));
    const text = openText([file('docs.jsonl', `${lines.join('\n')}\n\n`)], size);
    expect(text.documents.validation.map(({ source }) => source.split(':')[1])).toEqual(['10', '20']);
    expect(text.documents.train.length).toBe(18);
    const windows = Array.from({ length: 200 }, (_, step) => text.sample('train', 0, step, 0));
    expect(windows.some(({ stream }) => stream.includes(EOS))).toBe(true);
    for (const { stream, weights } of windows)
      expect([...stream].map((id) => (id === MASK ? 0 : 1))).toEqual([...weights]);
  });

  it('leaves bad lines out, counts them, and stops when strict', () => {
    const good = '{"text":"hello there"}\n';
    const path = file(
      'bad.jsonl',
      Buffer.concat([
        Buffer.from(`${good}no\n{"words":1}\n{"text":""}\n{"text":3}\n[]\n`),
        Buffer.of(0xff, 10),
        Buffer.from(good),
      ]),
    );
    const text = openText([path], size);
    expect(text.leftOut.count).toBe(6);
    expect(text.leftOut.reasons[0]).toContain(`${path}:2: not JSON`);
    expect(text.leftOut.reasons.slice(1)).toEqual([
      `${path}:3: has no "text"`,
      `${path}:4: its "text" is empty`,
      `${path}:5: has no "text"`,
      `${path}:6: has no "text"`,
      `${path}:7: not UTF-8`,
    ]);
    expect(text.documents.train.length).toBe(2);
    expect(() => openText([path], size, { strict: true })).toThrow(`${path}:2: not JSON`);
  });

  it('says what is wrong with a text', () => {
    const missing = join(folder, 'missing.txt');
    expect(() => openText([missing], size)).toThrow(`${missing}: there is no such file`);
    expect(() => openText([file('empty.txt', '')], size)).toThrow('empty.txt: is empty; a text is needed');
    expect(() => openText([folder], size)).toThrow('is a folder; a file is needed');
    const huge = file('huge.txt', '');
    truncateSync(huge, 2 ** 31); // a hole: it takes no room on the disk
    expect(() => openText([huge], size)).toThrow(
      new FileError(
        `${huge}: 2147483648 bytes (at most 2147483647 of one text are read). Cut it into pieces and give them all to --text`,
      ),
    );
    expect(() => openText([file('short.txt', 'x'.repeat(60))], size)).toThrow(
      'short.txt: 60 bytes are too few: a share of 0.1 is held out and each part needs one window, 4 + 3 bytes, so about 70 in all. Use more text, or shorter windows',
    );
    expect(() => openText([file('none.jsonl', '{"a":1}\n')], size)).toThrow(
      'no train text is left (1 left out, the first: ',
    );
    const docs = (text: string) => file('docs.jsonl', `{"text":"${text}"}\n`.repeat(10));
    expect(() => openText([docs('abcd')], { prefix: 4, stream: 5 })).toThrow(
      'docs.jsonl: 4 bytes of validation text are fewer than one stream of 5. Use more text, or shorter windows',
    );
    expect(openText([docs('abcd')], { prefix: 4, stream: 4 }).validationCount).toBe(4);
    expect(() => openText([numbers], size, { validation: 1 })).toThrow('validation must be between 0 and 1; got 1');
    const many = Array.from({ length: 10 }, (_, i) => file(`m${i}.txt`, i === 3 ? 'short' : 'long enough'));
    expect(() => openText(many, size)).toThrow('m3.txt: 5 bytes are fewer than one window, 4 + 3 bytes');
  });

  it('takes Moby-Dick by default', () => {
    const text = openText([], { prefix: 256, stream: 128 });
    expect(new TextDecoder().decode(mobyDick().bytes.subarray(0, 22))).toBe('CHAPTER 1. Loomings.\n\n');
    expect(text.entropy).toBeGreaterThan(4.2);
    expect(text.entropy).toBeLessThan(4.6);
    expect(text.describe()).toMatch(
      /^text: Moby Dick: 1,0\d\d,\d{3} bytes to train on, 119,289 bytes held out; order-0 entropy 4\.465 bits per byte$/,
    );
  });

  it('makes well-formed windows of any documents', () => {
    const run = fc.property(
      fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 30 }),
      fc.nat(12),
      fc.integer({ min: 1, max: 12 }),
      (texts, prefix, stream) => {
        const path = file('any.jsonl', texts.map((text) => JSON.stringify({ text })).join('\n'));
        let text: ReturnType<typeof openText>;
        try {
          text = openText([path], { prefix, stream });
        } catch (error) {
          expect(error).toBeInstanceOf(FileError); // every text empty or of one byte
          return;
        }
        for (const window of [text.sample('train', 1, 2, 3), text.sample('validation', 1, 2, 3), text.validation(0)]) {
          expect([window.prefix.length, window.stream.length, window.weights.length]).toEqual([prefix, stream, stream]);
          expect(window.weights[0]).toBe(1); // at least one id is predicted
          for (const [t, id] of window.stream.entries()) expect(window.weights[t]).toBe(id === MASK ? 0 : 1);
          expect(window.prefix.every((id) => id <= MASK)).toBe(true);
          expect([...window.stream].filter((id) => id === EOS).length).toBeLessThanOrEqual(1);
        }
      },
    );
    fc.assert(run, { numRuns: 300 });
  });
});

describe('order0Entropy', () => {
  it('is the entropy of the byte frequencies', () => {
    expect(order0Entropy(Uint8Array.of(1, 1, 2, 2))).toBe(1);
    expect(order0Entropy(Uint8Array.of(7, 7))).toBe(0);
    expect(order0Entropy(Uint8Array.from({ length: 256 }, (_, i) => i))).toBe(8);
    expect(order0Entropy(Uint8Array.of(1), Uint8Array.of(2, 2, 2))).toBeCloseTo(0.25 * 2 + 0.75 * Math.log2(4 / 3), 12);
  });
});
