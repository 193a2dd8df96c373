// Tests run on the CPU device, which gives the same bits everywhere; BYTE_TO_LOSS_DEVICE takes another. The driver that Dawn is
// tested with, `bundled`, is added by its name.
import './equalArrays.js';
import './swiftShader.js';

process.env.BYTE_TO_LOSS_DEVICE ||= 'cpu';
// Vitest's processes share the cores already: a second thread in each costs a sixth of their CPU time.
process.env.BYTE_TO_LOSS_THREADS ||= '1';
