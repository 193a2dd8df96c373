/*
 * Compile every pipeline of a training step, in both precisions, on the device that `aco.sh` simulates. A line on
 * stderr names each pipeline before the driver prints its statistics there; `acoTable.ts` reads them.
 */
import { openDevice } from '../src/device/adapters.js';
import { type AdapterProfile, kernelText } from '../src/engine/kernel.js';
import { recordAdamW } from '../src/engine/optimiser.js';
import { compileKernel } from '../src/engine/pipeline.js';
import { selectKernels } from '../src/engine/prepare.js';
import { Program } from '../src/engine/program.js';
import { shaderText } from '../src/engine/shaderSource.js';
import { matrixUnitsOf } from '../src/engine/tiling.js';
import { SIZES, type SizeName } from '../src/model/config.js';
import { recordForward } from '../src/model/forward.js';
import { OPTIMISER } from '../src/train/optimiser.js';
import { markerOf } from './acoStats.js';

const { SIZES: sizes = 'tiny small lean', HEADS: heads } = process.env;
const device = await openDevice({ device: 'gpu' });
const mixed: AdapterProfile = { ...device, precision: 'mixed' };
const precisions = { full: device, ...(matrixUnitsOf(mixed) ? { mixed } : {}) };
console.log(`${device.name}, subgroups of ${device.subgroupRange.join(' to ')}: ${Object.keys(precisions).join(', ')}`);

const compiled = new Set<string>();
for (const size of sizes.split(' ') as SizeName[]) {
  const program = new Program();
  const config = { door: 'projected' as const, ...SIZES[size], ...(heads ? { heads: Number(heads) } : {}) };
  const { loss } = recordForward(program, config, { B: 16, L: 512, T: 256 });
  program.backward(loss);
  recordAdamW(program, loss, OPTIMISER);
  for (const [precision, profile] of Object.entries(precisions)) {
    const dispatches = selectKernels(program, profile);
    for (const dispatch of [...dispatches.values()].flat()) {
      const text = kernelText(await shaderText(dispatch.shader), dispatch);
      if (compiled.has(text)) continue;
      compiled.add(text);
      process.stderr.write(markerOf({ size, precision, shader: dispatch.shader, constants: dispatch.constants ?? {} }));
      await device.settle(compileKernel(device, dispatch));
    }
  }
}
process.exit(0); // Dawn's threads would keep the process
