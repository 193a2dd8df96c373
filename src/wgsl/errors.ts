import type { Position } from './tree.js';

/** An error in WGSL: the rule, the position, and the line with a caret. */
export class WgslError extends Error {
  override readonly name = 'WgslError';

  /**
   * @param rule the error and, if known, a fix
   * @param text the whole module
   */
  constructor(
    readonly rule: string,
    readonly at: Position,
    readonly text: string,
  ) {
    super(`${at.line}:${at.column}: ${rule}\n${quote(text, at)}`);
  }
}

/** Each of WGSL's line breaks. @see https://www.w3.org/TR/WGSL/#line-break */
export const LINE_BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;

/** `   12 | let x = 1.5u;` and a caret under the column. */
export function quote(text: string, { line, column }: Position): string {
  const number = String(line).padStart(5);
  const quoted = text.split(LINE_BREAK)[line - 1] ?? '';
  // A tab stays one, so that the caret is below its column for every width of tabs.
  const before = quoted.slice(0, Math.max(0, column - 1)).replace(/[^\t]/g, ' ');
  return `${number} | ${quoted}\n${' '.repeat(8)}${before}^`;
}
