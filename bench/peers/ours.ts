import { openDevice } from '../../src/device/adapters.js';
import { adamW } from '../../src/engine/ops/adamW.js';
import { add } from '../../src/engine/ops/binary.js';
import { crossEntropy } from '../../src/engine/ops/crossEntropy.js';
import { embedding } from '../../src/engine/ops/embedding.js';
import { matmul } from '../../src/engine/ops/matmul.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { decoderBlocks } from '../../src/model/blocks.js';
import { serve } from './worker.js';
import { ADAM, VOCABULARY, weightsOf } from './workload.js';

await serve(async (workload, name, threads) => {
  const { B, T, dim, heads, layers } = workload;
  const device = await openDevice({ device: name, ...(threads && { threads }) });
  const program = new Program();
  const start = new Map<string, Float32Array>();
  const parameters = new Map(
    [...weightsOf(workload)].map(([name, { shape, data }]) => {
      // A linear layer keeps its weight as [out, in].
      const isLinear = shape.length === 2 && name.startsWith('blocks.');
      start.set(name, isLinear ? transposed(data, shape) : data);
      return [name, program.parameter(name, isLinear ? [...shape].reverse() : shape)];
    }),
  );

  const x = program.input('x', [B, T], 'u32');
  const targets = program.input('targets', [B, T], 'u32');
  const weights = program.constant('weights', [B, T], new Float32Array(B * T).fill(1));
  const places = program.constant(
    'places',
    [B, T],
    Uint32Array.from({ length: B * T }, (_, i) => i % T),
  );
  const position = program.constant('position', [1], new Uint32Array(1));
  // Positions are learned here, so rotary turns by angle 0: cosines 1, sines 0.
  const D = dim / heads;
  const still = Float32Array.from({ length: T * D }, (_, i) => Number(i % D < D / 2));
  const angles = program.constant('angles', [T, D], still);

  const x0 = add(embedding(parameters.get('bytes')!, x), embedding(parameters.get('positions')!, places)); // [B, T, C]
  const config = { door: 'bytes', dim, layers, heads, K: 1 } as const;
  const y = decoderBlocks(x0, { config, parameters, P: 0, angles, position });
  const logits = matmul(y.reshape([B * T, dim]), parameters.get('head')!).reshape([B, T, VOCABULARY]);
  const { loss } = crossEntropy(logits, targets, weights);
  program.backward(loss);

  program.phase = 'update';
  const n = program.flatLength;
  const step = program.input('step', [4]);
  const [m, v] = [program.state('m', [n]), program.state('v', [n])];
  const decays = program.constant('decays', [n / 64], new Float32Array(n / 64));
  const clip = program.constant('clip', [2], Float32Array.of(0, 1)); // no clipping: gradients count once
  const flat = { parameters: program.flat('parameter'), m, v };
  const { lr, beta1, beta2, eps } = ADAM;
  adamW(program.flat('gradient'), decays, clip, step, flat, { beta1, beta2, eps, decay: 0 });

  const plan = await Plan.compile(program, device, { keep: [loss], parameters: start });
  return {
    adapter: device.name,
    async step(batch, next, index) {
      plan.write(x, Uint32Array.from(batch));
      plan.write(targets, Uint32Array.from(next));
      plan.write(step, Float32Array.of(lr, 1 - beta1 ** (index + 1), 1 - beta2 ** (index + 1), 1));
      const [nats] = await plan.replayAndRead([loss]);
      return nats![0]!;
    },
  };
});

function transposed(data: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows!; r++) for (let c = 0; c < columns!; c++) out[c * rows! + r] = data[r * columns! + c]!;
  return out;
}
