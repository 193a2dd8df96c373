import { afterEach, describe, expect, it, vi } from 'vitest';
import { validationText } from '../../src/cli/measureText.js';
import { programCommand, shellWord } from '../../src/cli/program.js';
import { showProgress, TimeLeft } from '../../src/cli/progress.js';
import { fitted, StatusLine, withBar } from '../../src/cli/statusLine.js';
import { onStop } from '../../src/cli/stop.js';
import { Terminal } from '../support/terminal.js';

const progress = (step: number) => ({
  step,
  steps: 380,
  bitsPerByte: 3.55,
  bytesPerSecond: 3700,
  learningRate: 1,
  gradientNorm: 1,
});

describe('a run in a terminal', () => {
  it.each([110, 60, 50, 20])('of %i columns leaves no trace of its bar in any message', (columns) => {
    const screen = new Terminal(columns);
    const shown = showProgress(new StatusLine(screen, 0));
    shown.step(progress(1));
    shown.step(progress(2));
    screen.write('^C'); // as the terminal echoes it
    shown.print('SIGINT: finishing');
    shown.step(progress(38));
    expect(screen.rows.length).toBe(2);
    expect(screen.rows[0]).toBe('SIGINT: finishing');
    shown.saved(38, 'a');
    screen.write('^C');
    shown.validation(38, { text_bpb: 3 });
    shown.end();
    const messages = ['SIGINT: finishing', 'step 38  saved a', 'step 38  validation 3.000 bits/byte'];
    const wrapped = messages.flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'g'))!);
    expect(screen.rows).toEqual([...wrapped, '']);
  });

  it('keeps step and time left to the last, and within the columns', () => {
    for (let columns = 1; columns < 120; columns++) {
      const screen = new Terminal(columns);
      const shown = showProgress(new StatusLine(screen, 0));
      shown.step(progress(1));
      shown.step(progress(38));
      expect(screen.rows.length).toBe(1);
      expect(screen.rows[0]!.length).toBeLessThan(Math.max(2, columns));
      if (columns >= 24) expect(screen.rows[0]).toMatch(/step 38\/380 .*s left$/);
      if (columns >= 50) expect(screen.rows[0]).toMatch(/step 38\/380 {2}3\.550 bits\/byte {2}3\.7 kB\/s {2}.*s left$/);
      if (columns >= 60) expect(screen.rows[0]).toMatch(/^█*░+ step/);
    }
  });
});

describe('the time left', () => {
  it('is of recent steps alone: neither compilation nor a slow past counts', () => {
    const left = new TimeLeft();
    expect(left.after(1, 1000, 60_000)).toBeUndefined(); // a minute of compilation
    expect(left.after(2, 1000, 60_500)).toBeCloseTo(499, 9);
    for (let step = 3; step <= 400; step++) left.after(step, 1000, 60_500 + 1000 * (step - 2)); // a slow stretch
    for (let step = 401; step <= 499; step++) left.after(step, 1000, 458_500 + 10 * (step - 400));
    expect(left.after(500, 1000, 459_500)).toBeCloseTo(5, 9);
  });

  it('of a resumed run is of the steps done since', () => {
    const left = new TimeLeft();
    left.after(901, 1000, 5000);
    expect(left.after(902, 1000, 6000)).toBe(98);
  });
});

describe('a stop', () => {
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
  afterEach(() => {
    kill.mockClear();
    process.exitCode = 0;
  });

  it('prints through the status line, and tells at the second signal how to resume', () => {
    const screen = new Terminal(80);
    const shown = showProgress(new StatusLine(screen, 0));
    const stop = onStop(shown, 'to resume: x');
    shown.step(progress(1));
    const notice = 'SIGINT: finishing this step and saving; a second signal stops at once';
    process.emit('SIGINT', 'SIGINT');
    expect(stop.signal).toBe('SIGINT');
    expect(screen.rows).toEqual([notice, expect.stringContaining('step 1/380')]);
    process.emit('SIGTERM', 'SIGTERM');
    expect(screen.rows).toEqual([notice, 'SIGTERM: stopped at once', 'to resume: x', '']);
    expect(kill).toHaveBeenCalledWith(process.pid, 'SIGTERM');
    expect(process.exitCode).toBe(130);
    stop.off();
  });
});

it('parts of a status leave in order, and a bar takes what is left', () => {
  const parts = { step: 'step 3/9', bits: '4.000 bits/byte', left: '5s left' };
  expect(fitted(parts, ['bits'], 34)).toBe('step 3/9  4.000 bits/byte  5s left');
  expect(fitted(parts, ['bits'], 33)).toBe('step 3/9  5s left');
  expect(withBar(0.5, 'step 1/2', 13)).toBe('██░░ step 1/2');
  expect(withBar(0.5, 'step 1/2', 12)).toBe('step 1/2');
});

it('measures are named in words', () => {
  expect(validationText({ text_bpb: 3.4744, text_end: 1 })).toBe('validation 3.474 bits/byte');
  expect(validationText({ caption_bpb: 2.5, binding_gap: -0.0001, retrieval: 0.25, caption_end: 1 })).toBe(
    'validation: captions 2.500 bits/byte, binding gap 0.000 bits/byte, retrieval of ten 25.0 %',
  );
  // The measure of an added kind of window: see the recipe in src/train/README.md.
  expect(validationText({ count_bpb: 1, text_bpb: 2, text_middle: 3 })).toBe(
    'validation: text 2.000 bits/byte, count 1.000 bits/byte',
  );
  expect(validationText({ text_bpb: Number.NaN })).toBe('validation not finite');
});

it('the command that resumes works from any folder', () => {
  expect(programCommand('/home/a b/src/cli.ts')).toBe("npm --prefix '/home/a b' run --silent byte-to-loss --");
  expect(programCommand('/usr/local/bin/byte-to-loss')).toBe('byte-to-loss');
  expect(programCommand('/x/node_modules/.bin/byte-to-loss')).toBe('/x/node_modules/.bin/byte-to-loss');
  expect(programCommand('/x/dist/cli.js')).toBe('node /x/dist/cli.js');
  expect(shellWord("it's")).toBe("'it'\\''s'");
  expect(shellWord('')).toBe("''");
});

/** The steps that a run outside a terminal prints a line about. */
function stepsShown(steps: number, secondsPerStep: number): number[] {
  let milliseconds = 0;
  const lines: string[] = [];
  const log = { isTTY: false, columns: 80, write: (text: string) => lines.push(text) > 0 };
  const shown = showProgress(new StatusLine(log), () => milliseconds);
  for (let step = 1; step <= steps; step++) {
    milliseconds += 1000 * secondsPerStep;
    shown.step({ ...progress(step), steps });
  }
  return lines.map((line) => Number(/^step (\d+)\//.exec(line)![1]));
}

describe('a run outside a terminal', () => {
  it('prints a line every ten seconds where the run is short', () => {
    expect(stepsShown(100, 0.5)).toEqual([1, 21, 41, 61, 81, 100]);
  });

  it('prints a line every tenth of a long run', () => {
    expect(stepsShown(100, 60)).toEqual([1, 11, 21, 31, 41, 51, 61, 71, 81, 91, 100]);
  });
});
