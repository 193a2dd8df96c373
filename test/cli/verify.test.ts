import { afterEach, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';
import { fileOf } from '../support/shaders.js';

afterEach(() => {
  vi.restoreAllMocks();
  setShaderSource();
});

it('verify ends with 1 when a shader is wrong, and says which number of which claim', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line));
  // One entry of the table is taken from the row of the next byte.
  setShaderSource((name) => fileOf(name).replace('bits = table[v * 18u + k];', 'bits = table[(v ^ 1u) * 18u + k];'));
  const code = await main(['verify', '--device', 'cpu']);
  const output = lines.join('\n');
  expect(output).toContain('adapter: CPU device');
  expect(output).toMatch(/✓ +21,427,200 +[\d.]+ s {2}embed: every byte, pair and boundary window exact/);
  expect(output).toMatch(
    /✗ +0 +[\d.]+ s {2}shader: every byte and every pair exact, under every option\n {2}dxor7 of id 0/,
  );
  expect(output).toMatch(/\d of 12 claims do not hold on CPU device/);
  expect(code).toBe(1);
  process.exitCode = 0;
});

it('verify names the devices there are when another is asked for', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await main(['verify', '--device', 'abacus'])).toBe(2);
  expect(error.mock.calls[0]![0]).toMatch(/^error: device must be one of auto, gpu, cpu, .*got "abacus"\. GPUs here: /);
});
