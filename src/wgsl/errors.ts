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

/** `   12 | let x = 1.5u;` and a caret under the column. */
export function quote(text: string, { line, column }: Position): string {
  const number = String(line).padStart(5);
  return `${number} | ${text.split('\n')[line - 1] ?? ''}\n${' '.repeat(8 + Math.max(0, column - 1))}^`;
}
