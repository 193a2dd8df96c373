/** Attention, forward and with its gradients, by the kernels of each kind of device. `npx tsx bench/attention.bench.ts [device]` */
import { openDevice } from '../src/device/adapters.js';
import { attention } from '../src/engine/ops/attention.js';
import { compareKernels } from './suite.js';

const [name] = process.argv.slice(2);
const device = await openDevice(name === undefined ? {} : { device: name });
const [B, H, S, D, P] = [2, 4, 160, 32, 32];

for (const gradients of [false, true]) {
  await compareKernels(device, `B ${B}, H ${H}, S ${S}, D ${D}${gradients ? ', with gradients' : ''}`, (program) => {
    const [q, k, v] = ['q', 'k', 'v'].map((name) =>
      program.input(name, [B, H, S, D], 'f32', { requiresGradient: gradients }),
    );
    const y = attention(q!, k!, v!, program.constant('position', [1], new Uint32Array(1)), P);
    if (gradients) program.backward([[y, program.input('dY', y.shape)]]);
  });
}
device.close();
