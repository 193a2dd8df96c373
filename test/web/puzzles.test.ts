import { describe, expect, test } from 'vitest';
import { shaderText } from '../../src/engine/shaderSource.js';
import { Stepper } from '../../src/wgsl/index.js';
import { checkOwn, checkPuzzle, placeOf } from '../../web/lib/puzzleCheck.js';
import { OWN_KERNEL, PUZZLES, withHoles } from '../../web/lib/puzzles.js';

/** For each puzzle, what somebody may put into its holes, and why it is refused. */
const WRONG: Readonly<Record<string, readonly [filling: string[], reason: RegExp]>> = {
  'Copy a row': [
    ['y[i] = table[ids[i % params.W] * params.C + i / params.W];'],
    /index \d+ of ids is read|is wrong at/,
  ],
  'An activation': [['y[i] = max(x, 0.0);'], /y is wrong at \d+: it must be/],
  'The guard': [[''], /index \d+ of x is read, which has \d+ elements/],
  'A dot product': [['for (var k = 0u; k < params.K; k++) { sum += a[aAt + k] * b[bAt + k]; }'], /is wrong at|index/],
  'Mean and variance': [
    [
      `var total = 0.0; var square = 0.0;
       for (var c = 0u; c < params.C; c++) { total += x[row + c]; square += x[row + c] * x[row + c]; }
       let center = total / width;
       let scale = 1.0 / sqrt(square / width - center * center + params.eps);`,
    ],
    /y is wrong at/,
  ],
  'A softmax that does not overflow': [
    [
      `var total = 0.0;
       for (var c = 0u; c < params.C; c++) { total += exp(x[row + c]); }
       for (var c = 0u; c < params.C; c++) { y[row + c] = exp(x[row + c]) / total; }`,
    ],
    /y is wrong at \d+: it must be .*, and is NaN/,
  ],
  'A sum with a barrier': [
    [
      `partial[lane] = sum;
       if (lane == 0u) { var all = 0.0; for (var k = 0u; k < WORKGROUP; k++) { all += partial[k]; } y[at] = all / params.divisor;`,
    ],
    /^race in workgroup memory at partial\[\d+\]/,
  ],
  'Turn a pair': [
    ['q[toQ] = q0; q[toQ + HALF] = q1; k[toK] = qkv[source + C]; k[toK + HALF] = qkv[source + C + HALF];'],
    /q is wrong at/,
  ],
  'Find the race': [['workgroupBarrier();', ''], /^race in workgroup memory at [ab]Tile/],
  'Attention in one pass': [
    ['for (var d = 0u; d < HEAD_DIM; d++) { output[d] += exp(score) * v[key + d]; } total += exp(score);'],
    /is wrong at/,
  ],
};

describe.each(PUZZLES.map((puzzle) => [puzzle.title, puzzle] as const))('%s', (title, puzzle) => {
  test('is solved by our own kernel; its hole and a wrong filling are refused with the reason', async () => {
    const kernel = await shaderText(puzzle.shader);
    expect(await checkPuzzle(puzzle, kernel)).toMatchObject({ passed: true });
    expect(await checkPuzzle(puzzle, withHoles(puzzle, kernel))).toMatchObject({ passed: false });
    const [filling, reason] = WRONG[title]!;
    const verdict = await checkPuzzle(puzzle, withHoles(puzzle, kernel, filling));
    expect(verdict.passed).toBe(false);
    expect(verdict.said).toMatch(reason);
    expect(await checkPuzzle(puzzle, `${kernel}}`)).toMatchObject({
      passed: false,
      said: expect.stringContaining('^'),
    });
  });
});

test('a race of the own kernel is stepped to: the later lane is after its access', () => {
  const verdict = checkOwn(OWN_KERNEL);
  if (verdict.passed) throw new Error('the race was not found');
  expect(verdict.said).toContain('race in workgroup memory at tile[32]');
  const { dispatch, finding } = verdict;
  const { workgroup, faults, begin } = placeOf(finding!, [64, 1, 1]);
  expect([...faults].sort()).toEqual([10, 9]);
  const stepper = new Stepper(dispatch!.module, dispatch!.entryPoint, { ...dispatch!, workgroup });
  const lane = begin(stepper);
  expect(stepper.touches.some((touch) => touch.lane === lane && touch.variable.name === 'tile')).toBe(true);
  expect(checkOwn(OWN_KERNEL.replace('tile[i] = x[i];', 'tile[i] = x[i];\n  workgroupBarrier();')).passed).toBe(true);
  expect(checkOwn('fn main() {}')).toMatchObject({ passed: false, said: 'There is no function with @compute.' });
});
