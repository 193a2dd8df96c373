import { describe, expect, test } from 'vitest';
import { recordAdamW, stepScalars } from '../../src/engine/optimiser.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import type { DecoderConfig, DoorKind } from '../../src/model/config.js';
import { recordForward, toFeeds } from '../../src/model/forward.js';
import { parameterSpecs } from '../../src/model/parameters.js';
import { OPTIMISER } from '../../src/train/optimiser.js';
import { readSafetensors } from '../../src/train/safetensors.js';
import { testDevice } from '../support/device.js';
import { expectClose } from '../support/expectClose.js';

// Numbers of a float64 PyTorch decoder: see test/golden/README.md.
describe.each<DoorKind>(['zero', 'projected', 'bytes'])('the %s decoder against PyTorch', (door) => {
  test('door output, logits, loss, every gradient and one AdamW step', async () => {
    const { tensors, metadata } = readSafetensors(`test/golden/decoder-${door}.safetensors`);
    const numbers = (name: string) => Float64Array.from(tensors.get(name)!.data as Float32Array);
    const config: DecoderConfig = {
      door,
      dim: Number(metadata.dim),
      K: Number(metadata.K),
      layers: Number(metadata.layers),
      heads: Number(metadata.heads),
    };
    const [B, L] = tensors.get('prefix')!.shape as [number, number];
    const T = tensors.get('target')!.shape[1]!;

    const program = new Program();
    const pass = recordForward(program, config, { B, L, T });
    program.backward(pass.loss);
    const optimiser = recordAdamW(program, pass.loss, OPTIMISER);
    const parameters = new Map(
      parameterSpecs(config).map(({ name }) => [name, Float32Array.from(numbers(`param.${name}`))]),
    );
    const plan = await Plan.compile(program, await testDevice(), {
      keep: [pass.x0, pass.logits, pass.nats, pass.loss, optimiser.clip],
      parameters,
    });
    const batch = {
      prefix: Uint32Array.from(numbers('prefix')),
      targets: Uint32Array.from(numbers('target')),
      weights: Float32Array.from(numbers('weight')),
    };
    for (const [tensor, data] of toFeeds(pass, batch)) plan.write(tensor, data);
    plan.write(optimiser.scalars, stepScalars(1, 1e-3, OPTIMISER));
    await plan.replay();

    expectClose('x0', await plan.read(pass.x0), numbers('x0'), door === 'projected' ? 8 : 1);
    expectClose('logits', await plan.read(pass.logits), numbers('logits'), 64);
    expectClose('nats', await plan.read(pass.nats), numbers('nats'), 16);
    expectClose('loss', await plan.read(pass.loss), numbers('loss'), 16);
    for (const { name, tensor } of program.parameters) {
      const gradient = await plan.read(program.gradientOf(tensor)!);
      expectClose(`gradient of ${name}`, gradient, numbers(`grad.${name}`), 256);
    }
    const [norm] = await plan.read(optimiser.clip);
    expectClose('gradient norm', [norm!], numbers('gradient_norm'), 64);
    for (const { name, tensor } of program.parameters) {
      // The first AdamW step moves a parameter by lr · g / (|g| + eps), about lr for any gradient: compare the change,
      // where g is well above eps, since below it the move shows only the gradient's rounding.
      const before = parameters.get(name)!;
      const after = await plan.read(tensor);
      const gradient = numbers(`grad.${name}`);
      const expected = numbers(`adamw.${name}`);
      let worst = 0;
      for (const [i, value] of expected.entries()) {
        if (Math.abs(gradient[i]!) * Math.min(1, OPTIMISER.clip / norm!) < 1e-6) continue;
        worst = Math.max(worst, Math.abs(after[i]! - before[i]! - (value - before[i]!)));
      }
      expect(worst, `AdamW's move of ${name}, at learning rate 1e-3`).toBeLessThan(2e-6);
    }
    plan.free();
  });
});
