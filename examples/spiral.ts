// Two spirals, 100 points each, and a picture of where the network draws the line between them.
import { AdamW, crossEntropy, openDevice, Program, type Tensor } from 'byte-to-loss/engine';

const points = Array.from({ length: 200 }, (_, i) => {
  const [radius, side] = [i / 200, i % 2];
  const angle = 7 * radius + Math.PI * side;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});
const labels = Uint32Array.from(points, (_, i) => i % 2);

const device = await openDevice();
const program = new Program({ device });
const layer = (name: string, inputs: number, outputs: number) => {
  const w = program.parameter(`${name}.w`, [inputs, outputs], { init: { std: Math.sqrt(2 / inputs) } });
  const b = program.parameter(`${name}.b`, [outputs]);
  return (x: Tensor) => x.matmul(w).add(b);
};
const [first, second, third] = [layer('first', 2, 32), layer('second', 32, 32), layer('third', 32, 2)];
const net = (x: Tensor) => third(second(first(x).relu()).relu());
const { loss } = crossEntropy(net(program.constant('points', points)), program.constant('labels', [200], labels));

const optimiser = new AdamW(loss, { lr: 0.01 });
for (let step = 0; step <= 300; step++) {
  const value = await optimiser.step();
  if (step % 100 === 0) console.log(`step ${step}  loss ${value.toFixed(4)}`);
}

const [W, H] = [56, 24]; // the plane from -1 to 1, as characters
const plane = Array.from({ length: W * H }, (_, i) => [(2 * (i % W)) / W - 1, 1 - (2 * Math.floor(i / W)) / H]);
const { data } = await net(program.constant('plane', plane)).softmax().value(); // [W H, 2]
const picture = Array.from({ length: W * H }, (_, i) => (data[2 * i]! > 0.5 ? '#' : '.')).join('');
console.log(picture.replace(new RegExp(`.{${W}}`, 'g'), '$&\n'));
device.close();
