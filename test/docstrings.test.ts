import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';

const files = execFileSync('git', ['ls-files', 'src', 'web', 'bench', 'test/support'], { encoding: 'utf8' })
  .split('\n')
  // Rows and references of an op are explained by the op they stand beside; src/train is on its way there.
  .filter((file) => /\.tsx?$/.test(file) && !/^src\/(engine\/ops|train)\//.test(file));

/** Names that a file exports without a docstring. */
function undocumented(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const exported = modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!exported || ts.getJSDocCommentsAndTags(statement).length > 0) return [];
    return [`${file}: ${statement.getText().split('\n')[0]}`];
  });
}

test('everything that is exported has a docstring', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap(undocumented)).toEqual([]);
});
