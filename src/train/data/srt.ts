import type { Skipped } from './skipped.js';

/** A subtitle: shown from `start` until `end`, in seconds. */
export interface Cue {
  /** the 1-based line at which its block starts */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Read subtitles: blocks of a number, `00:00:01,000 --> 00:00:02,500`, and lines of text, a blank line between blocks. Lines are joined
 * with a space; tags like `<i>` are dropped.
 *
 * A block that is malformed, ends before it starts, or starts before the previous one ends is skipped and recorded with
 * its line.
 *
 * @returns cues in time order
 */
export function parseSrt(bytes: Uint8Array, file: string, leftOut: Skipped): Cue[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    leftOut.add(file, 'not UTF-8');
    return [];
  }
  const cues: Cue[] = [];
  for (const { first, lines } of blocks(text)) {
    const problem = addCue(first, lines, cues);
    if (problem) leftOut.add(`${file}:${first}`, problem);
  }
  return cues;
}

/** Lines that follow each other without a blank one, and the 1-based number of the first. */
function* blocks(text: string): Generator<{ first: number; lines: string[] }> {
  let number = 0;
  let lines: string[] = [];
  // The last match is the empty one at the end of the text: it closes the last block.
  for (const [, line] of text.matchAll(/([^\r\n]*)(?:\r\n|\r|\n|$)/g)) {
    number++;
    if (line!.trim() !== '') lines.push(line!);
    else if (lines.length > 0) {
      yield { first: number - lines.length, lines };
      lines = [];
    }
  }
}

/** Add the cue of the block that starts at a line, or return the reason for skipping it. */
function addCue(line: number, block: readonly string[], cues: Cue[]): string | undefined {
  const timed = /^\d+\s*$/.test(block[0]!) ? 1 : 0; // the number may be missing
  const times = (block[timed] ?? '').split('-->').map(seconds);
  const [start, end] = times;
  if (times.length !== 2 || start === undefined || end === undefined)
    return 'a subtitle has no line 00:00:01,000 --> 00:00:02,000';
  if (end <= start) return `a subtitle ends at ${end} s, before it starts at ${start} s`;
  const before = cues.at(-1);
  if (before && start < before.end)
    return `a subtitle starts at ${start} s, while the one before it lasts until ${before.end} s`;
  const text = block
    .slice(timed + 1)
    .join(' ')
    .replace(/<[^<>]*>/g, '')
    .trim();
  if (text === '') return 'a subtitle has no text';
  cues.push({ line, start, end, text });
  return undefined;
}

/** seconds('00:01:02,500') // 62.5 */
function seconds(text: string): number | undefined {
  const match = /^(\d{1,4}):([0-5]\d):([0-5]\d)[,.](\d{3})(\s|$)/.exec(text.trim());
  return match
    ? Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]) + Number(match[4]) / 1000
    : undefined;
}

/** The text shown at a time, '' for none. `cues` in time order, none overlapping. */
export function cueAt(cues: readonly Cue[], time: number): string {
  let low = 0; // the first cue that ends after the time
  for (let high = cues.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (cues[middle]!.end > time) high = middle;
    else low = middle + 1;
  }
  const cue = cues[low];
  return cue && cue.start <= time ? cue.text : '';
}
