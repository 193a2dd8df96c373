import { readdirSync, readFileSync } from 'node:fs';
import type { AnyOp } from '../../engine/op.js';

/** The text of the loops that define an op's correct result. */
export interface ReferenceSource {
  /** file in src/ or dist/ that contains the op */
  readonly file: string;
  readonly text: string;
}

/** Folders with the functions that references call. */
const FOLDERS = ['engine/ops', 'substrate'];

/** Maximum depth of helpers of helpers. */
const MAX_PARTS = 10;

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

let files: SourceFile[] | undefined;

/** Source files next to this one: TypeScript in src/, the output of tsc in dist/. */
function sources(): SourceFile[] {
  files ??= FOLDERS.flatMap((folder) => {
    const url = new URL(`../../${folder}/`, import.meta.url);
    const own = readdirSync(url).filter((name) => /(?<!\.d)\.(ts|js)$/.test(name));
    return own.map((name) => ({ path: `${folder}/${name}`, text: readFileSync(new URL(name, url), 'utf8') }));
  });
  return files;
}

/**
 * The reference of an op: the `reference` member of the op, then the functions that it calls. The search relies on the
 * layout of the formatter: a member starts at its own indentation and ends before the next line of that indentation.
 */
export function referenceSource(op: AnyOp): ReferenceSource {
  const file = sources().find(({ text }) => placeOf(text, op.name) >= 0);
  const member = file && memberOf(file.text, op.name);
  if (file === undefined || member === undefined) return { file: '', text: op.reference.toString() };
  const parts = [member];
  const seen = new Set<string>();
  for (let i = 0; i < parts.length && parts.length <= MAX_PARTS; i++) {
    for (const [, name, call] of parts[i]!.matchAll(/\b([A-Za-z]\w*)\b(\()?/g)) {
      // functions that only check or describe an error compute nothing
      if (seen.has(name!) || /^(check|describe)/.test(name!)) continue;
      // A helper of the same file may be passed as a function, as to a map; one of another file is called.
      const found = declarationOf(name!, [file]) ?? (call && declarationOf(name!, sources()));
      if (!found) continue;
      seen.add(name!);
      if (parts.length <= MAX_PARTS && !parts.some((part) => part.includes(found))) parts.push(found);
    }
  }
  return { file: file.path, text: parts.join('\n\n') };
}

/** Position of an op in a text: an object of that name, or a row of a table of ops. -1 if it is not there. */
function placeOf(text: string, name: string): number {
  const at = text.indexOf(`name: '${name}'`);
  return at >= 0 ? at : text.search(new RegExp(`\\n +${name}: \\{\\n +formula: `));
}

function memberOf(text: string, name: string): string | undefined {
  const lines = text.slice(placeOf(text, name)).split('\n');
  const start = lines.findIndex((line) => /^\s+reference\b/.test(line));
  if (start < 0) return undefined;
  const indent = /^\s+/.exec(lines[start]!)![0].length;
  let end = start + 1;
  while (end < lines.length && indentOf(lines[end]!) > indent) end++;
  // a closing bracket at the member's own indentation belongs to it
  if (/^\s*[}\])]/.test(lines[end] ?? '') && indentOf(lines[end]!) === indent) end++;
  return lines
    .slice(start, end)
    .map((line) => line.slice(indent))
    .join('\n');
}

function indentOf(line: string): number {
  return line.trim() === '' ? Number.POSITIVE_INFINITY : line.length - line.trimStart().length;
}

/** A function, or a constant of one line, at the top level of some files; its doc comment with it. */
function declarationOf(name: string, files: readonly SourceFile[]): string | undefined {
  const comment = '(/\\*\\*(?:(?!\\*/)[^])*?\\*/\\n)?(export )?';
  const at = new RegExp(`^${comment}(function ${name}\\b[^]*?^}|const ${name} = .*;$)`, 'm');
  const file = files.find(
    ({ text }) => (text.includes(`function ${name}`) || text.includes(`const ${name} =`)) && at.test(text),
  );
  return file && at.exec(file.text)![0];
}
