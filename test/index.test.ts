import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as thrown from '../src/common/errors.js';
import * as root from '../src/index.js';
import { BUILT } from './support/built.js';

describe('the package root', () => {
  it('has the whole substrate, in plain TypeScript and on tensors', () => {
    const promised = [
      ...['encode', 'decode', 'embed', 'channelNames', 'channelGroups', 'channelIndices', 'selectChannels'],
      ...['valueTable', 'pack', 'zeroInput', 'HslEmbedding', 'ZeroInput', 'ControlEmbedding'],
    ];
    expect(promised.filter((name) => !(name in root))).toEqual([]);
    expect(root.embed(root.decode(root.encode(Uint8Array.of(72)))).features.length).toBe(27);
  });

  it('has every op of the registry that is called by its name', () => {
    const ofTraining = ['markNonFinite', 'gradientNorm'];
    const names = root.registry.map(({ name }) => name).filter((name) => !ofTraining.includes(name));
    expect(names.filter((name) => !(name in root))).toEqual([]);
  });

  it('has every error that it throws', () => {
    const errors = Object.values(thrown).filter((value) => /^class \w*Error /.test(`${value}`));
    expect(errors.length).toBeGreaterThan(6);
    expect(errors.filter((error) => !Object.values(root).includes(error as never))).toEqual([]);
  });

  it('touches no GPU when it is imported', () => {
    // Dawn is a shared object: a process that has not loaded it has opened no device.
    const program = `
      await import('${BUILT}/index.js');
      const loaded = process.report.getReport().sharedObjects.filter((path) => /dawn|vulkan/i.test(path));
      console.log(JSON.stringify(loaded));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual([]);
  });
});
