// XOR: two layers learn what no line can separate.
import { openDevice, Program, SGD } from 'byte-to-loss/engine';

const device = await openDevice();
const program = new Program({ device, seed: 1 });
const x = program.constant('x', [[0, 0], [0, 1], [1, 0], [1, 1]]); // biome-ignore format: a table
const y = program.constant('y', [[0], [1], [1], [0]]);
const w1 = program.parameter('w1', [2, 8], { init: { std: 1 } });
const b1 = program.parameter('b1', [8]);
const w2 = program.parameter('w2', [8, 1], { init: { std: 1 } });
const b2 = program.parameter('b2', [1]);
const p = x.matmul(w1).add(b1).tanh().matmul(w2).add(b2).sigmoid(); // [4, 1]
const loss = p.sub(y).mul(p.sub(y)).mean();

const optimiser = new SGD(loss, { lr: 1, momentum: 0.9 });
for (let step = 0; step <= 200; step++) {
  const value = await optimiser.step();
  if (step % 50 === 0) console.log(`step ${step}  loss ${value.toFixed(4)}`);
}
console.log(`${await p.value()}`);
device.close();
