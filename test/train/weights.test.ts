import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError, InputError } from '../../src/engine/errors.js';
import type { DecoderConfig, DoorKind } from '../../src/model/config.js';
import { initialParameters, parameterSpecs } from '../../src/model/parameters.js';
import { encodeSafetensors } from '../../src/train/safetensors.js';
import { readWeights } from '../../src/train/weights.js';

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

  it('refuses what does not fit', () => {
    const path = foreign(decoder('zero', 2));
    expect(() => readWeights(path, { door: 'bytes', heads: 3, K: 2 })).toThrow(/lacks door.embedding.weight/);
    expect(() => readWeights(path, { door: 'zero', heads: 4, K: 2 })).toThrow(/divisible by heads/);
    expect(() => readWeights(path, { door: 'zero', heads: 3, K: 2, layers: 3 })).toThrow(FileError);
    expect(() => readWeights(path, { door: 'zero', heads: 3, K: 2, hats: 3 })).toThrow(InputError);
  });
});
