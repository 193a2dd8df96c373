import { expect, test } from 'vitest';
import type { Device } from '../../src/engine/device.js';
import { DeviceError } from '../../src/engine/errors.js';
import { chooseMatmul } from '../../src/engine/ops/matmulKernels.js';
import { profileFor } from '../../src/engine/precision.js';
import { cardWithMatrices } from '../support/checkShaders.js';
import { testDevice } from '../support/device.js';

test('mixed precision is refused by a device without matrix units, in one line that says what to do', async () => {
  const device = await testDevice();
  expect(() => profileFor(device, 'mixed')).toThrow(
    new DeviceError(
      `--precision mixed: ${device.name} has no subgroup matrices of f16 with f32 sums; take --precision full`,
    ),
  );
  expect(profileFor(device, 'full')).toBe(device);
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
  const [choice] = chooseMatmul(both, 'nt', 4096, 4096, 512);
  expect(choice).toMatchObject({
    shader: 'matmul.4-subgroupMatrix',
    constants: { MATRIX_M: 16, MATRIX_N: 16, MATRIX_K: 16, SUBGROUP: 32, BLOCKS: 4, SCALE: 1 },
    workgroups: [32, 32, 1], // tiles of 2 × 4 × 16 = 128
  });
  const shaderAt = (precision?: 'full' | 'mixed') =>
    chooseMatmul({ ...both, ...(precision && { precision }) }, 'nt', 64, 64, 64)[0]!.shader;
  expect(shaderAt('full')).toBe('matmul.3-tiled');
  // tiles of 2 × 2 × 8 = 32 where the matrices are small and so is y
  expect(chooseMatmul({ ...both, subgroupMatrix: [small] }, 'nt', 64, 96, 64)[0]!.workgroups).toEqual([3, 2, 1]);
});

test('gradients are scaled on their way into f16; a split sum is finished in float32', () => {
  const choices = chooseMatmul(cardWithMatrices(), 'tn', 512, 512, 5120, { add: true, split: true, gradient: true });
  expect(choices.map(({ shader, constants }) => [shader, constants.SCALE, constants.ADD])).toEqual([
    ['matmul.4-subgroupMatrix', 4096, 0],
    ['matmul.3-finish', undefined, 1],
  ]);
  expect(choices[0]!.workgroups).toEqual([4, 4, 16]);
});
