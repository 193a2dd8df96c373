import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** One import of a file of ours: where it leads, and whether it is of types alone, which nothing runs for. */
export interface Import {
  readonly to: string;
  readonly types: boolean;
}

/** Imports of files by file, paths from the root of the checkout. Those of packages are left out. */
export type Imports = ReadonlyMap<string, readonly Import[]>;

/** `importsOf(['src/cli.ts']) // { 'src/cli.ts' => [{ to: 'src/cli/main.ts', types: false }] }` */
export function importsOf(files: readonly string[]): Imports {
  return new Map(files.map((file) => [file, importsIn(file, readFileSync(file, 'utf8'))]));
}

/** The imports and exports of one file, `import()` included. */
export function importsIn(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, types: boolean) => {
    if (specifier === undefined || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return;
    found.push({ to: join(dirname(file), specifier.text).replace(/\.js$/, '.ts'), types });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const { importClause } = node;
      const named = importClause?.namedBindings;
      const each = named !== undefined && ts.isNamedImports(named) ? named.elements : undefined;
      add(node.moduleSpecifier, importClause?.isTypeOnly || each?.every(({ isTypeOnly }) => isTypeOnly) || false);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

/** Files that import each other, round and round: the strongly connected components of more than one file (Tarjan 1972). */
export function circlesOf(imports: Imports): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    path.push(file);
    for (const { to } of imports.get(file) ?? []) {
      if (!index.has(to)) visit(to);
      if (path.includes(to)) low.set(file, Math.min(low.get(file)!, low.get(to)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = path.splice(path.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
}
