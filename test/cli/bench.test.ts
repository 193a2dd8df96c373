import { afterEach, describe, expect, test } from 'vitest';
import { setShaderSource } from '../../src/engine/shaderSource.js';
import { cli } from '../support/cli.js';
import { fileOf } from '../support/shaders.js';

afterEach(() => setShaderSource());

const SHORT = ['bench', '--batch', '1', '--prefix', '8', '--stream', '8', '--replays', '1'];

describe('bench', () => {
  test('times the step and ops, and says where and how', async () => {
    const { code, out } = await cli(...SHORT, '--only', 'step', 'layerNorm', 'adamW', '--json');
    expect(code).toBe(0);
    const { adapter, size, step, ops } = JSON.parse(out);
    expect(adapter).toMatchObject({ driver: 'wasm', robust: false });
    expect(size).toMatchObject({ name: 'tiny', dim: 128, B: 1, L: 8, T: 8 });
    expect(step.parameters).toBe(430_082);
    expect(step.first).toBeGreaterThan(0);
    expect(step.encodeMicroseconds).toBeGreaterThan(0);
    expect(step.peakMemory).toBeGreaterThan(2 ** 20);
    const shares = step.ops.reduce((sum: number, { share }: { share: number }) => sum + share, 0);
    expect(shares).toBeCloseTo(1);
    const adamW = ops.find(({ op }: { op: string }) => op === 'adamW');
    expect(adamW).toMatchObject({ group: 'adamW', proved: 'here', kernels: ['adamW'] });
    expect(new Set(ops.map(({ group }: { group: string }) => group))).toEqual(new Set(['layerNorm', 'adamW']));
  });

  test('takes the kernels that it is told to, by name or by the number they had', async () => {
    const { out } = await cli(...SHORT, '--only', 'matmul', '--kernels', 'readable');
    expect(out).toContain('bounds checks off');
    expect(out).toMatch(/nt 10×384×128 +matmul +[\d.]+ ms .* GFLOP\/s {2}matmul$/m);
    expect(out).not.toContain('matmul.register');
    const { out: old } = await cli(...SHORT, '--only', 'matmul', '--variant', '2');
    expect(old).toMatch(/nt 10×384×128 .* GFLOP\/s {2}cpu\/matmul\.register$/m);
  });

  test('does not time a kernel that is wrong', async () => {
    setShaderSource((name) => fileOf(name).replace('y[at] = ', 'y[at] = 0.5 * '));
    const { code, error } = await cli(...SHORT, '--only', 'matmul', '--kernels', 'readable');
    expect(code).toBe(1);
    expect(error).toMatch(/not timed, since wrong: PARITY: .*matmul: y\[.*shaders\/matmul\.wgsl/);
  });

  test('names the parts there are', async () => {
    const { code, error } = await cli('bench', '--only', 'softmax');
    expect(code).toBe(1);
    expect(error).toContain('--only takes matmul, attention, layerNorm, adamW, step; got softmax');
  });
});
