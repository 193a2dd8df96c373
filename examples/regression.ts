// Two layers learn y = |x| on [-1, 1], with an op of your own between them; gradient descent is four lines of your own.
import { linear, openDevice, Plan, Program } from 'byte-to-loss/engine';
import { leakyRelu } from './leakyRelu.js';

const N = 64;
const program = new Program();
const xs = Float32Array.from({ length: N }, (_, i) => (2 * i) / (N - 1) - 1);
const x = program.constant('x', [N, 1], xs);
const [w1, b1] = [program.parameter('w1', [16, 1]), program.parameter('b1', [16])];
const [w2, b2] = [program.parameter('w2', [1, 16]), program.parameter('b2', [1])];
const y = linear(leakyRelu(linear(x, w1, b1)), w2, b2); // [N, 1]
const dY = program.input('dY', [N, 1]); // gradient of the squared error, from outside
program.backward([[y, dY]]);

const device = await openDevice();
const start = new Map(program.parameters.map(({ name, tensor }) => [name, seeded(name, tensor.size)]));
const plan = await Plan.compile(program, device, { keep: [y], parameters: start });
plan.write(dY, new Float32Array(N));
for (let step = 0; step <= 300; step++) {
  const [predicted] = await plan.replayAndRead([y]);
  const error = predicted!.map((value, i) => value - Math.abs(xs[i]!));
  if (step % 100 === 0)
    console.log(`step ${step}  mean squared error ${(error.reduce((s, e) => s + e * e, 0) / N).toFixed(5)}`);
  plan.write(
    dY,
    error.map((e) => (2 * e) / N),
  );
  await plan.replay();
  for (const { tensor } of program.parameters) {
    const [value, gradient] = [await plan.read(tensor), await plan.read(program.gradientOf(tensor)!)];
    plan.write(
      tensor,
      value.map((v, i) => v - 0.1 * gradient[i]!),
    );
  }
}
device.close();

function seeded(name: string, size: number): Float32Array {
  return Float32Array.from(
    { length: size },
    (_, i) => Math.sin(i * 12.9898 + name.length * 78.233) * (name.startsWith('w') ? 1 : 0),
  );
}
