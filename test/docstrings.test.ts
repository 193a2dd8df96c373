import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import * as root from '../src/index.js';

const files = execFileSync('git', ['ls-files', 'src', 'web', 'bench', 'test/support'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file));

/** Names that a file exports without a docstring, and methods and getters of classes that the package hands out. */
function undocumented(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((statement) => {
    // The op above a row of the op table explains it.
    const isRow = /^export const \w+Row: OpRow/.test(statement.getText());
    if (!has(statement, ts.SyntaxKind.ExportKeyword) || isRow) return [];
    return [statement, ...methodsOf(statement)]
      .filter((node) => ts.getJSDocCommentsAndTags(node).length === 0)
      .map((node) => `${file}: ${node.getText().split('\n')[0]}`);
  });
}

function has(node: ts.Node, modifier: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === modifier);
}

/** The methods and getters of a class of the package, unless a base class documents them. */
function methodsOf(statement: ts.Statement): ts.ClassElement[] {
  if (!ts.isClassDeclaration(statement) || !(statement.name!.text in root)) return [];
  return statement.members.filter(
    (member) =>
      (ts.isMethodDeclaration(member) || ts.isGetAccessor(member)) &&
      !ts.isPrivateIdentifier(member.name) &&
      !has(member, ts.SyntaxKind.PrivateKeyword) &&
      !has(member, ts.SyntaxKind.OverrideKeyword),
  );
}

test('everything that is exported has a docstring', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap(undocumented)).toEqual([]);
});
