import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findingText } from '../../src/wgsl/check.js';
import { MADE_UP, madeUpKernel } from '../support/madeUpKernel.js';
import { findingsOf, interpret, type Memories, runOnDawn } from '../support/wgsl.js';

const invocations = MADE_UP.workgroup * MADE_UP.workgroups;
const options = { workgroups: [MADE_UP.workgroups, 1, 1] } as const;
const memories = (): Memories => ({
  x: Float32Array.from({ length: invocations * 4 }, (_, i) => Math.fround(((i * 37) % 101) / 8 - 6)),
  y: new Float32Array(invocations * MADE_UP.floats),
  z: new Int32Array(invocations * MADE_UP.integers),
});

const RUNS = Number(process.env.MADE_UP_KERNELS ?? 60);

test('kernels that fast-check makes up: the interpreter and Dawn give the same bits, and the checker finds nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const text = madeUpKernel((n) => g(fc.nat, n - 1));
      const mine = interpret(text, memories(), { ...options, seed: 1 });
      const theirs = await runOnDawn(text, memories(), options);
      const bits = ({ buffer }: { buffer: ArrayBufferLike }) => Array.from(new Uint32Array(buffer));
      expect(bits(mine.y!), text).toEqual(bits(theirs.y!));
      expect(bits(mine.z!), text).toEqual(bits(theirs.z!));
      expect(findingsOf(text, memories(), options).map((finding) => findingText(finding, text))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
