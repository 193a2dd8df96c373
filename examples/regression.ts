// Two layers learn y = |x| on [-1, 1], with an op of your own between them; gradient descent is four lines of your own.
import { add, linear, normals, openDevice, Plan, Program } from 'byte-to-loss/engine';
import { leakyRelu } from './leakyRelu.js';

const N = 64;
const xs = Float32Array.from({ length: N }, (_, i) => (2 * i) / (N - 1) - 1);
const negative = xs.map((x) => -Math.abs(x)); // added to y, it leaves the error
const program = new Program();
const x = program.constant('x', [N, 1], xs);
const [w1, b1] = [program.parameter('w1', [16, 1]), program.parameter('b1', [16])];
const [w2, b2] = [program.parameter('w2', [1, 16]), program.parameter('b2', [1])];
const y = linear(leakyRelu(linear(x, w1, b1)), w2, b2); // [N, 1]
const error = add(y, program.constant('-|x|', [N, 1], negative));
program.backward([[y, error]]); // the gradient of half the squared error, summed

const device = await openDevice();
const parameters = new Map(['w1', 'w2'].map((name) => [name, normals(0, name, 16)])); // biases start at 0
const plan = await Plan.compile(program, device, { keep: [error], parameters });
for (let step = 0; step <= 300; step++) {
  const [errors] = await plan.replayAndRead([error]);
  const mean = errors!.reduce((sum, e) => sum + e * e, 0) / N;
  if (step % 100 === 0) console.log(`step ${step}  mean squared error ${mean.toFixed(5)}`);
  for (const { tensor } of program.parameters) {
    const gradient = await plan.read(program.gradientOf(tensor)!);
    const moved = (await plan.read(tensor)).map((v, i) => v - (0.1 / N) * gradient[i]!);
    plan.write(tensor, moved);
  }
}
device.close();
