import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError, InputError } from '../../src/common/errors.js';
import type { DecoderConfig, DoorKind } from '../../src/model/config.js';
import { initialParameters, parameterSpecs } from '../../src/model/parameters.js';
import { narrow } from '../../src/train/narrow.js';
import { encodeSafetensors, readSafetensors, type StoredTensor } from '../../src/train/safetensors.js';
import { readWeights } from '../../src/train/weights.js';
import { widen } from '../../src/train/widen.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A state_dict as `safetensors.torch.save_file` writes it: our names, its metadata. */
function foreign(config: DecoderConfig): string {
  const values = initialParameters(config, 3);
  const tensors = parameterSpecs(config).map(({ name, shape }) => [
    name,
    { dtype: 'F32' as const, shape: [...shape], data: values.get(name)! },
  ]);
  const path = join(folder, `${config.door}-${config.K}.safetensors`);
  writeFileSync(path, encodeSafetensors(Object.fromEntries(tensors), { format: 'pt' }));
  return path;
}

const decoder = (door: DoorKind, K: number): DecoderConfig => ({ door, dim: 54, layers: 2, heads: 3, K });

describe('readWeights of a file that PyTorch wrote', () => {
  it('sees dim, layers and the door, and takes heads and K from what is given', () => {
    const config = decoder('bytes', 2);
    const { config: read, parameters, prefix, step } = readWeights(foreign(config), { heads: 3, K: 2, prefix: 64 });
    expect(read).toEqual(config);
    expect(parameters).toEqual(initialParameters(config, 3));
    expect([prefix, step]).toEqual([64, undefined]);
  });

  it('sees K too where a door is projected', () => {
    expect(readWeights(foreign(decoder('projected', 3)), { heads: 3 }).config).toEqual(decoder('projected', 3));
    expect(readWeights(foreign({ ...decoder('projected', 3), includeBits: true }), { heads: 3 }).config).toEqual({
      ...decoder('projected', 3),
      includeBits: true,
    });
  });

  it("takes a run's config.json", () => {
    const config = decoder('zero', 2);
    const run = { decoder: config, options: { prefix: 32, stream: 16, lr: 1 }, versions: {} };
    expect(readWeights(foreign(config), run)).toMatchObject({ config, prefix: 32, stream: 16 });
  });

  it('says what cannot be seen', () => {
    const path = foreign(decoder('zero', 2));
    expect(() => readWeights(path, undefined)).toThrow(
      /carries no configuration, and door, heads, K cannot be seen in its weights \(dim 54, 2 layers can\); give --config/,
    );
    expect(() => readWeights(foreign(decoder('projected', 2)), undefined)).toThrow(/, and heads cannot be seen/);
  });

  it.each([
    ['F16', [0x3e00, 0xc000, 0x0001, 0x03ff, 0x7bff], [1.5, -2, 2 ** -24, 1023 * 2 ** -24, 65504]],
    ['BF16', [0x3fc0, 0xc000, 0x0001, 0x7f7f, 0x8000], [1.5, -2, 2 ** -133, 255 * 2 ** 120, -0]],
    ['F64', [1.5, -2, 0.1, 1e-300, 3e38], [1.5, -2, Math.fround(0.1), 0, Math.fround(3e38)]],
  ] as const)('takes weights of %s', (dtype, bits, values) => {
    const config = decoder('zero', 2);
    const path = foreign(config);
    const { tensors } = readSafetensors(path);
    const data = dtype === 'F64' ? new Float64Array(54) : new Uint16Array(54);
    data.set(bits);
    tensors.set('norm.weight', { dtype, shape: [54], data });
    const other = join(folder, `${dtype}.safetensors`);
    writeFileSync(other, encodeSafetensors(tensors, { format: 'pt' }));
    const { parameters } = readWeights(other, { door: 'zero', heads: 3, K: 2 });
    expect([...parameters.get('norm.weight')!.slice(0, 5)]).toEqual(values);
  });

  it('refuses numbers that are not finite, and dtypes that are no weights', () => {
    const { tensors } = readSafetensors(foreign(decoder('zero', 2)));
    const stored = (tensor: StoredTensor) => {
      const path = join(folder, 'odd.safetensors');
      writeFileSync(path, encodeSafetensors(new Map(tensors).set('norm.weight', tensor), { format: 'pt' }));
      return () => readWeights(path, { door: 'zero', heads: 3, K: 2 });
    };
    const f32 = new Float32Array(54).fill(Number.NaN, 3);
    expect(stored({ dtype: 'F32', shape: [54], data: f32 })).toThrow(/norm.weight is NaN at 3/);
    const f16 = new Uint16Array(54).fill(0xfc00, 9);
    expect(stored({ dtype: 'F16', shape: [54], data: f16 })).toThrow(/norm.weight is -Infinity at 9/);
    expect(stored({ dtype: 'U16', shape: [54], data: f16 })).toThrow(/needs norm.weight \[54\] F32/);
  });

  it('refuses what does not fit', () => {
    const path = foreign(decoder('zero', 2));
    expect(() => readWeights(path, { door: 'bytes', heads: 3, K: 2 })).toThrow(/lacks door.embedding.weight/);
    expect(() => readWeights(path, { door: 'zero', heads: 4, K: 2 })).toThrow(/divisible by heads/);
    expect(() => readWeights(path, { door: 'zero', heads: 3, K: 2, layers: 3 })).toThrow(FileError);
    expect(() => readWeights(path, { door: 'zero', heads: 3, K: 2, hats: 3 })).toThrow(InputError);
  });
});

describe('float16', () => {
  it('narrow rounds to the nearest, ties to even, and widen gives every float16 back', () => {
    const all = Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits);
    const values = widen({ dtype: 'F16', shape: [all.length], data: all })!;
    expect(narrow(values)).toEqual(all);
    expect(narrow(values.map((x) => -x))).toEqual(all.map((bits) => bits | 0x8000));
    // 1 + 1/2048 is between 1 and 1 + 1/1024: to the even one, 1; 1 + 3/2048 to 1 + 2/1024; 65519 rounds down
    const between = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 1.5 * 2 ** -24, 65519, 2047.9);
    expect([...narrow(between)]).toEqual([0x3c00, 0x3c02, 0, 2, 0x7bff, 0x6800]);
    expect(() => narrow(Float32Array.of(65520))).toThrow('65520 does not fit float16');
  });
});
