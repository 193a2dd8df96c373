import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normals } from '../../src/common/random.js';
import { planMemory, type SharedBuffer } from '../../src/engine/memory.js';
import { add } from '../../src/engine/ops/binary.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { recordForward } from '../../src/model/forward.js';
import { programs } from '../support/arbitraries.js';
import { TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';

const NO_DISPATCHES = new Map();

/** The buffer of a tensor. */
function bufferOf(buffers: readonly SharedBuffer[], { storage }: Tensor): SharedBuffer | undefined {
  return buffers.find(({ allocations }) => allocations.some(({ of }) => of === storage));
}

/** Pairs of tenants of one slot that are alive at the same entry. */
function clashes(buffers: readonly SharedBuffer[]): string[] {
  return buffers.flatMap(({ allocations }) =>
    allocations.flatMap((a, i) =>
      allocations
        .slice(i + 1)
        .flatMap((b) => (a.from <= b.to && b.from <= a.to ? [`${a.of.label} and ${b.of.label}`] : [])),
    ),
  );
}

describe('planMemory', () => {
  test('a chain takes turns in two buffers, by hand', () => {
    const program = new Program();
    const x = program.input('x', [64]);
    // entry i reads what entry i-1 wrote: two buffers suffice, and one does not, since an entry reads and writes at once
    const last = [1, 2, 3, 4].reduce((y) => gelu(y), x);
    const buffers = planMemory(program, NO_DISPATCHES);
    expect(buffers.map(({ size }) => size)).toEqual([256, 256]);
    expect(bufferOf(buffers, last)!.allocations.map(({ from, to }) => [from, to])).toEqual([
      [1, 2],
      [3, 3],
    ]);
  });

  test('a tensor that is read later keeps its buffer', () => {
    const program = new Program();
    const x = program.input('x', [64]);
    const early = gelu(x);
    const late = add(gelu(gelu(gelu(early))), early);
    const buffers = planMemory(program, NO_DISPATCHES);
    expect(bufferOf(buffers, early)!.allocations).toHaveLength(1);
    expect(bufferOf(buffers, late)).toBeDefined();
  });

  test('no two living tensors share a buffer, each fits, and sharing never costs', () => {
    fc.assert(
      fc.property(programs(), fc.nat(99), ({ program, tensors }, keep) => {
        const kept = tensors[keep % tensors.length]!;
        const buffers = planMemory(program, NO_DISPATCHES, [kept]);
        expect(clashes(buffers)).toEqual([]);
        for (const { size, allocations } of buffers)
          for (const { bytes } of allocations) expect(size).toBeGreaterThanOrEqual(bytes);
        const all = buffers.flatMap(({ allocations }) => allocations);
        const peak = buffers.reduce((sum, { size }) => sum + size, 0);
        expect(peak).toBeLessThanOrEqual(all.reduce((sum, { bytes }) => sum + bytes, 0));
        const last = bufferOf(buffers, kept)?.allocations.at(-1);
        if (last !== undefined) expect(last.of).toBe(kept.storage);
      }),
    );
  });

  test('a training step takes less than three fifths of what it would unshared', () => {
    const program = new Program();
    const { loss } = recordForward(program, TINY, { B: 2, L: 16, T: 32 });
    program.backward(loss);
    const buffers = planMemory(program, NO_DISPATCHES);
    expect(clashes(buffers)).toEqual([]);
    const unshared = buffers.flatMap(({ allocations }) => allocations).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(buffers.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(0.6 * unshared);
  });
});

test('a program gives the same bits with shared buffers as with none shared', async () => {
  const device = await testDevice();
  await fc.assert(
    fc.asyncProperty(programs(), async ({ program, x, tensors }) => {
      const result = tensors.at(-1)!;
      const numbers = normals(7, 'x', x.size);
      const run = async (keep: 'all' | readonly (typeof result)[]) => {
        const plan = await Plan.compile(program, device, { keep });
        plan.write(x, numbers);
        const [y] = await plan.replayAndRead([result]);
        plan.free();
        return y!;
      };
      expect(await run([result])).toEqual(await run('all'));
    }),
    { numRuns: 15 },
  );
});
