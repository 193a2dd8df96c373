import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { byKind, listed, made, option, paths, realNumber, wholeNumber, windowSize } from '../../src/cli/arguments.js';
import { COMMANDS } from '../../src/cli/main.js';
import { trainCommand } from '../../src/cli/train.js';
import { DeviceError } from '../../src/common/errors.js';
import { resolveTrainOptions, trainSchema } from '../../src/train/run/options.js';
import { Trainer } from '../../src/train/trainer.js';
import { TINY_RUN } from '../reliability/runs.js';
import { cli } from '../support/cli.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'byte-to-loss-flags-')));
const at = (name: string) => join(root, name);
const here = process.cwd();
afterEach(() => process.chdir(here));
afterAll(() => rmSync(root, { recursive: true }));

describe('a flag that is repeated adds to itself', () => {
  it('--made, however it is given', () => {
    expect(made('both')).toEqual(['sounds', 'scenes']);
    expect(made('scenes', made('sounds'))).toEqual(['sounds', 'scenes']);
    expect(made('sounds', made('both'))).toEqual(['sounds', 'scenes']);
    expect(made('sounds,scenes')).toEqual(['sounds', 'scenes']);
  });

  it.each([[['both']], [['sounds', 'scenes']], [['sounds', '--made', 'scenes']]])(
    '--made %s, by both commands',
    async (words) => {
      const { out } = await cli('data', 'inspect', '--made', ...words);
      expect(out).toMatch(/^audio: made sounds.*\nvideo: made scenes/s);
      // The film's window is too small for one: so both kinds were taken in, and no data was read.
      const { error } = await cli('train', '--made', ...words, '--window', 'video=8+8');
      expect(error).toContain('a window of 8+8 bytes is too small');
    },
  );

  it('--channels, --text; but a kind of window that is named twice is refused', () => {
    expect(listed('phase', listed('dxor,bits'))).toEqual(['dxor', 'bits', 'phase']);
    expect(paths('b', paths('a'))).toEqual(['a', 'b']);
    expect(() => byKind(realNumber)('text=1', { text: 2 })).toThrow('It names text twice');
  });
});

describe('a value out of range is wrong usage, like one that is no number', () => {
  it.each([
    [['--batch', '-3'], 'It must be a whole number.'],
    [['--batch', '0'], 'It must be at least 1.'],
    [['--steps', '1e10'], 'It must be at most 1,000,000,000.'],
    [['--lr', '0'], 'It must be above 0.'],
    [['--rate', '99999999'], 'It must be at most 768,000.'],
    [['--fps', '100000'], 'It must be at most 1,000.'],
    [['--size', 'huge'], 'It must be one of tiny, small, lean.'],
    [['--made', 'sounds', 'bats'], 'It must be one of sounds, scenes.'],
    [['--share', 'smell=1'], 'There is no kind "smell": kinds are text, audio, video.'],
    [['--window', 'text=0+0'], 'text.stream must be at least 1.'],
    [['--out', ''], 'It must not be empty.'],
    [['--text', 'a.txt', ''], 'It must not be empty.'],
    [['--resume', ''], 'It must not be empty.'],
  ])('train %j', async (flags, message) => {
    const { code, error } = await cli('train', ...flags);
    expect(error).toContain(` is invalid. ${message}`);
    expect(code).toBe(2);
  });

  it.each([
    [['doctor', '--minutes', '0'], 'It must be above 0.'],
    [['generate', '--temperature', '-1'], 'It must be at least 0.'],
    [['bench', '--replays', '0'], 'It must be at least 1.'],
    [['bench', '--stream', '0'], 'It must be at least 1.'],
    [['walk', '--threads', '0'], 'It must be at least 1.'],
  ])('%j', async (words, message) => {
    const { code, error } = await cli(...words);
    expect(error).toContain(` is invalid. ${message}`);
    expect(code).toBe(2);
  });

  it('an empty path is refused by every command that takes one', async () => {
    const all = COMMANDS.map((make) => make()).flatMap((command) =>
      [command, ...command.commands].map((each) => ({ each, words: each === command ? [] : [command.name()] })),
    );
    let found = 0;
    for (const { each, words } of all) {
      for (const { flags, required, long } of each.options) {
        if (!required || !/<(file|folder|path|run)/.test(flags)) continue;
        const { error } = await cli(...words, each.name(), long!, '');
        expect(error, `${each.name()} ${flags}`).toContain('It must not be empty.');
        found++;
      }
    }
    expect(found).toBeGreaterThan(15);
  });

  it.each([
    ['--rate', '99999999', '768,000'],
    ['--fps', '100000', '1,000'],
  ])('data inspect %s %s', async (flag, value, most) => {
    const { code, error } = await cli('data', 'inspect', flag, value);
    expect(error).toContain(`It must be at most ${most}.`);
    expect(code).toBe(2);
  });

  it('every flag of train but two is named after an option', () => {
    const names = trainCommand().options.map((each) => each.attributeName());
    const options = Object.keys(trainSchema.shape);
    expect(names.filter((name) => !options.includes(name))).toEqual(['resume', 'config']);
    expect(options.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('a whole number may have an exponent', () => {
    expect(wholeNumber('1e6')).toBe(1e6);
    expect(option('steps', wholeNumber)('1e9')).toBe(1e9);
    for (const text of ['1e30', '1e-3', '0.5', '', 'e3']) expect(() => wholeNumber(text)).toThrow('a whole number');
    expect(option('window', byKind(windowSize))('text=0+1')).toEqual({ text: { prefix: 0, stream: 1 } });
  });

  it('a configuration is refused in the same words', () => {
    const wrong = {
      batch: 0,
      steps: 1.5,
      lr: 'high',
      door: 'wide',
      text: [''],
      share: { smell: 1 },
      strict: 1,
      stepps: 3,
    };
    const refused = () => resolveTrainOptions(wrong, 'c.json');
    for (const line of [
      'c.json: batch: must be at least 1',
      'c.json: steps: must be a whole number',
      'c.json: lr: must be a number',
      'c.json: door: must be one of zero, zero-scaled, projected, bytes, bytes-untied, bytes+previous, ',
      'c.json: text[0]: must not be empty',
      'c.json: share: unknown name "smell"',
      'c.json: strict: must be true or false',
      'c.json: unknown name "stepps"',
    ]) {
      expect(refused).toThrow(line);
    }
    expect(refused).not.toThrow(/invalid|expected|Too (small|big)/i);
  });
});

describe('a flag that would say nothing is refused', () => {
  it.each([
    [
      ['inspect', '--text', 'a', '--checkpoint', 'x', '--size', 'tiny'],
      1,
      '--size needs an untrained decoder; omit it',
    ],
    [
      ['inspect', '--text', 'a', '--checkpoint', 'x', '--door', 'zero'],
      1,
      '--door needs an untrained decoder; omit it',
    ],
    [['inspect', '--text', 'a', '--checkpoint', 'x', '--seed', '0'], 1, '--seed needs an untrained decoder; omit it'],
    [['inspect', '--text', 'a', '--config', 'x'], 1, '--config is for weights; name them with --checkpoint'],
    [['inspect', '--text', 'a', '--config', 'x', '--fresh'], 1, '--config is for weights; name them with --checkpoint'],
    [['generate', '--config', 'x'], 1, '--config is for weights; name them with --checkpoint'],
    [['experiment', '--grid', 'g', '--out', 'o', '--dry-run', '--collect'], 2, "'--dry-run' cannot be used with"],
    [['experiment', '--grid', 'g', '--out', 'o', '--cell', '--collect'], 2, "'--cell [n]' cannot be used with"],
  ])('%j', async (words, code, message) => {
    const refused = await cli(...words);
    expect(refused.error).toContain(message);
    expect(refused.code).toBe(code);
  });
});

describe('a run folder', () => {
  const short = [...TINY_RUN, '--steps', '1', '--eval-every', '0'];

  it('of a run that was refused for its memory is free for the better try', async () => {
    mkdirSync(at('kept'));
    writeFileSync(at('kept/notes.txt'), 'mine');
    for (const name of ['refused', 'kept']) {
      vi.spyOn(Trainer, 'create').mockRejectedValueOnce(new DeviceError('4 GiB are needed', 'memory'));
      const { code, error } = await cli('train', ...short, '--out', at(name));
      expect(error).toBe('error: 4 GiB are needed\n');
      expect(code).toBe(1);
    }
    expect(existsSync(at('refused'))).toBe(false);
    expect(readdirSync(at('kept'))).toEqual(['notes.txt']);
    vi.restoreAllMocks();
    expect((await cli('train', ...short, '--out', at('refused'))).code).toBe(0);
  });

  it('is resumed from another folder, with the files that were named relative to the first', async () => {
    writeFileSync(at('a.txt'), 'A text. '.repeat(100));
    process.chdir(root);
    expect((await cli('train', ...short, '--text', 'a.txt', '--out', 'relative')).code).toBe(0);
    expect(JSON.parse(readFileSync(at('relative/config.json'), 'utf8')).options).toMatchObject({
      text: [at('a.txt')],
      out: at('relative'),
    });
    process.chdir(tmpdir());
    const { code, error } = await cli('train', '--resume', at('relative'), '--steps', '2');
    expect(error).toBe('');
    expect(code).toBe(0);
    process.chdir(root);
    const same = await cli('train', '--resume', 'relative', '--text', 'a.txt', '--steps', '3');
    expect(same.code).toBe(0);
    writeFileSync(at('b.txt'), 'B text. '.repeat(100));
    const other = await cli('train', '--resume', 'relative', '--text', 'b.txt');
    expect(other.error).toContain('--text cannot be changed; the run has');
  });

  it("lends its config.json to --config, all but the run's own folder", async () => {
    expect((await cli('train', ...short, '--seed', '7', '--out', at('first'))).code).toBe(0);
    const { code } = await cli('train', '--config', at('first/config.json'), '--out', at('second'));
    expect(code).toBe(0);
    const optionsOf = (name: string) => JSON.parse(readFileSync(at(`${name}/config.json`), 'utf8')).options;
    expect(optionsOf('second')).toEqual({ ...optionsOf('first'), out: at('second') });
    process.chdir(root);
    expect((await cli('train', '--config', 'first/config.json')).code).toBe(0);
    expect(readdirSync(at('runs'))).toHaveLength(1);
  });
});
