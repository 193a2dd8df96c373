import { expect, it } from 'vitest';
import { wgslCompiler } from '../../src/device/wgslCompiler.js';

const OPTIONS = { sharedMemory: false, robust: true, maximumPages: 16 };
const CODE = `
  override factor: f32;
  @group(0) @binding(0) var<storage, read_write> x: array<f32>;
  @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] = 1 / (factor * x[id.x]); }
  @compute @workgroup_size(4) fn other(@builtin(global_invocation_id) id: vec3u) { x[id.x] = factor; }`;
const compile = (entryPoint = 'main', factor = 0, options = OPTIONS, code = CODE) =>
  wgslCompiler.read(code, new Set()).compile(entryPoint, { factor }, options);

it('a kernel is compiled once for all devices, and again for any other constant, option, entry point or text', () => {
  expect(compile()).toBe(compile());
  const others = [
    compile('other'),
    compile('main', 2),
    compile('main', -0),
    compile('main', 0, { ...OPTIONS, robust: false }),
    compile('main', 0, { ...OPTIONS, sharedMemory: true }),
    compile('main', 0, OPTIONS, CODE.replace('1 /', '2 /')),
  ];
  expect(new Set([compile(), ...others].map(({ bytes }) => `${bytes}`)).size).toBe(7);
});

it('a text that was read long ago is forgotten', () => {
  const first = wgslCompiler.read(CODE, new Set());
  expect(wgslCompiler.read(CODE, new Set())).toBe(first);
  for (let i = 0; i < 128; i++) wgslCompiler.read(`const x = ${i};`, new Set());
  expect(wgslCompiler.read(CODE, new Set())).not.toBe(first);
});

it('a device without subgroups refuses a text that one with them reads', () => {
  const code = CODE.replace('= factor', '= subgroupAdd(factor)').replace(/^/, 'enable subgroups;');
  expect(wgslCompiler.read(code, new Set(['subgroups'])).entryPoints.length).toBe(2);
  expect(() => wgslCompiler.read(code, new Set())).toThrow(/subgroups/);
});
