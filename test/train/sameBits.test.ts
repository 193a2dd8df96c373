import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDevice } from '../../src/device/adapters.js';
import { recordAdamW, stepScalars } from '../../src/engine/optimiser.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { shaderText } from '../../src/engine/shaderSource.js';
import { runEntries } from '../../src/inspect/entryRun.js';
import { HostMemory } from '../../src/inspect/hostMemory.js';
import { recordForward, toFeeds } from '../../src/model/forward.js';
import { initialParameters } from '../../src/model/parameters.js';
import { optimiserPath, writeCheckpoint } from '../../src/train/checkpoint.js';
import { OPTIMISER } from '../../src/train/optimiser.js';
import { Trainer } from '../../src/train/trainer.js';
import { mix } from '../../src/train/windows/mix.js';
import { openText } from '../../src/train/windows/text.js';
import { parseModule, run } from '../../src/wgsl/index.js';
import { randomBatch } from '../support/decoders.js';

const GOLDEN = 'test/golden/cpu-training.json';
const CONFIG = { door: 'zero', dim: 56, layers: 1, heads: 2, K: 2 } as const;
const WINDOW = { prefix: 12, stream: 10 };
const SEED = 5;

const sha256 = (...parts: readonly (Float32Array | Uint32Array | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex');
};

/** Four seeded updates on the CPU device: losses, and hashes of the last gradients and of both files of a checkpoint. */
async function train(threads: number) {
  const device = await openDevice({ device: 'cpu', robust: true, threads });
  const folder = mkdtempSync(join(tmpdir(), 'same-bits-'));
  try {
    const windows = mix([{ source: openText([], WINDOW), share: 1 }]);
    const parameters = initialParameters(CONFIG, SEED);
    const trainer = await Trainer.create(device, { config: CONFIG, batch: 3, sizes: [WINDOW], parameters });
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      losses.push((await trainer.update([windows.batch(SEED, step, 3)], 1e-3)).nats);
    }
    const { plan } = trainer;
    const gradients = await plan.readback(plan.program.storages.filter(({ role }) => role === 'gradient'));
    const path = join(folder, 'step-000004.safetensors');
    const info = { config: CONFIG, step: trainer.step, seed: SEED, ...WINDOW };
    writeCheckpoint(path, { parameters: await trainer.parameters(), ...info }, await trainer.moments());
    return {
      losses,
      gradients: sha256(...gradients),
      checkpoint: sha256(readFileSync(path)),
      moments: sha256(readFileSync(optimiserPath(path))),
    };
  } finally {
    rmSync(folder, { recursive: true });
    device.close();
  }
}

test('training on the CPU device: the same losses, gradients and checkpoint with 1, 2 and 3 threads, on every machine', async () => {
  const alone = await train(1);
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${JSON.stringify(alone, null, 2)}\n`);
  expect(alone).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
  expect(alone.losses.at(-1)).toBeLessThan(alone.losses[0]!);
  expect(await train(2)).toEqual(alone);
  expect(await train(3)).toEqual(alone);
});

test('one step, dispatch by dispatch: the interpreter gives the bits of the CPU device', async () => {
  const device = await openDevice({ device: 'cpu', robust: true, threads: 2 });
  const program = new Program();
  const size = { B: 2, L: 5, T: 4 };
  const pass = recordForward(program, CONFIG, size);
  program.backward(pass.loss);
  const optimiser = recordAdamW(program, pass.loss, OPTIMISER);
  const parameters = initialParameters(CONFIG, SEED);
  const plan = await Plan.compile(program, device, { keep: 'all', parameters });
  const feeds = [
    ...toFeeds(pass, randomBatch(size)),
    [optimiser.scalars, stepScalars(1, 1e-3, OPTIMISER, 1)] as const,
    [optimiser.m, new Float32Array(optimiser.m.size)] as const,
    [optimiser.v, new Float32Array(optimiser.v.size)] as const,
  ];
  const memory = new HostMemory(program.flatLength);
  for (const { name, tensor } of program.parameters) memory.write(tensor.storage, parameters.get(name)!);
  for (const [tensor, data] of feeds) {
    memory.write(tensor.storage, data);
    plan.write(tensor, data);
  }
  let entries = 0;
  for await (const { entry, prepared } of runEntries(plan)) {
    for (const { dispatch, text } of prepared) {
      const module = parseModule(text);
      const bindings = memory.bindings(dispatch, await shaderText(dispatch.shader));
      run(module, module.entryPoints[0]!.function.name, { bindings, workgroups: dispatch.workgroups, subgroupSize: 4 });
    }
    const storages = entry.outputs.map(({ storage }) => storage);
    const theirs = await plan.readback(storages);
    for (const [i, storage] of storages.entries()) {
      expect(sha256(memory.read(storage)), `${entry.scope} ${entry.op.name} ${storage.label}`).toBe(sha256(theirs[i]!));
    }
    entries++;
  }
  expect(entries).toBeGreaterThan(30);
  device.close();
});
