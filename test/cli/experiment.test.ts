import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readGrid } from '../../src/experiment/grid.js';
import { ratioOf } from '../../src/train/measures.js';
import { ended, start } from '../reliability/runs.js';
import { cli } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'experiment-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const decoder = { dim: 32, layers: 1, heads: 2 };
const settings = { ...decoder, prefix: 16, stream: 16, batch: 2, evalEvery: 2, saveEvery: 2, validationWindows: 2 };
const described = { name: 'mini', arms: ['zero', 'bytes'], K: 1, seeds: 0, steps: 4, settings };
writeFileSync(at('grid.json'), JSON.stringify(described));
const { cells } = readGrid(described, 'grid.json');
const experiment = (out: string, ...flags: string[]) =>
  cli('experiment', '--grid', at('grid.json'), '--out', at(out), ...flags);
const resultOf = (out: string, cell: number) =>
  JSON.parse(readFileSync(at(`${out}/${cells[cell]!.id}/result.json`), 'utf8'));

afterEach(() => {
  delete process.env.SLURM_ARRAY_TASK_ID;
  delete process.env.JOB_COMPLETION_INDEX;
  delete process.env.BYTE_TO_LOSS_EXPERIMENT;
});

describe('experiment --cell', () => {
  it('runs one cell into its folder, keeps it once finished, and --collect reports', async () => {
    const { code, out, error } = await experiment('one', '--cell', '0');
    expect(error).toBe('');
    expect(code).toBe(0);
    expect(out).toContain('cell 0: finished');
    expect(resultOf('one', 0)).toMatchObject({ arm: 'zero', K: 1, seed: 0, steps: 4, left_out: 0 });
    expect(resultOf('one', 0).measures.text_bpb).toBeLessThan(8);
    expect(resultOf('one', 0).bytes_per_second).toBeGreaterThan(0);
    expect(resultOf('one', 0).peak_memory_bytes).toBeGreaterThan(2 ** 24);
    expect((await experiment('one', '--cell', '0')).out).toContain('cell 0: kept');
    // --results also receives what finished without it.
    const kept = at(`later/cells/${cells[0]!.id}.json`);
    expect((await experiment('one', '--cell', '0', '--results', at('later'))).out).toContain('cell 0: kept');
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({
      ...resultOf('one', 0),
      curve: [{ step: 2 }, { step: 4 }],
    });
    rmSync(kept);
    expect((await experiment('one', '--collect', '--results', at('later'))).out).toContain('1 of 2 cells finished');
    expect(existsSync(kept)).toBe(true);

    expect((await experiment('one', '--collect')).out).toContain('1 of 2 cells finished');
    expect(readFileSync(at('one/report.md'), 'utf8')).toMatch(/\| 1 \| [0-9a-f]{12} \| bytes \|.* not begun \|/);
    expect(readFileSync(at('one/report.html'), 'utf8')).toContain('class="plot"');
  });

  it('--results keeps finished cells where runs are not, and --verify trains one again and compares', async () => {
    const run = (...flags: string[]) =>
      cli('experiment', '--grid', at('grid.json'), '--out', at('gone'), '--results', at('results'), ...flags);
    expect((await run('--cell', '0')).code).toBe(0);
    const kept = at(`results/cells/${cells[0]!.id}.json`);
    const result = JSON.parse(readFileSync(kept, 'utf8'));
    expect(result.measures.text_bpb).toBe(ratioOf(result.scores.text_bpb));
    expect(result.curve.at(-1)).toMatchObject({ step: 4 });
    rmSync(at('gone'), { recursive: true });
    expect((await run('--collect')).out).toContain('1 of 2 cells finished');
    expect(existsSync(at('results/report.html'))).toBe(true);

    // A signal in place of the first step: the next check resumes.
    const interrupt = (event: string | symbol) => {
      if (event === 'SIGHUP') setImmediate(() => process.emit('SIGTERM', 'SIGTERM'));
    };
    process.on('newListener', interrupt);
    const stopped = await run('--verify', '0', '--threads', '1').finally(() => process.off('newListener', interrupt));
    expect(stopped.out).toMatch(/^SIGTERM: finishing this step and saving.*\nto resume: /s);
    expect(stopped.code).toBe(143);

    const same = await run('--verify', '0', '--threads', '1');
    expect(same.out).toContain('cell 0 (zero, seed 0): the same weights and measures, to the bit');
    expect(same.code).toBe(0);
    const weights_sha256 = 'f'.repeat(64);
    writeFileSync(kept, JSON.stringify({ ...result, weights_sha256, measures: { text_bpb: 1 } }));
    const other = await run('--verify', '0');
    expect(other.out).toMatch(/other weights: [0-9a-f]{16}, kept [0-9a-f]{16}; text_bpb \d\.\d+, kept 1/);
    expect(other.code).toBe(1);
    // Cell 1, as if its data had been another file of the same name.
    const data_sha256 = [{ ...result.data_sha256[0], sha256: 'e'.repeat(64) }, ...result.data_sha256.slice(1)];
    const changed = at(`results/cells/${cells[1]!.id}.json`);
    writeFileSync(changed, JSON.stringify({ ...result, data_sha256 }));
    expect(await run('--collect')).toMatchObject({
      code: 1,
      error: `error: ${result.data_sha256[0].name}: cells 0 and 1 were trained on different contents of it, and cannot be compared. Remove the results of one of them, and it is run again\n`,
    });
    rmSync(changed);
    const missing = await run('--verify', '1');
    expect(missing.error).toContain('error: --verify: cell 1 has not finished; give --results');
    expect(missing.code).toBe(1);
  });

  it('started by a whole grid, refuses a grid file that was changed since', async () => {
    process.env.BYTE_TO_LOSS_EXPERIMENT = 'another cell';
    const { code, error } = await experiment('changed', '--cell', '0');
    expect(error).toBe(`error: ${at('grid.json')}: was changed while its cells run; start the command again\n`);
    expect(code).toBe(1);
  });

  it('takes its number from Slurm or Kubernetes', async () => {
    process.env.JOB_COMPLETION_INDEX = '1';
    expect((await experiment('env', '--cell')).out).toContain('cell 1: bytes, K 1, seed 0, 4 steps');
    process.env.SLURM_ARRAY_TASK_ID = '7';
    expect((await experiment('env', '--cell')).error).toContain("mini has cells 0 to 1; got '7'");
    delete process.env.SLURM_ARRAY_TASK_ID;
    delete process.env.JOB_COMPLETION_INDEX;
    expect((await experiment('env', '--cell')).error).toContain('give a number, or run under a Slurm array');
    expect((await experiment('env', '--cell', '-1')).error).toContain("got '-1'");
  });

  it('an interrupted cell resumes, and ends with the bytes of an uninterrupted one', async () => {
    const { id } = cells[1]!;
    await experiment('broken', '--cell', '1');
    const whole = resultOf('broken', 1);
    rmSync(at(`broken/${id}/result.json`));
    for (const name of readdirSync(at(`broken/${id}/checkpoints`))) {
      if (name.includes('000004')) rmSync(at(`broken/${id}/checkpoints/${name}`));
    }
    expect((await experiment('broken', '--cell', '1')).code).toBe(0);
    const broken = resultOf('broken', 1);
    expect(broken.measures).toEqual(whole.measures);
    expect(broken.weights_sha256).toBe(whole.weights_sha256);
  });

  it('a result that is none is refused, and named', async () => {
    const path = at(`odd/${cells[0]!.id}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'result.json'), '{"arm": "zero", "measures": 7}');
    const { code, error } = await experiment('odd', '--collect');
    expect(code).toBe(1);
    expect(error).toContain(`error: ${path}/result.json: is no result of a cell; remove it, and the cell is run again`);
    expect(error).toMatch(/measures: must be an object/);
  });

  it('a cell that another is at is left alone', async () => {
    const path = at(`busy/${cells[0]!.id}`);
    const lock = join(path, 'lock');
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, 'owner.json'), JSON.stringify({ token: 'x', host: hostname(), pid: process.ppid }));
    const { code, error } = await experiment('busy', '--cell', '0');
    expect(code).toBe(1);
    expect(error).toBe(
      `error: ${path}: is being run by ${hostname()}, process ${process.ppid}; nothing was done. Wait until it ends, or stop it\n`,
    );
    expect(existsSync(join(path, 'config.json'))).toBe(false);
    expect((await experiment('busy', '--collect')).out).toContain('0 of 2 cells finished');
    expect(readFileSync(at('busy/report.md'), 'utf8')).toContain('running');
  });
});

describe('experiment', () => {
  it('runs every cell in its own process, and reports', async () => {
    const run = ['experiment', '--grid', at('grid.json'), '--out', at('all')];
    const { code, out, error } = await ended(start(run));
    expect(error).toBe('');
    expect(code).toBe(0);
    expect(out).toContain('cell 1/2  zero  K 1  seed 0  finished');
    expect(out).toContain('2 of 2 cells finished');
    // The same seeds on the same adapter give the same numbers, whoever runs them.
    if (existsSync(at('one'))) expect(resultOf('all', 0).weights_sha256).toBe(resultOf('one', 0).weights_sha256);
    expect((await cli(...run)).out).toContain('2 cells, 2 of them finished before');
  });

  it('a run whose numbers do not stay finite is a result: counted, shown, and not tried again', async () => {
    const wild = { ...described, name: 'wild', arms: ['zero', { door: 'bytes', lr: 1e30 }], settings };
    writeFileSync(at('wild.json'), JSON.stringify(wild));
    const run = ['experiment', '--grid', at('wild.json'), '--out', at('wild')];
    for (const cell of ['0', '1']) expect((await cli(...run, '--cell', cell)).code).toBe(0);
    expect((await cli(...run, '--collect')).out).toContain('2 of 2 cells finished');
    const [, broken] = readGrid(wild, 'wild.json').cells;
    const result = JSON.parse(readFileSync(at(`wild/${broken!.id}/result.json`), 'utf8'));
    expect(result).toMatchObject({ measures: {}, scores: {} });
    expect(result.non_finite).toMatch(/^step \d+: .* is not finite$/);
    expect(JSON.stringify(result)).not.toContain(folder); // no path of this machine
    expect(readFileSync(at('wild/report.md'), 'utf8')).toMatch(/\| bytes \| 1 \| 1 \| [\d,]+ \| 8\.011 \|/);
    expect((await cli(...run)).out).toContain('2 cells, 2 of them finished before');
  });

  it('a killed process leaves a cell that the next one finishes', async () => {
    const long = { ...described, steps: 30, arms: ['zero'], settings: { ...settings, evalEvery: 0, saveEvery: 3 } };
    writeFileSync(at('long.json'), JSON.stringify(long));
    const [cell] = readGrid(long, 'long.json').cells;
    const run = ['experiment', '--grid', at('long.json'), '--out', at('killed'), '--cell', '0'];
    const child = start(run);
    const checkpoint = at(`killed/${cell!.id}/checkpoints/step-000003.safetensors`);
    while (!existsSync(checkpoint) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(existsSync(at(`killed/${cell!.id}/result.json`))).toBe(false);
    expect(existsSync(at(`killed/${cell!.id}/lock`))).toBe(true);
    const { code, out } = await cli(...run);
    expect(code).toBe(0);
    expect(out).toMatch(/resuming from step ([369]|\d\d)/);
    expect(existsSync(at(`killed/${cell!.id}/lock`))).toBe(false);
  });

  it('--dry-run says what it would take, and begins nothing', async () => {
    const { code, out } = await experiment('dry', '--dry-run');
    expect(code).toBe(0);
    expect(out).toMatch(/0 {5}[0-9a-f]{12} {2}zero +1 +0 +4 +21,282 +0 +\d+ MiB +0\.0 +\d+s +not begun/);
    expect(out).toMatch(/2 of 2 cells to run: 0\.0 TFLOP, about \d+s at [\d.]+ GFLOP\/s/);
    expect(existsSync(at('dry'))).toBe(false);
    const grid = ['experiment', '--grid', at('grid.json')];
    expect((await cli(...grid, '--dry-run')).out).toMatch(/not begun\n\n2 of 2 cells to run/);
    const without = await cli(...grid);
    expect(without).toMatchObject({ code: 2, error: "error: required option '--out <folder>' not specified\n" });
  });

  writeFileSync(at('notes.jsonl'), `${'{"text": "a short note, closed"}\n'.repeat(30)}not JSON\n`);
  const flawed = { ...described, settings: { ...settings, text: [at('notes.jsonl')] } };
  writeFileSync(at('flawed.json'), JSON.stringify(flawed));

  it('names a bad line of the data in the log of each cell, and once in the report', async () => {
    const run = (...flags: string[]) => cli('experiment', '--grid', at('flawed.json'), '--out', at('flawed'), ...flags);
    for (const cell of ['0', '1']) {
      const { code, out } = await run('--cell', cell);
      expect(code).toBe(0);
      expect(out).toContain(`left out: ${at('notes.jsonl')}:31: not JSON`);
    }
    await run('--collect');
    const report = readFileSync(at('flawed/report.md'), 'utf8');
    expect(report).toContain('- Lines and files left out of the data: 1\n');
    expect(report.split(`${at('notes.jsonl')}:31: not JSON`).length).toBe(2);
    expect(readFileSync(at('flawed/report.html'), 'utf8')).toContain(`<li>${at('notes.jsonl')}:31: not JSON`);
  });

  it('--strict stops at a bad line of the data before any cell, and so does --dry-run --strict', async () => {
    for (const flags of [['--strict'], ['--dry-run', '--strict']]) {
      const { code, error } = await cli('experiment', '--grid', at('flawed.json'), '--out', at('strict'), ...flags);
      expect(code).toBe(1);
      expect(error).toContain(`error: ${at('notes.jsonl')}:31: not JSON`);
      if (existsSync(at('strict'))) expect(readdirSync(at('strict'))).toEqual([]);
    }
  });

  it('gives the reason that its folder cannot be created', async () => {
    const { code, error } = await cli('experiment', '--grid', at('grid.json'), '--out', '/proc/nope/x');
    expect(code).toBe(1);
    expect(error).toMatch(
      /^error: \/proc\/nope\/x: cannot be created: .*\(ENOENT\); choose another folder with --out\n$/,
    );
  });

  it('refuses a grid that is none, by its file', async () => {
    for (const [text, message] of [
      ['{"name":', 'bad.json: cannot be used: not JSON'],
      [
        '{"name":"x","arms":["wide"],"seeds":0,"steps":1}',
        'bad.json: arms[0].door: no door is called "wide"; there are zero, zero-scaled, projected, bytes, bytes-untied, ',
      ],
      [
        '{"name":"x","arms":[{"door":"zero","channels":["hue"]}],"seeds":0,"steps":1}',
        'bad.json: arms[0].channels[0]: no channel group is called "hue"; there are bits, dxor, ',
      ],
      [
        '{"name":"x","arms":["zero"],"K":5,"seeds":0,"steps":1}',
        'bad.json: arm zero: K·27 must be at most dim; got K 5',
      ],
      ['{"name":"x","arms":[],"seeds":0,"steps":1}', 'bad.json: arms: '],
    ]) {
      writeFileSync(at('bad.json'), text!);
      const { code, error } = await cli('experiment', '--grid', at('bad.json'), '--out', at('bad'));
      expect(code).toBe(1);
      expect(error).toContain(message);
    }
    expect((await cli('experiment', '--grid', at('none.json'), '--out', at('bad'))).error).toContain(
      'there is no such file',
    );
  });
});
