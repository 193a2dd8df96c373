import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError } from '../../src/common/errors.js';
import type { DecoderConfig } from '../../src/model/config.js';
import { initialParameters } from '../../src/model/parameters.js';
import { checkpointDigest, readCheckpoint, readMoments, writeCheckpoint } from '../../src/train/checkpoint.js';
import { parseCheckpoint } from '../../src/train/checkpointFormat.js';
import { encodeSafetensors, parseSafetensors, readSafetensors } from '../../src/train/safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config: DecoderConfig = { door: 'zero', dim: 32, layers: 1, heads: 2, K: 1 };
const parameters = initialParameters(config, 1);
const written = { config, step: 4, seed: 1, prefix: 8, stream: 8, parameters };
const path = join(folder, 'step-000004.safetensors');
writeCheckpoint(path, written, { m: parameters, v: parameters });

describe('a checkpoint', () => {
  it('is read as it was written', () => {
    expect(readCheckpoint(path)).toEqual(written);
    expect(readMoments(path)).toMatchObject({ step: 4, m: parameters, v: parameters });
  });

  it('is refused when any bit before its numbers has changed, or one of them', () => {
    const bytes = readFileSync(path);
    const start = 8 + Number(bytes.readBigUInt64LE());
    const read = (changed: Uint8Array) => {
      const file = parseSafetensors(changed, 'changed');
      return parseCheckpoint('changed', file, checkpointDigest(file));
    };
    expect(read(bytes)).toEqual(written);
    for (const at of [...Array(start).keys(), start, bytes.length - 1]) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      expect(() => read(changed), `byte ${at}`).toThrow(FileError);
    }
  });

  it('is read when it was written before its checksum covered what it says of itself', () => {
    const { tensors, metadata } = readSafetensors(path);
    const { checksum: _, ...before } = metadata;
    const sha256 = checkpointDigest({ tensors, metadata: {} }); // of the tensors alone
    const old = join(folder, 'old.safetensors');
    writeFileSync(old, encodeSafetensors(tensors, { ...before, sha256 }));
    expect(readCheckpoint(old)).toEqual(written);
    writeFileSync(old, encodeSafetensors(tensors, { ...before, sha256: sha256.replace(/^./, 'x') }));
    expect(() => readCheckpoint(old)).toThrow('has changed since it was written (checksum)');
  });
});
