import { expect, test } from 'vitest';
import { DeviceError } from '../../src/common/errors.js';
import { openDevice } from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';
import type { AdapterProfile } from '../../src/engine/kernel.js';
import { kernelsFor } from '../../src/engine/kernelTable.js';
import { checkMixed, profileFor } from '../../src/engine/precision.js';
import { Program } from '../../src/engine/program.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';
import { cardWithMatrices } from '../support/checkShaders.js';
import { testDevice } from '../support/device.js';
import { fileOf } from '../support/shaders.js';

/** What the kernel table chooses for y [M, N] = x [M, K] · weightᵀ. */
function choose(adapter: AdapterProfile, M: number, N: number, K: number, flags: Record<string, boolean>) {
  const program = new Program();
  const [a, b, y] = ['a', 'b', 'y'].map((label) => program.input(label, []));
  return kernelsFor('matmul', adapter, { a: a!, b: b!, y: y! }, { M, N, K }, flags);
}

test('mixed precision is refused by a device without matrix units, in one line that says what to do', async () => {
  const device = await testDevice();
  expect(() => profileFor(device, 'mixed')).toThrow(
    new DeviceError(
      `--precision mixed: ${device.name} has no subgroup matrices of f16 with f32 sums; take --precision full`,
    ),
  );
  expect(profileFor(device, 'full')).toBe(device);
});

test('a device that multiplies wrong in mixed precision is told so, before it trains', async () => {
  const open = () => openDevice({ device: 'cpu', threads: 2 });
  // The readable kernels play the part of the matrix units.
  const right = await open();
  await checkMixed(right, { ...right, kernels: 'readable' });
  right.close();
  setShaderSource((name) => fileOf(name).replace('y[at] = ', 'y[at] = 1.01 * '));
  const wrong = await open();
  try {
    const checked = checkMixed(wrong, { ...wrong, kernels: 'readable' });
    await expect(checked).rejects.toThrow(DeviceError);
    await expect(checked).rejects.toThrow(
      /^--precision mixed: CPU device.* multiplies f16 matrices wrong: y of a product is 0\.010* of .*Take --precision full, or/,
    );
  } finally {
    setShaderSource();
    wrong.close();
  }
});

test('sums in f16 are not enough, and a subgroup must have a known size', () => {
  const card = { ...cardWithMatrices(), name: 'card', f16: true } as unknown as Device;
  expect(profileFor(card, 'mixed').precision).toBe('mixed');
  const half = [{ componentType: 'f16', resultComponentType: 'f16', M: 16, N: 16, K: 16 }];
  for (const change of [{ subgroupMatrix: half }, { subgroupMatrix: undefined }, { subgroupSize: 0 }, { f16: false }]) {
    expect(() => profileFor({ ...card, ...change } as Device, 'mixed')).toThrow('take --precision full');
  }
});

test('the matrix kernel is taken only where a run asks for mixed precision, with the largest matrices there are', () => {
  const small = { componentType: 'f16', resultComponentType: 'f32', M: 8, N: 8, K: 8 };
  const card = cardWithMatrices(16);
  const both = { ...card, subgroupMatrix: [small, ...card.subgroupMatrix, small] };
  const [choice] = choose(both, 4096, 4096, 512, { transposeB: true });
  expect(choice).toMatchObject({
    shader: 'gpu/matmul.subgroupMatrix',
    constants: { MATRIX_M: 16, MATRIX_N: 16, MATRIX_K: 16, SUBGROUP: 32, BLOCKS: 4, SCALE: 1 },
    workgroups: [32, 32, 1], // tiles of 2 × 4 × 16 = 128
  });
  // RDNA, asked for 32 lanes, would keep 128 sums a lane in scratch memory: tiles of 2 × 2 × 16 = 64
  const [ofRdna] = choose(cardWithMatrices(16, true), 4096, 4096, 512, { transposeB: true });
  expect(ofRdna!.workgroups).toEqual([64, 64, 1]);
  expect(ofRdna).toMatchObject({
    constants: { SUBGROUP: 32, BLOCKS: 2 },
    extensions: ['f16', 'subgroups', 'subgroup_size_control', 'chromium_experimental_subgroup_matrix'],
  });
  const shaderAt = (precision?: 'full' | 'mixed') =>
    choose({ ...both, ...(precision && { precision }) }, 64, 64, 64, { transposeB: true })[0]!.shader;
  expect(shaderAt('full')).toBe('gpu/matmul.tiled');
  // tiles of 2 × 2 × 8 = 32 where the matrices are small and so is y
  expect(choose({ ...both, subgroupMatrix: [small] }, 64, 96, 64, { transposeB: true })[0]!.workgroups).toEqual([
    3, 2, 1,
  ]);
});

test('gradients are scaled on their way into f16; a split sum is finished in float32', () => {
  const choices = choose(cardWithMatrices(), 512, 512, 5120, { transposeA: true, add: true, gradient: true });
  expect(choices.map(({ shader, constants }) => [shader, constants?.SCALE, constants?.ADD])).toEqual([
    ['gpu/matmul.subgroupMatrix', 4096, 0],
    ['gpu/matmul.finish', undefined, 1],
  ]);
  expect(choices[0]!.workgroups).toEqual([4, 4, 16]);
});
