/** The contract with the kernels for GPUs forced, on the system's software driver; see lavapipe.sh. */
import { openDevice } from '../src/device/adapters.js';
import { registry } from '../src/engine/ops/index.js';
import { sampleParity } from '../src/inspect/contract.js';

const sizes = (process.env.SIZES ?? '9 65').split(' ').map(Number);
const device = await openDevice({ device: 'system', robust: true });
console.log(
  `${device.name}, subgroups of ${device.subgroupSize}, vectors of ${process.env.LP_NATIVE_VECTOR_WIDTH} bits`,
);
// Without the profile an op may use its readable kernel if the driver would compile for minutes.
const profile = { ...device, kernels: 'gpu' } as const;
const kernels = new Set<string>();
let tried = 0;
let worst = 0;
let where = '';
let wrong = 0;
for (const { name, samples } of registry) {
  for (const sample of samples) {
    for (const n of sizes) {
      const parity = await sampleParity(device, sample, n, { profile });
      for (const shader of parity.shaders) kernels.add(shader);
      for (const fault of parity.faults) console.log(`  ${name}, ${sample.name}: ${fault}`);
      wrong += parity.faults.length;
      if (parity.worst > worst) where = `${name}, ${sample.name}, n = ${n}`;
      worst = Math.max(worst, parity.worst);
      tried++;
    }
  }
}
const forGpus = [...kernels].filter((shader) => shader.startsWith('gpu/')).length;
console.log(
  `  ${tried} cases at sizes ${sizes}, ${kernels.size} kernels of which ${forGpus} for GPUs alone, ${wrong} wrong; ` +
    `largest error ${(100 * worst).toFixed(0)} % of what is allowed (${where})`,
);
device.close();
if (wrong > 0) process.exitCode = 1;
