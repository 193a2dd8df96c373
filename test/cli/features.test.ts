import { describe, expect, it } from 'vitest';
import { featuresJson } from '../../src/cli/features.js';
import { featuresTable } from '../../src/cli/featuresTable.js';
import { channelNames } from '../../src/substrate/channels.js';
import { embed } from '../../src/substrate/embed.js';

const bytes = new TextEncoder().encode('Hi!');
const page = (columns: number, isTTY = false) => ({ columns, isTTY, hasColors: () => true }) as NodeJS.WriteStream;
const table = (columns: number, includeBits = false, isTTY = false) => {
  const { features, channels } = embed(bytes, { includeBits });
  return featuresTable(bytes, features, channels, page(columns, isTTY));
};

describe('the table of features', () => {
  it('is a line per byte where there is room, columns in named groups', () => {
    const [titles, names, ...rows] = table(120).split('\n');
    expect(titles!.trim().split(/ {2,}/)).toEqual(['dxor', 'd2xor', 'boundary', 'phase_…', 'fourier, fft_…']);
    expect(names!.trim().split(/ +/)).toEqual(
      ['01234567', '01234567', 'cos', 'sin'].concat(['re0', 're1', 're2', 're3', 're4', 'im1', 'im2', 'im3']),
    );
    expect(rows[0]).toBe(
      '0 48 H  01101100  01101100     0.900   -0.195  0.981' +
        '    2.000 -0.293  1.000 -1.707  0.000 -0.707 -1.000 -0.707',
    );
    expect(rows.length).toBe(3);
  });

  it('continues on the next line if there is no room, and no line is wider than the page', () => {
    for (const columns of [100, 80]) {
      const text = table(columns, true);
      expect(text.split('\n\n').length).toBe(2);
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
    // A group stays together on a page that is narrower than it.
    expect(table(40, true).split('\n\n').length).toBe(3);
  });

  it('has colours for a terminal only', () => {
    expect(table(120)).not.toContain('\u001b');
    expect(table(120, false, true)).toContain('\u001b[33m -0.195\u001b[39m'); // negative
  });

  it('has no rows for no bytes', () => {
    expect(featuresTable(new Uint8Array(0), new Float32Array(0), 27, page(80))).toBe('no bytes, so no rows');
  });
});

it('JSON holds every float32 to the bit, the sign of a zero included', () => {
  const all = Uint8Array.from({ length: 256 }, (_, v) => v);
  const { features } = embed(all, { includeBits: true });
  const rows: { byte: number; channels: Record<string, number> }[] = JSON.parse(
    featuresJson(all, features, channelNames(true)),
  );
  const back = Float32Array.from(rows.flatMap(({ channels }) => channelNames(true).map((name) => channels[name]!)));
  expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(features.buffer));
  expect(rows[255]!.byte).toBe(255);
});
