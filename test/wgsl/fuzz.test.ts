import { expect, test, vi } from 'vitest';
import { findingText } from '../../src/wgsl/index.js';
import { expectNoFailure, shrink } from '../support/madeUp.js';
import { type MadeUpKernel, madeUpKernel, WORDS } from '../support/madeUpKernel.js';
import { compiled, differences, findingsOf, interpret, type Memories, runOnDawn } from '../support/wgsl.js';

/** `FUZZ_KERNELS=20000 npx vitest run test/wgsl/fuzz.test.ts --testTimeout=0` for a long run; a fifth as many go to Dawn. */
const KERNELS = Number(process.env.FUZZ_KERNELS ?? 40);
const PINNED = Math.ceil(Number(process.env.FUZZ_PINNED ?? KERNELS / 5));

function memoriesOf({ invocations }: MadeUpKernel): Memories {
  return {
    x: Float32Array.from({ length: WORDS.x }, (_, i) => ((i * 37) % 101) / 8 - 6),
    y: new Float32Array(invocations * WORDS.y),
    z: new Int32Array(invocations * WORDS.z),
    params: Uint32Array.from({ length: 16 }, (_, i) => (i >= 4 && i < 7 ? bitsOf(i * 0.75 - 4) : i + 2)),
  };
}

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;

const failure = (what: string, { text, grid }: MadeUpKernel, lines: readonly string[]) =>
  lines.length === 0 ? undefined : `${what}\n${lines.join('\n')}\n\nworkgroups: ${grid.join(' × ')}\n${text}`;

test('made-up kernels: compiled and interpreted give the same bits', async () => {
  await expectNoFailure((pick) => {
    const kernel = madeUpKernel(pick, false);
    const memories = memoriesOf(kernel);
    const options = { workgroups: kernel.grid, subgroupSize: 4, seed: 1 } as const;
    const wanted = interpret(kernel.text, memories, options);
    const got = compiled(kernel.text, memories, options);
    return failure('compiled differs from interpreted', kernel, differences(got, wanted));
  }, KERNELS);
});

test('of what WGSL pins: compiled, interpreted and Dawn give the same bits, and the checker finds nothing', async () => {
  await expectNoFailure(async (pick) => {
    const kernel = madeUpKernel(pick, true);
    const { text } = kernel;
    const memories = memoriesOf(kernel);
    const options = { workgroups: kernel.grid } as const;
    const wanted = interpret(text, memories, { ...options, seed: 1 });
    const differs = (got: Memories) => differences(got, wanted);
    return (
      failure('Dawn differs from interpreted', kernel, differs(await runOnDawn(text, memories, options))) ??
      failure('compiled differs', kernel, differs(compiled(text, memories, options))) ??
      failure('compiled differs', kernel, differs(compiled(text, memories, { ...options, robust: false }))) ??
      failure(
        'the checker',
        kernel,
        findingsOf(text, memories, options).map((finding) => findingText(finding, text)),
      )
    );
  }, PINNED);
});

test('a failure is made smaller, in a bounded number of tries, and printed with its kernel and seed', async () => {
  vi.stubEnv('SEED', '1'); // some kernels hardly get smaller in so few tries
  let made = 0;
  let first = '';
  const failed = expectNoFailure((pick) => {
    made++;
    const { text } = madeUpKernel(pick, true);
    if (!text.includes('reverseBits')) return undefined;
    first ||= text;
    return `planted\n${text}`;
  }, 1000);
  const { message } = await failed.then(
    () => new Error('nothing failed'),
    (error: Error) => error,
  );
  vi.unstubAllEnvs();
  expect(message).toMatch(/^planted\n[\s\S]*\n\ncase \d+ of SEED=-?\d+, made smaller$/);
  expect(message.split('reverseBits').length).toBe(2); // once
  expect(message.length).toBeLessThan(first.length);
  expect(made).toBeLessThan(1400);
});

test('shrinking keeps what fails', async () => {
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  const fails = async (of: readonly number[]) => of.includes(7) && of.includes(150);
  expect(await shrink(numbers, fails)).toEqual([7, 150]);
});
