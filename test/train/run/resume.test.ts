import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FileError, InputError, NumberError } from '../../../src/common/errors.js';
import { readRun } from '../../../src/report/readRun.js';
import { readCheckpoint, writeCheckpoint } from '../../../src/train/checkpoint.js';
import { Validator } from '../../../src/train/measures.js';
import { Checkpoints, chosenCheckpoint } from '../../../src/train/run/checkpoints.js';
import { openData } from '../../../src/train/run/data.js';
import { RunFolder } from '../../../src/train/run/folder.js';
import { resolveTrainOptions, type TrainInput } from '../../../src/train/run/options.js';
import { differences, fingerprint, openRun } from '../../../src/train/run/resume.js';
import { train } from '../../../src/train/run/train.js';
import { hashes, metricsOf } from '../../reliability/runs.js';
import { testDevice } from '../../support/device.js';
import { withFailingWrite } from '../../support/faults.js';
import { sine, wav } from '../../support/media.js';
import { TINY_OPTIONS, tinyRun } from '../../support/tinyRun.js';

const root = mkdtempSync(join(tmpdir(), 'byte-to-loss-resume-'));
afterAll(() => rmSync(root, { recursive: true }));

const OPTIONS: TrainInput = { steps: 6, saveEvery: 2, evalEvery: 3, keep: 0 };

/** Train into `root/name`, or resume there; `until` stops after that step, once it was asked `times` times. */
async function run(name: string, more: TrainInput = {}, until = Number.POSITIVE_INFINITY, times = 1) {
  const path = join(root, name);
  const { options, data } = tinyRun({ ...OPTIONS, ...more });
  const notes: string[] = [];
  let step = 0;
  let asked = 0;
  const stop = () => step >= until && ++asked >= times;
  const listener = {
    step: (progress: { step: number }) => {
      step = progress.step;
    },
    validation() {},
    saved() {},
    note: (line: string) => notes.push(line),
  };
  const folder = existsSync(path) ? RunFolder.open(path) : RunFolder.create(path);
  if (!existsSync(join(path, 'config.json'))) folder.writeJson('config.json', { options });
  try {
    const from = new Checkpoints(folder.checkpoints, 0, (line) => notes.push(line)).newest();
    const device = await testDevice();
    const result = await train(device, options, data, folder, listener, stop, { from });
    return { path, notes, result, from };
  } finally {
    folder.release();
  }
}

let whole = '';
let four = '';
beforeAll(async () => {
  whole = (await run('whole')).path;
  four = (await run('four', {}, 4)).path;
});

/** A copy of the run that was stopped after step 4. */
function stoppedAfter4(name: string): string {
  const path = join(root, name);
  cpSync(four, path, { recursive: true });
  return path;
}

/** The interrupted run holds what the whole one holds. */
function expectSame(path: string) {
  const expected = hashes(whole);
  for (const [name, hash] of expected) expect(hashes(path).get(name), name).toBe(hash);
  expect(metricsOf(path)).toEqual(metricsOf(whole));
  expect(metricsOf(path, 'samples.jsonl')).toEqual(metricsOf(whole, 'samples.jsonl'));
}

describe('an interrupted run ends as one that was not', () => {
  it.each([1, 2, 3, 4, 5])('stopped after step %i', async (step) => {
    const { result } = await run(`stopped-${step}`, {}, step);
    expect(result).toMatchObject({ step, stopped: true });
    const { path, from } = await run(`stopped-${step}`);
    expect(from?.checkpoint.step).toBe(step);
    expectSame(path);
  });

  it.each([
    ['validation in the middle', 3, 2, []],
    ['sample in the middle', 3, 3, [3]],
    ['byte of the sample in the middle', 3, 10, [3]],
    ['validation at the end', 6, 2, [3]],
    ['sample at the end', 6, 8, [3, 6]],
  ])('stopped in a %s: at once, and the resumed run does it', async (what, step, times, judged) => {
    const { path, result } = await run(what, {}, step, times);
    expect(result).toMatchObject({ step, stopped: true });
    const lines = metricsOf(path).map((line) => JSON.parse(line));
    expect(lines.filter((line) => 'text_bpb' in line).map((line) => line.step)).toEqual(judged);
    expect((await run(what)).from?.checkpoint.step).toBe(step);
    expectSame(path);
  });

  it('killed after step 5, with half a line, half a file, and moments without weights', async () => {
    const { path } = await run('killed', {}, 5);
    const at = (name: string) => join(path, 'checkpoints', name);
    for (const name of ['step-000005.safetensors', 'step-000005.optimiser.safetensors']) rmSync(at(name));
    writeFileSync(at('step-000006.optimiser.safetensors'), 'half');
    writeFileSync(at('.step-000006.safetensors.123.tmp'), 'half');
    writeFileSync(join(path, 'metrics.jsonl'), `${readFileSync(join(path, 'metrics.jsonl'), 'utf8')}{"step":6,"ki`);
    const { from } = await run('killed');
    expect(from?.checkpoint.step).toBe(4);
    expectSame(path);
    expect(readdirSync(join(path, 'checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('whose newest checkpoint is damaged: that is reported, and the one before is taken', async () => {
    const path = stoppedAfter4('damaged');
    truncateSync(join(path, 'checkpoints', 'step-000004.optimiser.safetensors'), 1000);
    const { notes, from } = await run('damaged');
    expect(from?.checkpoint.step).toBe(2);
    expect(notes.join()).toMatch(/step-000004.optimiser.safetensors: truncated.*The checkpoint before it is used/);
    expectSame(path);
  });

  it('whose newest checkpoint has a changed bit in its metadata: another seed would continue otherwise', async () => {
    const path = stoppedAfter4('bit');
    const file = join(path, 'checkpoints', 'step-000004.safetensors');
    writeFileSync(file, readFileSync(file, 'latin1').replace('"seed":"0"', '"seed":"1"'), 'latin1');
    const { notes, from } = await run('bit');
    expect(from?.checkpoint.step).toBe(2);
    expect(notes.join()).toMatch(/step-000004.safetensors: has changed since.*is used/);
    expectSame(path);
  });

  it('with some checkpoints of another seed, decoder, window and step', async () => {
    const path = stoppedAfter4('mixed');
    const copy = (from: string, step: number, to: number) => {
      for (const part of ['', '.optimiser']) {
        const [before, after] = [step, to].map((n) => `checkpoints/step-00000${n}${part}.safetensors`);
        copyFileSync(join(from, before!), join(path, after!));
      }
    };
    copy((await run('of-seed-1', { seed: 1 })).path, 6, 6);
    copy((await run('of-dim-64', { dim: 64, steps: 7 })).path, 7, 7);
    copy((await run('of-stream-4', { stream: 4, steps: 8 })).path, 8, 8);
    copy(path, 4, 9);
    const { notes, from } = await run('mixed');
    expect(from?.checkpoint.step).toBe(4);
    expect(notes.slice(0, 4).map((note) => note.replace(/^.*checkpoints/, ''))).toEqual([
      expect.stringMatching(/^.step-000009.safetensors: is of step 4, not 9/),
      expect.stringMatching(/^.step-000008.safetensors: is of stream 4, not 8/),
      expect.stringMatching(/^.step-000007.safetensors: is of config {.*"dim":64.*}, not {.*"dim":32/),
      expect.stringMatching(/^.step-000006.safetensors: is of seed 1, not 0/),
    ]);
    expectSame(path);
    const index = JSON.parse(readFileSync(join(path, 'checkpoints/index.json'), 'utf8'));
    expect(index.latest).toBe('step-000006.safetensors');
  });

  it('whose moments have another step than their weights', async () => {
    const path = stoppedAfter4('moments');
    const of = (step: number) => join(path, `checkpoints/step-00000${step}.optimiser.safetensors`);
    copyFileSync(of(2), of(4));
    const { notes, from } = await run('moments');
    expect(from?.checkpoint.step).toBe(2);
    expect(notes.join()).toMatch(/step-000004.optimiser.safetensors: is of step 2, not 4/);
    expectSame(path);
  });

  it('none of whose checkpoints can be used: nothing is written over', async () => {
    const { path } = await run('none', { keep: 1 }, 4);
    truncateSync(join(path, 'checkpoints', 'step-000004.safetensors'), 1000);
    const before = readFileSync(join(path, 'metrics.jsonl'), 'utf8');
    await expect(run('none', { keep: 1 })).rejects.toThrow(/none.checkpoints: no checkpoint in it can be used/);
    expect(readFileSync(join(path, 'metrics.jsonl'), 'utf8')).toBe(before);
    const reports: string[] = [];
    expect(() => new Checkpoints(join(path, 'checkpoints'), 1, (line) => reports.push(line)).newest()).toThrow();
    expect(reports).toEqual([expect.not.stringContaining('The checkpoint before it')]);
  });

  it.each([
    ['index.json', 1],
    ['moments of two steps', 0],
  ])('whose weights are missing, as %s says: nothing is changed, and they can be brought back', async (says, keep) => {
    const name = `lost, by ${says}`;
    const { path } = await run(name, { keep }, 4);
    const checkpoints = join(path, 'checkpoints');
    const away = join(root, `away, by ${says}`);
    cpSync(checkpoints, away, { recursive: true });
    const names = readdirSync(checkpoints);
    const gone = names.filter((file) => !file.includes('optimiser') && (says !== 'index.json' || file !== says));
    for (const file of gone) rmSync(join(checkpoints, file));
    const metrics = metricsOf(path);
    await expect(run(name, { keep })).rejects.toThrow(
      `${checkpoints}: the weights of its checkpoints are missing. Bring step-….safetensors back, or remove this folder to start`,
    );
    expect(readdirSync(checkpoints)).toEqual(names.filter((file) => !gone.includes(file)));
    expect(metricsOf(path)).toEqual(metrics);
    cpSync(away, checkpoints, { recursive: true });
    expect((await run(name, { keep: 0 })).from?.checkpoint.step).toBe(4);
    expect(metricsOf(path)).toEqual(metricsOf(whole));
  });

  it('killed between the moments and the weights of the first checkpoint', async () => {
    const { path } = await run('first', {}, 1);
    for (const name of ['index.json', 'step-000001.safetensors']) rmSync(join(path, 'checkpoints', name));
    expect(new Checkpoints(join(path, 'checkpoints'), 0).newest()).toBeUndefined();
    expect((await run('first', {}, 1)).from).toBeUndefined();
    expect((await run('first')).from?.checkpoint.step).toBe(1);
    expectSame(path);
  });

  it('killed before any checkpoint', async () => {
    const { path } = await run('early', {}, 1);
    for (const name of readdirSync(join(path, 'checkpoints'))) rmSync(join(path, 'checkpoints', name));
    expect((await run('early')).from).toBeUndefined();
    rmSync(join(path, 'checkpoints', 'step-000001.safetensors'), { force: true });
    expectSame(path);
  });
});

it('a loss spike is told of and logged', async () => {
  const path = stoppedAfter4('spike');
  const file = join(path, 'metrics.jsonl');
  const calm = (_: unknown, i: number) =>
    `${JSON.stringify({ step: 1, kind: 'text', learning_rate: 1, bits_per_byte: 1 + (i % 2) / 100 })}\n`;
  writeFileSync(file, Array.from({ length: 30 }, calm).join(''));
  const { notes } = await run('spike');
  expect(notes[0]).toMatch(
    /^step 5 {2}loss spike: [78]\.\d{3} bits\/byte, \d+\.\d deviations above the mean of the last 100$/,
  );
  expect(JSON.parse(metricsOf(path)[30]!).spike).toBeGreaterThan(6);
});

it('steps that were skipped before are counted when a run resumes', async () => {
  const path = stoppedAfter4('skipped');
  const file = join(path, 'metrics.jsonl');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"bits_per_byte":/, '"skipped":1,"was":'));
  expect((await run('skipped')).result.skipped).toBe(1);
});

describe('steps that are not finite', () => {
  /** Train with infinite weights, and so a loss of NaN, in some steps. */
  const poisoned = async (name: string, steps: number, isBad: (step: number) => boolean) => {
    const { options, data } = tinyRun({ steps, evalEvery: 0, saveEvery: 0, skipNonfinite: true });
    const batch: typeof data.mix.batch = (seed, step, ...rest) => {
      const made = data.mix.batch(seed, step, ...rest);
      return isBad(step) ? { ...made, weights: made.weights.map(() => Number.POSITIVE_INFINITY) } : made;
    };
    const folder = RunFolder.create(join(root, name));
    folder.writeJson('config.json', { options });
    const notes: string[] = [];
    const listener = { step() {}, validation() {}, saved() {}, note: (line: string) => notes.push(line) };
    const bad = { ...data, mix: { ...data.mix, batch } };
    const result = train(await testDevice(), options, bad, folder, listener).finally(() => folder.release());
    return { result, notes };
  };

  it('are skipped where they are a few', async () => {
    const { result, notes } = await poisoned('few', 30, (step) => step % 2 === 1 && step < 20);
    expect(await result).toMatchObject({ step: 30, skipped: 10 });
    expect(notes).toHaveLength(10);
  });

  it('end the run where they are most, and not with a line for each', async () => {
    const { result, notes } = await poisoned('most', 100, (step) => step > 0);
    await expect(result).rejects.toThrow(NumberError);
    await expect(result).rejects.toThrow(
      /^step 12: 11 of the last 12 steps were not finite, the last since the loss is NaN; first not finite: .*saved .*step-000011.safetensors\. Begin a new run with a lower --lr$/,
    );
    expect(notes).toHaveLength(10);
  });

  it('end a run that is shorter than the steps that are judged', async () => {
    const { result } = await poisoned('short', 4, (step) => step > 0);
    await expect(result).rejects.toThrow(/^step 4: 3 of the last 4 steps were skipped: not finite; /);
  });

  it('a last validation that is not finite is no success', async () => {
    vi.spyOn(Validator.prototype, 'measure').mockResolvedValue({
      measures: { text_bpb: Number.NaN },
      scores: {},
    });
    const { result } = await poisoned('validation', 1, () => false);
    await expect(result).rejects.toThrow('the last validation found a text_bpb that is not finite. Begin a new run');
    vi.restoreAllMocks();
  });
});

describe('checkpoints', () => {
  it('keep the newest and the best, and name both', async () => {
    const { path } = await run('kept', { keep: 1, saveEvery: 1, evalEvery: 1 });
    const validations = metricsOf(path)
      .map((line) => JSON.parse(line))
      .filter((line) => line.text_bpb !== undefined);
    const best = validations.reduce((a, b) => (b.text_bpb < a.text_bpb ? b : a)).step;
    const index = JSON.parse(readFileSync(join(path, 'checkpoints/index.json'), 'utf8'));
    expect(index).toMatchObject({ latest: 'step-000006.safetensors', best: `step-00000${best}.safetensors` });
    const weights = [...hashes(path).keys()].filter((name) => !name.includes('optimiser'));
    expect(weights).toEqual([...new Set([index.best, index.latest])].sort());
    expect(chosenCheckpoint(join(path, 'best'), () => {})).toBe(join(path, 'checkpoints', index.best));
    expect(chosenCheckpoint(path, () => {})).toBe(join(path, 'checkpoints', index.latest));
    writeFileSync(join(path, 'checkpoints/index.json'), '{"best": "../../../etc/passwd"}');
    expect(() => chosenCheckpoint(join(path, 'best'), () => {})).toThrow(/names no best checkpoint/);
  });

  it('keep an older best when newer ones are worse', () => {
    const folder = RunFolder.create(join(root, 'best'));
    const checkpoints = new Checkpoints(folder.checkpoints, 1);
    const state = new Checkpoints(join(whole, 'checkpoints'), 0).newest()!;
    for (const [step, text_bpb] of [
      [1, 3],
      [2, 2],
      [3, 4],
      [4, 5],
    ] as const) {
      checkpoints.judge(step, { text_bpb });
      checkpoints.save({ ...state.checkpoint, step }, state.moments);
    }
    folder.release();
    const kept = [...hashes(folder.path).keys()].filter((name) => !name.includes('optimiser'));
    expect(kept).toEqual(['step-000002.safetensors', 'step-000004.safetensors']);
  });

  it('whose validation was not finite are not the best when a run resumes', async () => {
    const path = stoppedAfter4('not-finite');
    const file = join(path, 'metrics.jsonl');
    const lines = readFileSync(file, 'utf8').replace(/"text_bpb":[\d.]+/, '"text_bpb":null');
    writeFileSync(file, lines + JSON.stringify({ step: 4, text_bpb: null }).concat('\n'));
    await run('not-finite');
    const index = JSON.parse(readFileSync(join(path, 'checkpoints/index.json'), 'utf8'));
    expect(index.best).toBe('step-000006.safetensors');
    expect(index.best_bits_per_byte).toBeGreaterThan(1);
  });

  it('whose weights do not fit on the disk leave no moments there', async () => {
    const { checkpoint, moments } = new Checkpoints(join(whole, 'checkpoints'), 0).newest()!;
    const folder = join(root, 'full');
    mkdirSync(folder);
    const path = join(folder, 'step-000001.safetensors');
    const write = async () => writeCheckpoint(path, checkpoint, moments);
    const { calls } = await withFailingWrite(0, 'ENOSPC', write);
    const failing = () => withFailingWrite(calls - 2, 'ENOSPC', write); // the flush of the weights
    await expect(failing()).rejects.toThrow(/step-000001.safetensors: could not be written: the disk is full/);
    expect(readdirSync(folder).length).toBe(2); // an earlier save of the same step is whole
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    await expect(failing()).rejects.toThrow(FileError);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are removed before anything is written, when a run resumes with a smaller --keep', async () => {
    const { path } = await run('pruned', { saveEvery: 1, evalEvery: 0 }, 4);
    const memory = join(path, 'memory.json');
    rmSync(memory);
    mkdirSync(memory); // cannot be written
    await expect(run('pruned', { keep: 1 })).rejects.toThrow(/memory.json: could not be written/);
    expect([...hashes(path).keys()]).toEqual(['step-000004.optimiser.safetensors', 'step-000004.safetensors']);
  });

  it.each([
    ['has a changed byte', (text: string) => text.replace('"step":2,"text_bpb"', '"step":2\0"text_bpb"'), 1],
    ['lacks a line', (text: string) => text.replace(/^.*"step":2,"text_bpb".*$/m, ''), 1],
    ['has a line of a wrong step', (text: string) => text.replace('"step":2,"text_bpb"', '"step":9,"text_bpb"'), 1],
    ['is missing', () => undefined, 0],
  ] as const)('keep the best when metrics.jsonl %s and a run resumes', async (name, change, damaged) => {
    const path = join(root, `best whose metrics ${name}`);
    cpSync(four, path, { recursive: true });
    const at = (file: string) => join(path, file);
    const lines = readFileSync(at('metrics.jsonl'), 'utf8').split(/(?<=\n)/);
    lines.splice(
      lines.findIndex((line) => line.startsWith('{"step":3')),
      0,
      '{"step":2,"text_bpb":1}\n',
    );
    const text = change(lines.join(''));
    if (text === undefined) rmSync(at('metrics.jsonl'));
    else writeFileSync(at('metrics.jsonl'), text);
    const index = { latest: 'step-000004.safetensors', best: 'step-000002.safetensors', best_bits_per_byte: 1 };
    writeFileSync(at('checkpoints/index.json'), JSON.stringify(index));
    const { notes } = await run(`best whose metrics ${name}`, { keep: 1 });
    expect(notes).toEqual(damaged > 0 ? [`${at('metrics.jsonl')}: ${damaged} damaged line left out`] : []);
    expect(existsSync(at('checkpoints/step-000002.safetensors'))).toBe(true);
    expect(JSON.parse(readFileSync(at('checkpoints/index.json'), 'utf8'))).toEqual({
      ...index,
      latest: 'step-000006.safetensors',
    });
    const kept = readFileSync(at('metrics.jsonl'), 'utf8');
    if (text !== undefined) expect(kept.startsWith(text)).toBe(true);
  });

  it('are not written when a number in them is not finite', () => {
    const { checkpoint, moments } = new Checkpoints(join(whole, 'checkpoints'), 0).newest()!;
    const path = join(root, 'nan.safetensors');
    const m = new Map(moments.m).set('norm.bias', new Float32Array(32).fill(Number.NaN, 3, 4));
    const write = () => writeCheckpoint(path, checkpoint, { m, v: moments.v });
    expect(write).toThrow(NumberError);
    expect(write).toThrow('was not written, since moment m of norm.bias is NaN at 3');
    const details = { step: checkpoint.step, op: 'adamW', scope: 'optimiser' }; // as in the program
    expect(write).toThrow(expect.objectContaining({ details }));
    expect(existsSync(path)).toBe(false);
  });

  it('hold the step and the seed they are of', () => {
    expect(readCheckpoint(join(whole, 'checkpoints/step-000004.safetensors'))).toMatchObject({ step: 4, seed: 0 });
  });
});

describe('metrics', () => {
  const rewound = (path: string, step: number) => {
    const folder = RunFolder.open(path);
    const shown: unknown[] = [];
    const notes = folder.rewind(
      step,
      (line) => shown.push(line.step),
      () => {},
    );
    folder.release();
    return { shown, notes };
  };
  const written = (name: string, content: string | Uint8Array) => {
    const path = join(root, name);
    const folder = RunFolder.create(path);
    folder.writeJson('config.json', {});
    folder.release();
    writeFileSync(join(path, 'metrics.jsonl'), content);
    return path;
  };

  it('are cut back in files of several pieces', () => {
    const line = (step: number) => `${JSON.stringify({ step, filler: 'x'.repeat(100) })}\n`;
    const steps = Array.from({ length: 20_000 }, (_, i) => i + 1); // 2.5 MB
    const path = written('long', steps.map(line).join(''));
    expect(rewound(path, 15_000).shown).toEqual(steps.slice(0, 15_000));
    expect(readFileSync(join(path, 'metrics.jsonl'), 'utf8')).toBe(steps.slice(0, 15_000).map(line).join(''));
  });

  const DAMAGE: readonly (readonly [string, string | Uint8Array])[] = [
    ['a blank line', '\n'],
    ['a line of spaces', '  \n'],
    ['a line that is not of metrics', '[2]\n'],
    ['the start of a line', '{"step":2\n'],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from('{"step":2,"kind":"'), Buffer.of(0xff), Buffer.from('"}\n')]),
    ],
    ['a hole', Buffer.alloc(5000).fill('\n', 4999)],
  ];

  const UNFINISHED: typeof DAMAGE = [
    ['half a line', '{"step":2'],
    ['a line without its end', '{"step":2}'],
  ];
  it.each([...UNFINISHED, ...DAMAGE])('are cut back before %s', (name, damage) => {
    const good = '{"step":1}\n';
    const path = written(`cut before ${name}`, Buffer.concat([Buffer.from(good), Buffer.from(damage)]));
    expect(rewound(path, 9)).toEqual({ shown: [1], notes: [] });
    expect(readFileSync(join(path, 'metrics.jsonl'), 'utf8')).toBe(good);
  });

  it.each(DAMAGE)('are cut back before %s and a line after the checkpoint', (name, damage) => {
    const good = '{"step":1}\n';
    const later = Buffer.from('{"step":2}\n');
    const path = written(
      `cut before a line after ${name}`,
      Buffer.concat([Buffer.from(good), Buffer.from(damage), later]),
    );
    expect(rewound(path, 1)).toEqual({ shown: [1], notes: [] });
    expect(readFileSync(join(path, 'metrics.jsonl'), 'utf8')).toBe(good);
  });

  it.each(DAMAGE)('stay after %s, which is told', (name, damage) => {
    const lines = (...steps: number[]) => Buffer.from(steps.map((step) => `{"step":${step}}\n`).join(''));
    const stays = Buffer.concat([lines(1), Buffer.from(damage), lines(2, 3)]);
    const path = written(`stay after ${name}`, Buffer.concat([stays, lines(4)]));
    const notes = [`${join(path, 'metrics.jsonl')}: 1 damaged line left out`];
    expect(rewound(path, 3)).toEqual({ shown: [1, 2, 3], notes });
    expect(readFileSync(join(path, 'metrics.jsonl'))).toEqual(stays);
  });

  it('are cut back where a file of over 2 GiB is damaged', () => {
    const path = written('huge', '{"step":1}\n');
    truncateSync(join(path, 'metrics.jsonl'), 2.5 * 2 ** 30); // a hole
    expect(rewound(path, 9)).toEqual({ shown: [1], notes: [] });
    expect(readFileSync(join(path, 'metrics.jsonl'), 'utf8')).toBe('{"step":1}\n');
  });
});

describe('openRun', () => {
  it('refuses a decoder whose checkpoints could not be read again', () => {
    expect(() => tinyRun({ dim: 4096, heads: 2, layers: 2 })).toThrow(
      /a zero decoder of 2 layers of dim 4096 has 403\d+ parameters; at most 268435456 are trained/,
    );
    expect(() => tinyRun({ door: 'projected', dim: 2048, heads: 2, K: 4096 })).toThrow(/are trained/);
  });

  /** `openRun` for inspection: releases the lock at once. */
  const look = (...args: Parameters<typeof openRun>) => {
    const run = openRun(...args);
    run.folder.release();
    return run;
  };

  it('takes the configuration from the folder', () => {
    expect(look(whole, {}).options).toMatchObject({ dim: 32, steps: 6 });
  });
  it('reads the configuration of a run with thousands of files, as a report does', () => {
    const text = Array.from({ length: 4200 }, (_, i) => join(root, 'corpus', `${'x'.repeat(60)}${i}.txt`));
    const data_sha256 = text.map((name) => ({ name, sha256: '0'.repeat(64) }));
    const folder = RunFolder.create(join(root, 'thousands'));
    folder.writeJson('config.json', { options: { ...TINY_OPTIONS, text }, data_sha256 });
    folder.release();
    expect(statSync(join(folder.path, 'config.json')).size).toBeGreaterThan(1 << 20);
    expect(look(folder.path, {}).options.text).toEqual(text);
    expect(readRun(folder.path).config).toMatchObject({ data_sha256 });
    expect(new Checkpoints(folder.checkpoints, 0).newest()).toBeUndefined();
  });
  it('refuses a flag that contradicts it', () => {
    expect(() => openRun(whole, { lr: 1 })).toThrow('--lr cannot be changed; the run has 0.002, got 1');
    expect(() => openRun(whole, { steps: 5 })).toThrow('--steps can only grow; the run has 6, got 5');
    expect(() => openRun(whole, { evalEvery: 1 })).toThrow('--eval-every cannot be changed; the run has 3, got 1');
    expect(() => openRun(whole, { K: 2, dim: 64 })).toThrow('--K cannot be changed; the run has 1, got 2');
    expect(look(whole, { lr: 2e-3, device: 'bundled', keep: 9 }).options).toMatchObject({ keep: 9 });
  });
  it('keeps changed options for the next resume, but not those of the machine', () => {
    const flags = { steps: 9, keep: 9, skipNonfinite: true, evalEvery: 3, device: 'bundled', threads: 2 };
    expect(look(whole, flags).changes).toEqual({ steps: 9, keep: 9, skipNonfinite: true });
    expect(look(whole, { keep: 0 }).changes).toEqual({});
  });
  it('lets steps grow, and says what that means', () => {
    const { options, notes } = look(whole, { steps: 9 });
    expect(options.steps).toBe(9);
    expect(notes).toEqual([
      expect.stringMatching(/^--steps 6 → 9: the learning rate follows the longer schedule from here/),
    ]);
  });
  it('refuses a folder without a run, and a configuration that is none', () => {
    expect(() => openRun(root, {})).toThrow(FileError);
    const folder = RunFolder.create(join(root, 'odd'));
    folder.writeJson('config.json', { options: { dim: 'wide' } });
    folder.release();
    expect(() => openRun(folder.path, {})).toThrow(/config.json: .*dim/s);
  });
  it('says that bits may differ on another adapter', () => {
    const run = { ...look(whole, {}), config: { options: {}, adapter: { name: 'A', driver: 'a' } } };
    expect(differences(run, { adapter: { name: 'B', driver: 'b' } })).toEqual([
      expect.stringMatching(/^begun on A, now on B: .*bits may differ/),
    ]);
    expect(differences(run, { adapter: run.config.adapter })).toEqual([]);
  });
});

describe('data that changed under a run is refused, by name', () => {
  /** Hashes of the data before and after `change`, as `differences` compares them. */
  const compare = (input: TrainInput, change: () => void) => {
    const hashed = () => fingerprint(openData(resolveTrainOptions({ ...TINY_OPTIONS, ...input }, 'test')));
    const folder = RunFolder.create(join(mkdtempSync(join(root, 'data-')), 'run'));
    const run = {
      folder,
      options: tinyRun().options,
      notes: [],
      changes: {},
      config: { options: {}, data_sha256: hashed() },
    };
    folder.release();
    expect(differences(run, { data_sha256: hashed() })).toEqual([]);
    change();
    return () => differences(run, { data_sha256: hashed() });
  };
  /** Overwrite some bytes in place. */
  const overwrite = (path: string, from: number, bytes: string) => {
    const content = readFileSync(path);
    content.write(bytes, from);
    writeFileSync(path, content);
  };

  it.each([0, 1000, 30_000, 59_999])('one byte of a text, at %i, its length as it was', (at) => {
    const [text, other] = [join(root, 'a.txt'), join(root, 'b.txt')];
    writeFileSync(text, 'A text. '.repeat(7500));
    writeFileSync(other, 'Another text. '.repeat(100));
    const resumed = compare({ text: [other, text] }, () => overwrite(text, at, '#'));
    expect(resumed).toThrow(InputError);
    expect(resumed).toThrow(
      /the data has changed since the run began: [^,]*a\.txt\. Bring it back, or begin a new run$/,
    );
  });

  it('a line of JSONL, and a newline that moved between two documents', () => {
    const text = join(root, 'docs.jsonl');
    writeFileSync(text, '{"text":"ab"}\n{"text":"cd"}\n'.repeat(40));
    expect(compare({ text: [text] }, () => overwrite(text, 14, '{"text":"xd"}'))).toThrow(/docs\.jsonl/);
    writeFileSync(text, '{"text":"ab"}\n{"text":"cd"}\n'.repeat(40));
    expect(
      compare({ text: [text] }, () => overwrite(text, 0, '{"text":"abc"}{"text":"d"}'.replace('}{', '}\n{'))),
    ).toThrow();
  });

  it('a recording or a caption of a manifest', () => {
    const manifest = join(root, 'sounds.jsonl');
    const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify({ audio: `${i}.wav`, caption: `tone ${i}` }));
    const tone = (i: number) => wav(sine(300 + i, 8000, 800));
    for (let i = 0; i < 20; i++) writeFileSync(join(root, `${i}.wav`), tone(i));
    writeFileSync(manifest, lines.join('\n'));
    const options = { audio: manifest, window: { audio: { prefix: 64, stream: 16 } } };
    const change = () => writeFileSync(join(root, '13.wav'), tone(900));
    expect(compare(options, change)).toThrow(/sounds\.jsonl and the recordings in it\./);
    expect(compare(options, () => writeFileSync(manifest, lines.join('\n').replace('tone 7', 'tune 7')))).toThrow();
  });

  it('a frame of a film', () => {
    const film = join(root, 'film.gray');
    writeFileSync(film, Buffer.alloc(256 * 40, 7));
    expect(compare({ video: [film], prefix: 384, stream: 384 }, () => overwrite(film, 256 * 17, '#'))).toThrow(
      /film\.gray/,
    );
  });
});
