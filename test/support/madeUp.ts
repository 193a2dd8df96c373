import fc from 'fast-check';

/** Draws a number from 0 up to, not including, n. */
export type Pick = (n: number) => number;

/** Candidates that are tried to make a failing case smaller. */
const TRIES = 300;

/**
 * Run made-up cases until one fails; then make it smaller and throw what is left of it. `SEED=n` repeats a failure.
 *
 * @param failureOf makes a case of the numbers that it picks, and runs it. Returns undefined, or what failed: in the first line the
 * kind of failure, which the smaller case has to share. An error thrown is a failure too.
 * @param runs number of cases
 * @throws Error the failure of the smaller case, and the seed
 */
export async function expectNoFailure(
  failureOf: (pick: Pick) => string | undefined | Promise<string | undefined>,
  runs: number,
) {
  const failureOfNumbers = async (pick: Pick) => {
    try {
      return await failureOf(pick);
    } catch (error) {
      return `${(error as Error).name}\n${(error as Error).stack}`;
    }
  };
  const property = fc.asyncProperty(fc.gen(), async (g) => {
    const numbers: number[] = [];
    const failure = await failureOfNumbers((n) => {
      const number = g(fc.nat, n - 1);
      numbers.push(number);
      return number;
    });
    if (failure === undefined) return;
    const small = await shrink(numbers, async (fewer) => {
      const other = await failureOfNumbers(replay(fewer));
      return other !== undefined && kindOf(other) === kindOf(failure);
    });
    throw new Error(await failureOfNumbers(replay(small)));
  });
  const { SEED } = process.env;
  // fast-check would print the numbers, thousands of them; our message has the case that they make.
  const { failed, errorInstance, seed, numRuns } = await fc.check(property, {
    numRuns: runs,
    endOnFailure: true,
    ...(SEED !== undefined && { seed: Number(SEED) }),
  });
  if (failed) throw new Error(`${(errorInstance as Error).message}\n\ncase ${numRuns} of SEED=${seed}, made smaller`);
}

const kindOf = (failure: string) => failure.split('\n', 1)[0];

/** The same numbers again, brought below each bound; after the last, 0. */
function replay(numbers: readonly number[]): Pick {
  let at = 0;
  return (n) => (numbers[at++] ?? 0) % n;
}

/**
 * Fewer and smaller numbers that still fail: runs of them are left out or set to 0, long runs first.
 *
 * @param tries candidates at most; then the smallest so far is returned
 */
export async function shrink(
  numbers: readonly number[],
  fails: (numbers: readonly number[]) => Promise<boolean>,
  tries = TRIES,
): Promise<readonly number[]> {
  let best = numbers;
  let left = tries;
  const keeps = async (candidate: readonly number[]) => {
    if (left-- <= 0 || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let length = best.length >> 1; length > 0 && left > 0; length >>= 1) {
    for (let at = 0; at < best.length && left > 0; ) {
      const [before, run, after] = [best.slice(0, at), best.slice(at, at + length), best.slice(at + length)];
      if (await keeps([...before, ...after])) continue;
      if (run.some((number) => number !== 0)) await keeps([...before, ...run.map(() => 0), ...after]);
      at += length;
    }
  }
  return best;
}
