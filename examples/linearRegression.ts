// Linear regression: find w and b of y = 2 x1 - 3 x2 + 1 from 64 noisy points.
import { normals, openDevice, Program, SGD } from 'byte-to-loss/engine';

const xs = normals(0, 'x', 128);
const noise = normals(0, 'noise', 64);
const ys = noise.map((e, i) => 2 * xs[2 * i]! - 3 * xs[2 * i + 1]! + 1 + 0.1 * e);

const device = await openDevice();
const program = new Program({ device });
const x = program.constant('x', [64, 2], xs);
const y = program.constant('y', [64, 1], ys);
const w = program.parameter('w', [2, 1]);
const b = program.parameter('b', [1]);
const error = x.matmul(w).add(b).sub(y); // [64, 1]
const loss = error.mul(error).mean();

const optimiser = new SGD(loss, { lr: 0.1 });
for (let step = 0; step <= 60; step++) {
  const value = await optimiser.step();
  if (step % 20 === 0) console.log(`step ${step}  loss ${value.toFixed(4)}`);
}
console.log(`w ${await w.reshape([2]).value()}, b ${await b.value()}`);
device.close();
