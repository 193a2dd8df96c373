import { describe, expect, it } from 'vitest';
import { channelNames } from '../../src/substrate/channels.js';
import { embed } from '../../src/substrate/embed.js';
import { type ChannelGroup, channelGroups, channelIndices, selectChannels } from '../../src/substrate/groups.js';

const range = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);

describe('groups', () => {
  it('are where the channel table has them', () => {
    expect(channelGroups()).toEqual({
      dxor: range(0, 8),
      d2xor: range(8, 16),
      boundary: [16],
      fourier: range(17, 25),
      phase: [25, 26],
      value: [...range(0, 8), ...range(17, 27)],
      context: range(8, 17),
    });
    expect(channelGroups(true)).toMatchObject({ bits: range(0, 8), dxor: range(8, 16), phase: [33, 34] });
  });

  it('split the channels in two, value and context', () => {
    for (const includeBits of [false, true]) {
      const { value, context } = channelGroups(includeBits);
      expect([...value!, ...context!].sort((a, b) => a - b)).toEqual(range(0, includeBits ? 35 : 27));
      expect(channelNames(includeBits).length).toBe(includeBits ? 35 : 27);
    }
  });

  it('join without repeating', () => {
    expect(channelIndices(['phase', 'value', 'boundary'])).toEqual([...range(0, 8), 16, ...range(17, 27)]);
    expect(channelIndices('bits', true)).toEqual(range(0, 8));
    expect(channelIndices([])).toEqual([]);
  });

  it('select columns of every row', () => {
    const { features } = embed(Uint8Array.of(1, 2));
    expect(selectChannels(features, 27, ['boundary', 'phase'])).toEqual(
      Float32Array.from([16, 25, 26, 43, 52, 53], (at) => features[at]!),
    );
  });

  it('refuse names and shapes they do not know', () => {
    const unknown = 'dxr' as ChannelGroup;
    expect(() => channelIndices(['dxor', unknown])).toThrow('unknown group dxr; groups are dxor, d2xor, boundary');
    expect(() => channelIndices('toString' as ChannelGroup)).toThrow('unknown group toString');
    expect(() => channelIndices('bits')).toThrow('bits are among the channels only with includeBits');
    expect(() => selectChannels(new Float32Array(27), 26, 'dxor')).toThrow('channels must be 27 or 35; got 26');
    expect(() => selectChannels(new Float32Array(28), 27, 'dxor')).toThrow('whole rows of 27 channels; got 28 entries');
  });
});
