import { channelCount, channelNames } from '../substrate/channels.js';
import { channelGroups } from '../substrate/groups.js';
import { colours } from './colours.js';

/** Columns of one group side by side: a title above, the channels' short names under it, then a line per byte. */
interface Block {
  readonly title: string;
  readonly columns: readonly number[];
  readonly short: readonly string[];
  /** characters of a column; 1 for bits, which have no space between them */
  readonly width: number;
}

/** Two spaces between blocks. */
const GAP = '  ';

/** Width of a page, if the output is not a terminal with a width of its own. */
const PAGE = 100;

/**
 * The channels of bytes as a table: a line per byte, columns in named groups. If the groups do not fit on one line, the
 * table is continued below with those that are left, each part with its bytes in front.
 *
 * @param features [bytes.length, channels]
 * @param stream determines the width of a line, and the colours
 */
export function featuresTable(
  bytes: Uint8Array,
  features: Float32Array,
  channels: number,
  stream: NodeJS.WriteStream,
): string {
  if (bytes.length === 0) return 'no bytes, so no rows';
  const { bold, dim, cyan, yellow } = colours(stream);
  // Zeros are dimmed, negative numbers are coloured.
  const paint = (value: number) => (value === 0 ? dim : value < 0 ? yellow : String);
  const labels = labelsOf(bytes);
  const blank = ' '.repeat(labels[0]!.length);
  const room = (stream.columns || PAGE) - blank.length;
  const parts = split(blocksOf(channels === channelCount(true)), room).map((blocks) => {
    const titles = blocks.map((block) => bold(cyan(block.title.padEnd(widthOf(block)))));
    const names = blocks.map(({ short, width }) => dim(short.map((name) => name.padStart(width)).join('')));
    const rows = labels.map((label, t) => {
      const cells = blocks.map(({ columns, width }) => {
        const values = columns.map((c) => features[t * channels + c]!);
        return values.map((value) => paint(value)(value.toFixed(width === 1 ? 0 : 3).padStart(width))).join('');
      });
      return [bold(label), ...cells].join(GAP);
    });
    return [[blank, ...titles].join(GAP), [blank, ...names].join(GAP), ...rows].join('\n');
  });
  return parts.join('\n\n');
}

/** `0 48 H`: position, hex, and the character if it is ASCII. All have the same length. */
function labelsOf(bytes: Uint8Array): string[] {
  const digits = String(bytes.length - 1).length;
  return Array.from(bytes, (byte, t) => {
    const character = byte > 32 && byte < 127 ? String.fromCharCode(byte) : '·';
    return `${String(t).padStart(digits)} ${byte.toString(16).padStart(2, '0')} ${character}`;
  });
}

function blocksOf(includeBits: boolean): Block[] {
  const names = channelNames(includeBits);
  const groups = channelGroups(includeBits);
  const block = (group: keyof typeof groups, title: string, width: number, strip: RegExp): Block[] => {
    const columns = groups[group] ?? [];
    const short = columns.map((c) => names[c]!.replace(strip, ''));
    return columns.length > 0 ? [{ title, columns, short, width }] : [];
  };
  return [
    ...block('bits', 'bits', 1, /^bit/),
    ...block('dxor', 'dxor', 1, /^dxor/),
    ...block('d2xor', 'd2xor', 1, /^d2xor/),
    ...block('boundary', 'boundary', 8, /^.*/),
    // Out of order, so that all groups but Fourier fit on one narrow page.
    ...block('phase', 'phase_…', 7, /^phase_/),
    ...block('fourier', 'fourier, fft_…', 7, /^fft_/),
  ];
}

/** Characters of a whole block. */
function widthOf({ title, columns, width }: Block): number {
  return Math.max(title.length, columns.length * width);
}

/** Blocks by line: each line is filled while there is room. */
function split(blocks: readonly Block[], room: number): Block[][] {
  const lines: Block[][] = [[]];
  let left = room;
  for (const block of blocks) {
    const width = GAP.length + widthOf(block);
    if (width > left && lines.at(-1)!.length > 0) {
      lines.push([]);
      left = room;
    }
    lines.at(-1)!.push(block);
    left -= width;
  }
  return lines;
}
