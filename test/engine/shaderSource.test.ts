import { afterEach, expect, test } from 'vitest';
import { addShader, setShaderSource, shaderText } from '../../src/engine/shaderSource.js';
import { fileOf } from '../support/shaders.js';

afterEach(() => setShaderSource());

test('a kernel is the file of its name; what is nowhere is refused, with the two ways to hand it in', async () => {
  expect(await shaderText('gelu.forward')).toBe(fileOf('gelu.forward'));
  await expect(shaderText('nowhere')).rejects.toThrow(
    'shaders/nowhere.wgsl is missing: add a kernel of your own with addShader, those of a bundled page with setShaderSource',
  );
});

test('a page hands in another look-up, and kernels added before it stay', async () => {
  addShader('mine', '// mine');
  setShaderSource((name) => (name === 'gelu.forward' ? '// inlined' : undefined));
  expect(await shaderText('gelu.forward')).toBe('// inlined');
  expect(await shaderText('mine')).toBe('// mine');
});
