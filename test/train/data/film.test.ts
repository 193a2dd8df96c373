import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/common/errors.js';
import { readFilm } from '../../../src/train/data/film.js';
import { Skipped } from '../../../src/train/data/skipped.js';
import { cueAt, parseSrt } from '../../../src/train/data/srt.js';
import { type Film, parseGrey, parseY4m } from '../../../src/train/data/y4m.js';
import { y4m } from '../../support/media.js';

const folder = mkdtempSync(join(tmpdir(), 'film-'));
afterAll(() => rmSync(folder, { recursive: true }));

const frame = (value: number) => new Uint8Array(256).fill(value);

const framesOf = ({ length, frame }: Film) => Array.from({ length }, (_, n) => frame(n));

describe('parseY4m', () => {
  it.each(['mono', '420', '420jpeg', '420mpeg2'])('reads the brightness of %s', (colour) => {
    const film = parseY4m(y4m([frame(7), frame(9)], { colour, fps: '30000:1001' }), 'a.y4m');
    expect(film.fps).toBeCloseTo(29.97, 2);
    expect(framesOf(film).map((f) => [f.length, f[0], f[255]])).toEqual([
      [256, 7, 7],
      [256, 9, 9],
    ]);
  });

  it('takes 4:2:0 where no colour space is named, and frames with parameters', () => {
    const bytes = Buffer.concat([Buffer.from('YUV4MPEG2 W16 H16 F8:1\nFRAME Ip\n'), frame(3), new Uint8Array(128)]);
    expect(framesOf(parseY4m(bytes, 'a.y4m')).map((f) => f[0])).toEqual([3]);
  });

  const good = y4m([frame(1), frame(2)]);
  const head = (text: string) => Buffer.concat([Buffer.from(text), Buffer.from('FRAME\n'), frame(1)]);
  it.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(0), 'is empty; a y4m film is needed'],
    ['another format', Buffer.from('RIFFxxxxAVI LIST\n'), 'not a y4m film'],
    ['no newline', new Uint8Array(1000).fill(65), 'not a y4m film'],
    [
      'another size',
      y4m([new Uint8Array(64)], { side: 8 }),
      'frames are 8 x 8; 16 x 16 are needed. Convert it: ffmpeg -i IN',
    ],
    ['no size', head('YUV4MPEG2 F8:1 Cmono\n'), 'frames are ? x ?; 16 x 16 are needed'],
    ['a wide one', head('YUV4MPEG2 W99999999999 H16 F8:1 Cmono\n'), 'frames are 99999999999 x 16'],
    ['no rate', head('YUV4MPEG2 W16 H16 Cmono\n'), 'frame rate "" is not of the form 8:1'],
    ['rate by zero', head('YUV4MPEG2 W16 H16 F8:0 Cmono\n'), 'frame rate "8:0" is not'],
    ['a colour space', head('YUV4MPEG2 W16 H16 F8:1 C444p10\n'), 'colour space "444p10" is not read; mono and 420 are'],
    ['truncated', good.subarray(0, good.length - 1), 'truncated: frame 1 has 255 of 256 bytes'],
    ['no frame line', Buffer.concat([good, Buffer.from('FRAMED\n')]), 'frame 2 does not start with FRAME'],
    ['no frames', good.subarray(0, good.indexOf(10) + 1), 'holds no frames'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseY4m(bytes, 'bad.y4m')).toThrow(FileError);
    expect(() => parseY4m(bytes, 'bad.y4m')).toThrow(`bad.y4m: ${message}`);
  });

  it('raises only typed errors for mutated files', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice(0, length);
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          try {
            parseY4m(bytes, 'mutated');
          } catch (error) {
            refused++;
            if (!(error instanceof FileError)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});

describe('parseGrey', () => {
  it('reads whole frames', () => {
    const film = parseGrey(Buffer.concat([frame(5), frame(6)]), 'a.gray', 12);
    expect([film.fps, framesOf(film).map((f) => f[9])]).toEqual([12, [5, 6]]);
    expect(() => parseGrey(new Uint8Array(300), 'a.gray', 8)).toThrow(
      'a.gray: truncated, or of another size: 300 bytes',
    );
    expect(() => parseGrey(new Uint8Array(0), 'a.gray', 8)).toThrow('a.gray: is empty');
  });
});

describe('readFilm', () => {
  const path = join(folder, 'a film; rm -rf $HOME.mkv');
  writeFileSync(path, 'not really');

  /** A program in place of ffmpeg. */
  function program(script: string): string {
    const file = join(folder, 'ffmpeg');
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it('runs ffmpeg without a shell and reads its pipe', () => {
    const made = join(folder, 'made.y4m');
    writeFileSync(made, y4m([frame(4)]));
    const ffmpeg = program(`printf '%s\\n' "$@" > '${folder}/arguments'; cat '${made}'`);
    expect(readFilm(path, { ffmpeg, fps: 5 }).frame(0)[0]).toBe(4);
    const given = readFileSync(join(folder, 'arguments'), 'utf8').split('\n');
    expect(given).toContain(`file:${path}`);
    expect(given).toContain('scale=16:16,fps=5');
  });

  it('says when ffmpeg is missing, fails, or writes nothing', () => {
    expect(() => readFilm(path, { ffmpeg: join(folder, 'nothing') })).toThrow(
      'only .y4m and .gray are read without ffmpeg',
    );
    expect(() => readFilm(path, { ffmpeg: program('echo first >&2; echo the reason >&2; exit 3') })).toThrow(
      'ffmpeg could not read it: the reason',
    );
    expect(() => readFilm(path, { ffmpeg: program('exit 3') })).toThrow('ffmpeg could not read it: exit status 3');
    expect(() => readFilm(path, { ffmpeg: program('exit 0') })).toThrow('is empty; a y4m film is needed');
    expect(() => readFilm(join(folder, 'no.mkv'))).toThrow('no.mkv: there is no such file');
  });
});

describe('parseSrt', () => {
  const parse = (text: string | Uint8Array) => {
    const leftOut = new Skipped();
    const cues = parseSrt(typeof text === 'string' ? Buffer.from(text) : text, 'a.srt', leftOut);
    return { cues, reasons: leftOut.reasons };
  };

  it('reads cues, with any line ending', () => {
    const text =
      '\ufeff1\r\n00:00:01,000 --> 00:00:02,500 X1:0\r\n<i>one</i>\r\ntwo\r\n\r\n\r\n00:01:00.000 --> 01:00:00.000\r\nlater';
    expect(parse(text)).toEqual({
      cues: [
        { line: 1, start: 1, end: 2.5, text: 'one two' },
        { line: 7, start: 60, end: 3600, text: 'later' },
      ],
      reasons: [],
    });
  });

  it('finds the cue of a time', () => {
    const { cues } = parse(
      '1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:02,000 --> 00:00:03,000\nb\n\n3\n00:00:05,000 --> 00:00:06,000\nc\n',
    );
    expect([0, 1, 1.99, 2, 3, 4, 5.5, 6].map((time) => cueAt(cues, time))).toEqual([
      '',
      'a',
      'a',
      'b',
      '',
      '',
      'c',
      '',
    ]);
  });

  it('leaves out what overlaps, runs backwards, or is malformed, by line', () => {
    const block = (from: string, to: string, text = 'x') => `1\n00:00:${from},000 --> 00:00:${to},000\n${text}\n\n`;
    const { cues, reasons } = parse(
      `${block('01', '03')}${block('02', '04')}${block('09', '08')}no\n\n${block('61', '62')}${block('10', '11', '<b></b>')}${block('12', '13', 'last')}`,
    );
    expect(cues.map(({ start, text }) => [start, text])).toEqual([
      [1, 'x'],
      [12, 'last'],
    ]);
    expect(reasons).toEqual([
      'a.srt:5: a subtitle starts at 2 s, while the one before it lasts until 3 s',
      'a.srt:9: a subtitle ends at 8 s, before it starts at 9 s',
      'a.srt:13: a subtitle has no line 00:00:01,000 --> 00:00:02,000',
      'a.srt:15: a subtitle has no line 00:00:01,000 --> 00:00:02,000',
      'a.srt:19: a subtitle has no text',
    ]);
  });

  it('leaves out a file that is not UTF-8, and takes an empty one', () => {
    expect(parse(Uint8Array.of(0xff)).reasons).toEqual(['a.srt: not UTF-8']);
    expect(parse('')).toEqual({ cues: [], reasons: [] });
  });

  it('takes any text without an error', () => {
    const pieces = fc.array(
      fc.constantFrom('1\n', '00:00:01,000', ' --> ', '\n', '\n\n', '<', '>', 'x', '99:99', '00:00:02,000'),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(pieces, (list) => {
        const { cues } = parse(list.join(''));
        for (const [i, cue] of cues.entries()) expect(cue.start).toBeGreaterThanOrEqual(cues[i - 1]?.end ?? 0);
      }),
    );
    const open = '<'.repeat(100_000); // tags that never close
    expect(parse(`1\n00:00:01,000 --> 00:00:02,000\n${open}`).cues).toMatchObject([{ text: open }]);
  });
});
