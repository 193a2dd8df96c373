import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findingText } from '../../src/wgsl/index.js';
import { type MadeUpKernel, madeUpKernel, WORDS } from '../support/madeUpKernel.js';
import { compiled, differences, findingsOf, interpret, type Memories, runOnDawn } from '../support/wgsl.js';

/** `FUZZ_KERNELS=20000 npx vitest run test/wgsl/fuzz.test.ts --testTimeout=0` for a long run; a fifth as many go to Dawn. */
const KERNELS = Number(process.env.FUZZ_KERNELS ?? 40);
const PINNED = Math.ceil(Number(process.env.FUZZ_PINNED ?? KERNELS / 5));
const settings = (numRuns: number) => ({
  numRuns,
  endOnFailure: true, // a smaller kernel of the same kind is found by hand faster
  ...(process.env.SEED !== undefined && { seed: Number(process.env.SEED) }),
});

function memoriesOf({ invocations }: MadeUpKernel): Memories {
  return {
    x: Float32Array.from({ length: WORDS.x }, (_, i) => ((i * 37) % 101) / 8 - 6),
    y: new Float32Array(invocations * WORDS.y),
    z: new Int32Array(invocations * WORDS.z),
    params: Uint32Array.from({ length: 16 }, (_, i) => (i >= 4 && i < 7 ? bitsOf(i * 0.75 - 4) : i + 2)),
  };
}

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;

test('kernels that fast-check makes up: compiled and interpreted give the same bits', () => {
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const kernel = madeUpKernel((n) => g(fc.nat, n - 1), false);
      const memories = memoriesOf(kernel);
      const options = { workgroups: kernel.grid, subgroupSize: 4, seed: 1 } as const;
      const wanted = interpret(kernel.text, memories, options);
      expect(differences(compiled(kernel.text, memories, options), wanted), kernel.text).toEqual([]);
    }),
    settings(KERNELS),
  );
});

test('of what WGSL pins: compiled, interpreted and Dawn give the same bits, and the checker finds nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const kernel = madeUpKernel((n) => g(fc.nat, n - 1), true);
      const { text } = kernel;
      const memories = memoriesOf(kernel);
      const options = { workgroups: kernel.grid } as const;
      const wanted = interpret(text, memories, { ...options, seed: 1 });
      expect(differences(await runOnDawn(text, memories, options), wanted), text).toEqual([]);
      for (const robust of [true, false]) {
        expect(differences(compiled(text, memories, { ...options, robust }), wanted), text).toEqual([]);
      }
      expect(findingsOf(text, memories, options).map((finding) => findingText(finding, text))).toEqual([]);
    }),
    settings(PINNED),
  );
});
