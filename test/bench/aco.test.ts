import { describe, expect, test } from 'vitest';
import { fits, markerOf, readStatistics, table } from '../../bench/acoStats.js';

/** One pipeline as Mesa 25.0.7 prints it, shortened. */
function printed(numbers: { registers: number; spilled: number; scratch: number }): string {
  return `
Compute Shader:
*** SHADER STATS ***
Driver pipeline hash: 2366924888019985709
SGPRs: 128
VGPRs: ${numbers.registers}
Spilled SGPRs: 7
Spilled VGPRs: ${numbers.spilled}
Code size: 1532
LDS size: 16384
Scratch size: ${numbers.scratch}
Subgroups per SIMD: 4
Instructions: 917
Latency: 1533
VMEM Clause: 8
Pre-Sched VGPRs: 10
VALU: 123
VMEM: 98
SMEM: 7
********************
`;
}

const small = { size: 'tiny', precision: 'full', shader: 'gelu.forward', constants: { WORKGROUP: 64 } };
const large = { size: 'lean', precision: 'full', shader: 'gpu/attention.backwardQ.tiled', constants: {} };
const recorded = [
  'DRM_IOCTL_GET_CAP: unhandled 0x10\n',
  markerOf(small),
  printed({ registers: 48, spilled: 0, scratch: 0 }),
  markerOf(large),
  printed({ registers: 256, spilled: 20, scratch: 5120 }),
].join('');

describe('what the compiler prints', () => {
  test('is read pipeline by pipeline', () => {
    const shared = { workgroupMemory: 16384, waves: 4, instructions: 917, memoryInstructions: 98 };
    expect(readStatistics(recorded)).toEqual([
      { ...small, ...shared, registers: 48, spilled: 0, scratch: 0 },
      { ...large, ...shared, registers: 256, spilled: 20, scratch: 5120 },
    ]);
  });

  test('must be there for every pipeline', () => {
    expect(() => readStatistics(`${markerOf(small)}${markerOf(large)}`)).toThrow(
      'gelu.forward: the driver printed no "VGPRs"',
    );
  });

  test('fits where nothing is spilled and there is no scratch', () => {
    expect(readStatistics(recorded).map(fits)).toEqual([true, false]);
    expect(fits({ ...readStatistics(recorded)[0]!, scratch: 4 })).toBe(false);
  });

  test('is shown as a table that marks what does not fit', () => {
    expect(table(readStatistics(recorded))).toBe(
      [
        'VGPRs  spilled  scratch    LDS  waves  instr  VMEM  pipeline',
        '   48        0        0  16384      4    917    98  tiny full gelu.forward WORKGROUP=64',
        '  256       20     5120  16384      4    917    98  (!) lean full gpu/attention.backwardQ.tiled',
      ].join('\n'),
    );
  });
});
