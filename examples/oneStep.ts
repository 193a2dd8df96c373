// One training step, number by number: loss = (w · x − y)² with w = 1, x = 3, y = 6.
import { openDevice, Program, SGD } from 'byte-to-loss/engine';

const device = await openDevice();
const program = new Program({ device });
const x = program.constant('x', 3);
const y = program.constant('y', 6);
const w = program.parameter('w', [], { init: 1 });

const error = x.mul(w).sub(y); // nothing runs yet: calls are recorded
const loss = error.mul(error);
const optimiser = new SGD(loss, { lr: 0.01 }); // records the gradients and the update

console.log(`error ${await error.value()}, loss ${await loss.value()}`); // 3 - 6 = -3, and 9
console.log(`gradient ${await w.grad!.value()}`); // 2 · error · x = -18
await optimiser.step();
console.log(`w ${await w.value()}, loss ${await loss.value()}`); // 1 + 0.01 · 18 = 1.18, and (3.54 - 6)² = 6.0516

console.log(program.entries.map(({ op }) => op.name).join(' → '));
device.close();
