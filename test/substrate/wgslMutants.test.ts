/** The claims can fail: the shader with one piece of text replaced breaks at least one of them. */
import { afterAll, expect, it } from 'vitest';
import { setShaderSource } from '../../src/engine/shaderSource.js';
import { exactnessChecks } from '../../src/model/exactness.js';
import { testDevice } from '../support/device.js';
import { fileOf } from '../support/shaders.js';

const device = await testDevice();
afterAll(() => setShaderSource());

/** Claims that are quick to break, the quickest first; `wgsl.test.ts` shows that the shaders as they are break none. */
const quick = ['ZeroInput:', 'MASK', 'window', 'controls: phase', 'excluded columns'].map((name) => {
  const found = exactnessChecks(device).filter(({ path, what }) => path === 'device' && what.includes(name));
  expect(found.length, name).toBe(1);
  return found[0]!;
});

/** The first claim that a changed shader breaks. */
async function brokenBy(shader: string, from: string, to: string): Promise<string | undefined> {
  const text = fileOf(shader);
  expect(text.split(from).length, `${shader}.wgsl must hold this once: ${from}`).toBe(2);
  setShaderSource((name) => (name === shader ? text.replace(from, to) : fileOf(name)));
  for (const { what, check } of quick) {
    try {
      await check(() => undefined);
    } catch (error) {
      expect((error as Error).name).toBe('Fault'); // it ran, and gave wrong numbers
      return what;
    }
  }
  return undefined;
}

it.each([
  // The anchor.
  ['hslFeatures.forward', 'v ^ (v >> 1u)', '(v ^ (v >> 1u)) ^ 128u'],
  ['hslFeatures.forward', 'var previous = 0u;', 'var previous = 1u;'],
  [
    'hslFeatures.forward',
    'if (n % params.L > 0u) { if (isByte(n - 1u)) { previous',
    'if (n > 0u) { if (isByte(n - 1u)) { previous',
  ],
  ['hslFeatures.forward', 'if (isByte(n - 1u)) { previous = ids[n - 1u]; }', 'previous = ids[n - 1u];'],
  ['hslFeatures.forward', 'let starts = n % params.L == 0u ||', 'let starts = n == 0u ||'],
  ['hslFeatures.forward', 'n % params.L == 0u || !isByte(n - 1u)', 'n % params.L == 0u'],
  ['hslFeatures.forward', 'if ((n - 1u) % params.L > 0u) {', 'if (n - 1u > 0u) {'],
  ['hslFeatures.forward', 'if (isByte(n - 2u)) {', 'if (true) {'],
  ['hslFeatures.forward', 'return ids[n] < 256u;', 'return ids[n] < 257u;'],
  ['hslFeatures.forward', 'return ids[n] < 256u;', 'return ids[n] < 255u;'],
  // The boundary window.
  ['hslFeatures.forward', '2u * countOneBits(dxor >> 3u)', '2u * countOneBits(dxor >> 2u)'],
  ['hslFeatures.forward', '+ countOneBits(d2xor >> 3u)', '+ countOneBits(d2xor >> 4u)'],
  ['hslFeatures.forward', 'countOneBits(dxorBefore & 15u)', 'countOneBits(dxorBefore & 7u)'],
  [
    'hslFeatures.forward',
    'countOneBits((dxorBefore ^ dxorTwoBefore) & 15u)',
    'countOneBits((dxorBefore ^ dxorTwoBefore) & 31u)',
  ],
  ['hslFeatures.forward', 'dxorBefore ^ dxorTwoBefore', 'dxorBefore'],
  ['hslFeatures.forward', 'const FIRST_BYTE = 28u;', 'const FIRST_BYTE = 27u;'],
  // Which entry goes where.
  ['hslFeatures.forward', 'bits = table[v * 18u + k];', 'bits = table[v * 18u + (k ^ 1u)];'],
  ['hslFeatures.forward', 'bits = table[v * 18u + k - 9u];', 'bits = table[v * 18u + k - 8u];'],
  ['hslFeatures.forward', '(d2xor >> (15u - k)) & 1u', '(d2xor >> (k - 8u)) & 1u'],
  ['hslFeatures.forward', '(v >> (7u - c)) & 1u', '(v >> c) & 1u'],
  ['hslFeatures.forward', 'select(0u, 192u, k == 26u)', 'select(0u, 64u, k == 26u)'],
  ['hslFeatures.forward', 'params.columns1 >> (c - 32u)', 'params.columns1 >> (c - 31u)'],
  // Momentum.
  ['hslFeatures.forward', '256u + u32(abs(', '255u + u32(abs('],
  ['hslFeatures.forward', '(wave[2u * j + 1u] * m) >> 22u', '0u'],
  ['hslFeatures.forward', 'let mantissa = (product + (1u << (drop - 1u))) >> drop;', 'let mantissa = product >> drop;'],
  ['hslFeatures.forward', '(v >= 128u) != (half > 64u)', 'v >= 128u'],
  ['hslFeatures.forward', 'negative && bits != 0u', 'negative'],
  ['hslFeatures.forward', 'part == 256u && (whole & 1u) == 1u', 'part == 256u'],
  ['hslFeatures.forward', 'whole < 0x800000u && e > 1u', 'whole < 0x800000u'],
  ['hslFeatures.forward', 'select(0u, 0x800000u, e > 0u)', '0x800000u'],
  ['hslFeatures.forward', '+ (part >> 8u)', ''],
  ['hslFeatures.forward', '(bits & 0x80000000u) |', ''],
  // Slots.
  ['padOrCrop', 'if (w < params.C)', 'if (w <= params.C)'],
  ['padOrCrop', 'n * params.C + w', 'n * params.W + w'],
])('%s.wgsl with %j as %j is found out', async (shader, from, to) => {
  expect(await brokenBy(shader, from, to)).toBeDefined();
});
