import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normals } from '../../src/common/random.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { ReferenceRun } from '../../src/engine/reference.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { testDevice } from '../support/device.js';
import { expectClose } from '../support/expectClose.js';
import { EXPRESSION_OPS, type ExpressionStep, recordExpression } from '../support/expressions.js';

// Random expressions of a learner's ops: their gradients against central differences, PyTorch, and the kernels.

const steps = fc.array(
  fc.record({ op: fc.constantFrom(...EXPRESSION_OPS), i: fc.nat(99), j: fc.nat(99), k: fc.nat(99) }),
  { minLength: 2, maxLength: 12 },
);

/** An expression with its gradients, and numbers for its leaves. */
function recorded(expression: readonly ExpressionStep[], numbers?: Readonly<Record<string, number[]>>) {
  const program = new Program();
  const { leaves, loss } = recordExpression(program, expression);
  const forward = [...program.entries];
  program.backward(loss);
  const gradients = Object.values(leaves).map((leaf) => program.contiguous(leaf.grad!));
  const feeds = new Map<Tensor, ArrayLike<number>>();
  for (const [name, leaf] of Object.entries(leaves)) {
    feeds.set(leaf, Float64Array.from(numbers?.[name] ?? normals(7, name, leaf.size)));
  }
  return { program, leaves, loss, forward, gradients, feeds };
}

test('gradients agree with central differences of the float64 references', () => {
  fc.assert(
    fc.property(steps, (expression) => {
      const { program, leaves, loss, forward, gradients, feeds } = recorded(expression);
      const found = new ReferenceRun(program, feeds).run();
      // A difference across the kink of relu says nothing.
      const kinks = forward
        .filter(({ op }) => op.name === 'relu')
        .flatMap(({ inputs: [x] }) => [...found.value(x!).data]);
      fc.pre(kinks.every((x) => Math.abs(x) > 5e-3));
      for (const [l, leaf] of Object.values(leaves).entries()) {
        const start = Float64Array.from(feeds.get(leaf)!);
        const direction = normals(8, leaf.label, leaf.size);
        const lossAt = (by: number) => {
          const moved = new Map(feeds).set(leaf, start.map((x, i) => x + by * direction[i]!)); // biome-ignore format: one idea
          return new ReferenceRun(program, moved).run(forward).value(loss).data[0]!;
        };
        // The formula is of fourth order: its error falls with h⁴, so that h can be large against rounding.
        const h = 1e-4;
        const difference = (8 * (lossAt(h) - lossAt(-h)) - (lossAt(2 * h) - lossAt(-2 * h))) / (12 * h);
        const { data } = found.value(gradients[l]!);
        const gradient = data.reduce((sum, g, i) => sum + g * direction[i]!, 0);
        const scale = Math.max(1, Math.abs(gradient));
        expect(Math.abs(gradient - difference) / scale, `${leaf}: ${gradient}, differences ${difference}`).toBeLessThan(
          1e-6,
        );
      }
    }),
    { numRuns: 150 },
  );
});

test('kernels agree with the references, values and gradients', async () => {
  const device = await testDevice();
  await fc.assert(
    fc.asyncProperty(steps, async (expression) => {
      const { program, loss, gradients, feeds } = recorded(expression);
      const found = new ReferenceRun(program, feeds).run();
      const plan = await Plan.compile(program, device, { keep: [loss, ...gradients] });
      try {
        for (const [leaf, data] of feeds) plan.write(leaf, Float32Array.from(data));
        await plan.replay();
        for (const y of [loss, ...gradients]) expectClose(`${y}`, await plan.read(y), found.value(y).data, 512, 0.1);
      } finally {
        plan.free();
      }
    }),
    { numRuns: 25 },
  );
});

interface Golden {
  readonly steps: ExpressionStep[];
  readonly leaves: Readonly<Record<string, number[]>>;
  readonly loss: number;
  readonly gradients: Readonly<Record<string, number[]>>;
}

describe('PyTorch in float64 has the same losses and gradients', () => {
  const cases = JSON.parse(readFileSync('test/golden/expressions.json', 'utf8')) as Golden[];

  test.each(cases.map((golden, i) => [i, golden] as const))('expression %i', (_, golden) => {
    const { program, leaves, loss, gradients, feeds } = recorded(golden.steps, golden.leaves);
    const run = new ReferenceRun(program, feeds).run();
    expect(run.value(loss).data[0]).toBeCloseTo(golden.loss, 10);
    for (const [l, name] of Object.keys(leaves).entries()) {
      const { data } = run.value(gradients[l]!);
      for (const [i, expected] of golden.gradients[name]!.entries()) {
        expect(data[i], `${name}[${i}]`).toBeCloseTo(expected, 10);
      }
    }
  });

  test('they use every op', () => {
    const used = new Set(cases.flatMap((golden) => golden.steps.map(({ op }) => op)));
    expect([...used].sort()).toEqual([...EXPRESSION_OPS].sort());
  });
});
