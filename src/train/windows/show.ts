import { muLawDecode } from '../data/mulaw.js';
import { EOS, MASK, type Part, type Window } from './window.js';
import { count } from './words.js';

/*
 * A window for a terminal: frames as blocks, audio as a waveform, bytes as text. No control character from a file
 * reaches the terminal.
 */

/** A window, part by part. */
export function showWindow({ kind, prefix, stream, weights, info }: Window): string {
  const predicted = weights.reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
  return [
    `${kind} window from ${printable(info.source)} at ${info.at}`,
    `prefix, ${count(prefix.length, 'byte')}`,
    ...info.parts.prefix.map((part) => showPart(prefix, part)),
    `stream, ${count(stream.length, 'id')}, ${predicted} of them predicted`,
    ...info.parts.stream.map((part) => showPart(stream, part)),
    ...(stream.includes(EOS) ? [`  EOS at ${stream.indexOf(EOS)}`] : []),
  ].join('\n');
}

function showPart(ids: Uint32Array, { name, start, end }: Part): string {
  const part = ids.subarray(start, end);
  const shown = {
    frame: () => picture(part),
    audio: () => waveform(part),
    caption: () => words(part),
    text: () => words(part),
  }[name]();
  return `  ${name} ${start}..${end}\n${shown.replace(/^/gm, '    ')}`;
}

const greys = ' ░▒▓█';

/** A square grey picture as blocks, two characters a pixel. */
export function picture(grey: ArrayLike<number>): string {
  const side = Math.round(Math.sqrt(grey.length));
  const rows = Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (_, x) =>
      greys[Math.min(4, Math.floor((grey[y * side + x]! * 5) / 256))]!.repeat(2),
    ).join(''),
  );
  return rows.map((row) => `│${row}│`).join('\n');
}

/** μ-law bytes as a waveform: each column spans the lowest to the highest of its samples. */
export function waveform(bytes: ArrayLike<number>, columns = 96, rows = 9): string {
  const width = Math.min(columns, bytes.length);
  const spans = Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * bytes.length) / width);
    const to = Math.floor(((column + 1) * bytes.length) / width);
    const levels = Array.from({ length: to - from }, (_, i) => levelRow(bytes[from + i]!, rows));
    return { top: Math.min(...levels), bottom: Math.max(...levels) };
  });
  return Array.from({ length: rows }, (_, row) =>
    spans.map(({ top, bottom }) => (row >= top && row <= bottom ? '█' : row === (rows - 1) / 2 ? '─' : ' ')).join(''),
  ).join('\n');
}

/** The row of a sample: 0 for the loudest positive, rows - 1 for the loudest negative. */
function levelRow(byte: number, rows: number): number {
  return Math.round(((1 - muLawDecode(byte) / 32124) / 2) * (rows - 1));
}

/** Ids as text in lines of 96: UTF-8 where valid, "·" for unprintable bytes. */
export function words(ids: Uint32Array): string {
  const bytes = Uint8Array.from(ids.filter((id) => id < MASK));
  return printable(new TextDecoder().decode(bytes)).replace(/(.{96})(?=.)/gu, '$1\n');
}

/** Text without control, formatting and other unprintable characters. */
export function printable(text: string): string {
  return text.replace(/\p{C}|\p{Z}/gu, (char) => (char === ' ' ? char : '·'));
}
