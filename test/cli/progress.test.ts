import { afterEach, expect, it, vi } from 'vitest';
import { showProgress } from '../../src/cli/progress.js';

afterEach(() => vi.restoreAllMocks());

/** The steps that a run outside a terminal prints a line about. */
function stepsShown(steps: number, secondsPerStep: number): number[] {
  let milliseconds = 0;
  const shown: number[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    shown.push(Number(/^step (\d+)\//.exec(line)![1]));
  });
  const progress = showProgress(undefined, false, () => milliseconds);
  for (let step = 1; step <= steps; step++) {
    milliseconds += 1000 * secondsPerStep;
    progress.step({ step, steps, bitsPerByte: 1, bytesPerSecond: 1, learningRate: 1, gradientNorm: 1 });
  }
  return shown;
}

it('outside a terminal a short run prints a line every ten seconds', () => {
  expect(stepsShown(100, 0.5)).toEqual([1, 21, 41, 61, 81, 100]);
});

it('outside a terminal a long run prints a line every tenth of it', () => {
  expect(stepsShown(100, 60)).toEqual([1, 11, 21, 31, 41, 51, 61, 71, 81, 91, 100]);
});

it('outside a terminal every validation and every save has a line', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const progress = showProgress(4.465, false, () => 0);
  progress.validation(2, { text_bpb: 4 });
  progress.saved(2, 'run/step-000002.safetensors');
  expect(log.mock.calls).toEqual([
    ['step 2  validation 4.000 bits/byte  (order-0 entropy 4.465, below it: context is used)'],
    ['step 2  saved run/step-000002.safetensors'],
  ]);
});
