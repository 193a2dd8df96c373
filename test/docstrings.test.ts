import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';

const files = execFileSync('git', ['ls-files', 'src', 'web', 'bench', 'test/support'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file));

/** Names that a file exports without a docstring. */
function undocumented(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const exported = modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    // A row of the op table is explained by the op it stands beside.
    const isRow = /^export const \w+Row: OpRow/.test(statement.getText());
    if (!exported || isRow || ts.getJSDocCommentsAndTags(statement).length > 0) return [];
    return [`${file}: ${statement.getText().split('\n')[0]}`];
  });
}

test('everything that is exported has a docstring', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap(undocumented)).toEqual([]);
});
