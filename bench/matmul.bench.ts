/** A linear layer's three products by the kernels of each kind of device. `npx tsx bench/matmul.bench.ts [device]` */
import { openDevice } from '../src/device/adapters.js';
import { matmul } from '../src/engine/ops/matmul.js';
import { compareKernels } from './suite.js';

const [name] = process.argv.slice(2);
const device = await openDevice(name === undefined ? {} : { device: name });
const [rows, from, to] = [640, 128, 384]; // attention.qkv of the tiny decoder, 4 windows of 160 positions

await compareKernels(device, `nt: x [${rows}, ${from}] · weightᵀ`, (program) => {
  matmul(program.input('x', [rows, from]), program.input('weight', [to, from]).transpose());
});
await compareKernels(device, `nn: dY [${rows}, ${to}] · weight`, (program) => {
  matmul(program.input('dY', [rows, to]), program.input('weight', [to, from]));
});
await compareKernels(device, `tn: dYᵀ · x, over ${rows} rows`, (program) => {
  matmul(program.input('dY', [rows, to]).transpose(), program.input('x', [rows, from]));
});
device.close();
