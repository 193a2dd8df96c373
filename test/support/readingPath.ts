/*
 * The reading path of an op, or of a training step: the lines that one has to read to follow it from the call to the numbers.
 *
 *     npm run path gelu        record, gradients, compile, run: everything that is needed for one op
 *     npm run path linear      what another op adds to that
 *     npm run path step        from bytes to updated parameters
 *
 * What counts: each declaration that is reached by name from where the path starts, once: a function, a constant, a method or
 * field of a class, an interface; with its docstring, without blank lines. The kernel table counts only the readable
 * row of each pass. Each readable kernel, as a whole file.
 *
 * What does not count:
 * - kernels that only a GPU or only the CPU device takes: the other rows of the table;
 * - src/common and src/device, which are used by name, as packages are;
 * - doors other than the zero door;
 * - refusals: functions and methods that are called `check…`, and those that word a compiler's error or say what memory would do;
 * - an op that another one calls, or that `Program` and `Tensor` name: each is a path of its own;
 * - samples for tests.
 *
 * A call through an interface (`op.dispatches`) leads no further: the ops of a step are reached by their names.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { registry } from '../../src/engine/ops/index.js';

/** Where a path starts, as `file: name` or `file: Class.member`. */
const MACHINERY = [
  'src/engine/program.ts: Program.record',
  'src/engine/program.ts: Program.backward',
  'src/engine/plan.ts: Plan.compile',
  'src/engine/plan.ts: Plan.write',
  'src/engine/plan.ts: Plan.replay',
  'src/engine/plan.ts: Plan.read',
];
const STEP = [
  ...MACHINERY,
  'src/model/parameters.ts: initialParameters',
  'src/model/doors/channels.ts: zero',
  'src/train/trainer.ts: Trainer.create',
  'src/train/trainer.ts: Trainer.update',
];

/** Lines of a path by file. */
export type Path = ReadonlyMap<string, { readonly lines: number; readonly names: readonly string[] }>;

/** The path of an op, of `step`, or of what every op needs (`machinery`). */
export function pathOf(name: string): Path {
  const starts = name === 'step' ? STEP : name === 'machinery' ? MACHINERY : [...MACHINERY, startOf(name)];
  return walk(starts);
}

/** How many lines a path has. */
export function linesOf(path: Path): number {
  return [...path.values()].reduce((sum, { lines }) => sum + lines, 0);
}

/** The files of a path that another lacks. */
export function without(path: Path, other: Path): Path {
  const rest = [...path].map(([file, { lines, names }]) => {
    const known = other.get(file);
    const more = names.filter((name) => !known?.names.includes(name));
    return [file, { lines: lines - (known?.lines ?? 0), names: more }] as const;
  });
  return new Map(rest.filter(([, { lines }]) => lines > 0));
}

function startOf(op: string): string {
  const row = registry.find(({ name }) => name === op);
  if (row === undefined)
    throw new Error(`there is no op ${op}; take one of ${registry.map(({ name }) => name).join(', ')}`);
  return `src/engine/ops/${row.file ?? op}.ts: ${op}`;
}

let program: ts.Program | undefined;

function walk(starts: readonly string[]): Path {
  program ??= ts.createProgram(['src/train/index.ts', 'src/engine/ops/index.ts'], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node', '@webgpu/types'],
    strict: true,
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const units = new Set<ts.Node>();
  const shaders = new Set<string>();
  const queue: ts.Node[] = [];

  const add = (node: ts.Node | undefined) => {
    if (
      node === undefined ||
      isTable(node) ||
      units.has(node) ||
      [...parentsOf(node)].some((parent) => units.has(parent))
    )
      return;
    units.add(node);
    queue.push(node);
  };
  const follow = (name: ts.Node, isType: boolean) => {
    let symbol = checker.getSymbolAtLocation(name);
    if (symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
    for (const declaration of symbol?.declarations ?? []) {
      const file = declaration.getSourceFile();
      if (!isOurs(file) || isRefusal(name.getText()) || ['kernelTable', 'DOORS'].includes(name.getText())) continue;
      const from = name.getSourceFile();
      if (isOp(file) && (isOp(from) ? file !== from && OPS.has(name.getText()) : isMachinery(from))) continue;
      if (ts.isClassDeclaration(declaration)) {
        if (!isType) for (const member of declaration.members) if (isOfEvery(member)) add(member);
      } else {
        add(unitOf(declaration));
      }
    }
  };
  const visit = (node: ts.Node, inType: boolean): void => {
    if (isTable(node)) return;
    if (ts.isCallExpression(node) && node.expression.getText() === 'kernelsFor') {
      const [pass] = node.arguments;
      if (pass !== undefined && ts.isStringLiteral(pass)) {
        shaders.add(pass.text);
        add(readableRow(pass.text));
      }
    }
    if (ts.isStringLiteral(node) && isShader(node.text)) shaders.add(node.text);
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) follow(node, inType);
    ts.forEachChild(node, (child) => visit(child, inType || ts.isTypeNode(child)));
  };

  for (const start of starts) {
    const [path, name] = start.split(': ') as [string, string];
    add(find(program.getSourceFile(path)!, name));
  }
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) visit(node, false);

  const path = new Map<string, { lines: number; names: string[] }>();
  const note = (file: string, lines: number, name: string) => {
    const known = path.get(file) ?? { lines: 0, names: [] };
    path.set(file, { lines: known.lines + lines, names: [...known.names, name] });
  };
  for (const unit of units) {
    const file = unit.getSourceFile();
    note(relative('.', file.fileName), linesIn(textOf(unit, file)), nameOf(unit));
  }
  for (const shader of shaders)
    note(`shaders/${shader}.wgsl`, linesIn(readFileSync(`shaders/${shader}.wgsl`, 'utf8')), '');
  return path;
}

/** The readable row of a pass: the last of its list. */
function readableRow(pass: string): ts.Node | undefined {
  const table = find(program!.getSourceFile('src/engine/kernelTable.ts')!, 'kernelTable');
  let row: ts.Node | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && (node.name as ts.StringLiteral).text === pass) {
      const rows = node.initializer;
      row = ts.isArrayLiteralExpression(rows) ? rows.elements.at(-1) : rows;
    } else ts.forEachChild(node, visit);
  };
  visit(table!);
  return row;
}

const isTable = (node: ts.Node) => ts.isVariableStatement(node) && nameOf(node) === 'kernelTable';
const isOurs = ({ fileName }: ts.SourceFile) =>
  /\/src\/(?!common|device)/.test(fileName) && !/node_modules/.test(fileName);
const isOp = ({ fileName }: ts.SourceFile) => /\/engine\/ops\//.test(fileName);
const isMachinery = ({ fileName }: ts.SourceFile) => /\/engine\/(program|tensor)\.ts$/.test(fileName);
const isRefusal = (name: string) => /^(#?check|predictMemory|printMessages|withMemoryHint)/.test(name);
const OPS = new Set(registry.map(({ name }) => name));
const isShader = (name: string) => ts.sys.fileExists(`shaders/${name}.wgsl`);

/** What belongs to every object of a class: its constructor and the fields that are set there. */
function isOfEvery(member: ts.ClassElement): boolean {
  return ts.isConstructorDeclaration(member) || (ts.isPropertyDeclaration(member) && member.initializer !== undefined);
}

function* parentsOf(node: ts.Node): Generator<ts.Node> {
  for (let parent = node.parent; parent !== undefined; parent = parent.parent) yield parent;
}

/** The statement of a file or the member of a class that a declaration is in; undefined for what is local to one. */
function unitOf(declaration: ts.Node): ts.Node | undefined {
  let node = declaration;
  for (; node.parent !== undefined; node = node.parent) {
    if (ts.isClassDeclaration(node.parent) && ts.isClassElement(node)) return node;
    if (ts.isSourceFile(node.parent)) return isSamples(node) ? undefined : node;
  }
  return undefined;
}

/** A row of the op table, for tests. */
function isSamples(node: ts.Node): boolean {
  return ts.isVariableStatement(node) && /: (readonly )?OpRow/.test(node.getText().slice(0, 80));
}

function find(file: ts.SourceFile, name: string): ts.Node | undefined {
  const [outer, member] = name.split('.');
  for (const statement of file.statements) {
    if (nameOf(statement) !== outer) continue;
    if (member === undefined) return statement;
    return (statement as ts.ClassDeclaration).members.find(
      (one) => one.name?.getText() === member && 'body' in one && one.body,
    );
  }
  throw new Error(`${file.fileName} declares no ${name}`);
}

function nameOf(node: ts.Node): string {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0]!.name.getText();
  if (ts.isConstructorDeclaration(node)) return `${nameOf(node.parent)}()`;
  const name = (node as ts.NamedDeclaration).name?.getText() ?? '';
  return node.parent !== undefined && ts.isClassDeclaration(node.parent) ? `${nameOf(node.parent)}.${name}` : name;
}

/** A declaration with the docstring right above it. */
function textOf(node: ts.Node, file: ts.SourceFile): string {
  const comments = ts.getLeadingCommentRanges(file.text, node.getFullStart()) ?? [];
  return file.text.slice(comments.at(-1)?.pos ?? node.getStart(), node.end);
}

function linesIn(text: string): number {
  return text.split('\n').filter((line) => line.trim() !== '').length;
}

function print(name: string): void {
  const shared = name === 'step' ? new Map() : pathOf(name === 'gelu' ? 'machinery' : 'gelu');
  const own = without(pathOf(name), shared);
  const list = (title: string, path: Path) => {
    console.log(`\n${title}: ${linesOf(path)} lines`);
    for (const [file, { lines, names }] of path) {
      const words = names.filter(Boolean).join(', ');
      console.log(
        `${String(lines).padStart(5)}  ${file}${process.argv.includes('--names') && words ? `  ${words}` : ''}`,
      );
    }
  };
  list(name, own);
  if (name !== 'step') {
    list(
      name === 'gelu' ? 'what every op needs: record, gradients, compile, run' : 'gelu, and what every op needs',
      shared,
    );
    console.log(`\n${name} in all: ${linesOf(own) + linesOf(shared)} lines`);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  print(process.argv[2] ?? 'gelu');
