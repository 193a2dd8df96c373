import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { foldWorkgroups, kernelText, packParams, readInterface, subgroupExtensions } from '../../src/engine/kernel.js';

const FILE = `// @group(0) @binding(9) var<storage, read> comment: array<f32>;
struct Params { N: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
`;

describe('readInterface', () => {
  test('reads bindings and parameters off the text, and no comments', () => {
    expect(readInterface('gelu', FILE)).toEqual({
      bindings: [
        { binding: 0, name: 'params', type: 'uniform' },
        { binding: 1, name: 'x', type: 'read-only-storage' },
        { binding: 2, name: 'y', type: 'storage' },
      ],
      params: [
        { name: 'N', type: 'u32' },
        { name: 'eps', type: 'f32' },
      ],
    });
  });

  test('refuses a parameter of another type than four bytes', () => {
    const file = 'struct Params { size: vec2u }';
    expect(() => readInterface('gelu', file)).toThrow(
      new InputError('gelu.wgsl: Params.size is vec2u; use u32, i32 or f32'),
    );
  });
});

describe('packParams', () => {
  const declared = readInterface('gelu', FILE);
  const pack = (params: Record<string, number>) =>
    packParams({ shader: 'gelu', bind: {}, params, workgroups: [1, 1, 1] }, declared);

  test('lays fields out in order, four bytes each, in blocks of 16', () => {
    const bytes = pack({ eps: 0.5, N: 3 });
    expect(bytes.byteLength).toBe(16);
    expect(new DataView(bytes).getUint32(0, true)).toBe(3);
    expect(new DataView(bytes).getFloat32(4, true)).toBe(0.5);
  });

  test('names what is missing, unknown, or no number', () => {
    expect(() => pack({ N: 3 })).toThrow('gelu.wgsl: Params.eps needs a finite number; got undefined');
    expect(() => pack({ N: 3, eps: 1, M: 2 })).toThrow('gelu.wgsl: Params has no field M');
    expect(() => pack({ N: Number.NaN, eps: 1 })).toThrow('Params.N needs a finite number; got NaN');
  });
});

test('kernelText puts extensions and constants before the file', () => {
  expect(kernelText('body', { constants: { TILE: 64 }, extensions: ['subgroups'] })).toBe(
    'enable subgroups;\nconst TILE: u32 = 64u;\nbody',
  );
});

test('kernelText asks for the size of subgroups where the adapter would choose it', () => {
  const file = '// @compute in a comment\n@compute @workgroup_size(SUBGROUP)\nfn main() {}';
  const dispatch = { constants: { SUBGROUP: 32 }, extensions: subgroupExtensions({ subgroupSizeControl: true }) };
  expect(kernelText(file, dispatch)).toBe(
    'enable subgroups;\nenable subgroup_size_control;\nconst SUBGROUP: u32 = 32u;\n' +
      '// @compute in a comment\n@compute @subgroup_size(SUBGROUP) @workgroup_size(SUBGROUP)\nfn main() {}',
  );
  expect(kernelText(file, { extensions: subgroupExtensions({}) })).toBe(`enable subgroups;\n${file}`);
});

test.each([
  [0, [0, 1, 1]],
  [65535, [65535, 1, 1]],
  [65536, [65535, 2, 1]],
  [200_000, [65535, 4, 1]],
])('foldWorkgroups(%i) is %j', (count, grid) => {
  expect(foldWorkgroups(count)).toEqual(grid);
});
