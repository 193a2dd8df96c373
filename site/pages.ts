import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. Files are named relative to it, with forward slashes. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The page that a reader sees first. */
export const HOME = 'docs/lesson/README.md';

/** A part of the contents. */
export interface Section {
  readonly title: string;
  readonly files: readonly string[];
}

const LESSON = 'docs/lesson';

/** Chapters of the lesson, in the order of their numbers. */
export const CHAPTERS = readdirSync(join(ROOT, LESSON))
  .filter((name) => /^\d\d-.+\.md$/.test(name))
  .sort()
  .map((name) => `${LESSON}/${name}`);

/** Pages that the contents name. A file that one of them links to becomes a page, too. */
export const SECTIONS: readonly Section[] = [
  { title: 'From byte to loss', files: CHAPTERS },
  {
    title: 'From formula to kernel',
    files: ['docs/walk.md', ...derivations()],
  },
  {
    title: 'Results',
    files: [
      'results/README.md',
      'results/verdicts.md',
      ...reports(),
      'results/PROTOCOL.md',
      'results/reliability.md',
      'bench/RECORD.md',
    ],
  },
  {
    title: 'The code, folder by folder',
    files: [
      'README.md',
      'shaders/README.md',
      'src/substrate/README.md',
      'src/engine/README.md',
      'src/engine/ops/README.md',
      'src/model/README.md',
      'models/README.md',
      'src/train/README.md',
      'src/experiment/README.md',
      'src/wgsl/README.md',
      'src/device/README.md',
      'src/inspect/README.md',
      'src/cli/README.md',
      'web/README.md',
      'examples/README.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
    ],
  },
];

function derivations(): string[] {
  const folder = 'src/engine/ops';
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.md') && name !== 'README.md');
  return names.sort().map((name) => `${folder}/${name}`);
}

/** The reports of the grids that have runs. */
function reports(): string[] {
  const files = readdirSync(join(ROOT, 'results')).map((name) => `results/${name}/report.md`);
  return files.filter((file) => existsSync(join(ROOT, file))).sort();
}

/** Files that are shown as pages of code; others are copied as they are. */
const CODE = new Set(['.ts', '.tsx', '.wgsl', '.py', '.sh', '.js', '.mjs', '.yaml', '.yml', '.css']);

/** The page of a file of the checkout; `html` is a page of its own, shown in a frame. */
export type Kind = 'markdown' | 'code' | 'html' | 'copy';

/** How a file becomes part of the site. */
export function kindOf(file: string): Kind {
  const extension = extname(file);
  if (extension === '.md') return 'markdown';
  if (extension === '.html') return 'html';
  return CODE.has(extension) || extension === '' || statSync(join(ROOT, file)).size > 4e6 ? 'code' : 'copy';
}

/** Where a file is in the site: `shaders/adamW.wgsl` in `shaders/adamW.wgsl.html`, `docs/walk.md` in `docs/walk.html`. */
export function outputOf(file: string): string {
  if (file === HOME) return 'index.html';
  const kind = kindOf(file);
  if (kind === 'copy') return file;
  return kind === 'markdown' ? file.replace(/\.md$/, '.html') : `${file}.html`;
}

/** A relative address from one page of the site to another. */
export function relativeLink(from: string, to: string): string {
  return posix.relative(posix.dirname(from), to) || posix.basename(to);
}

/**
 * The file that a link of another leads to; a folder leads to its README.
 *
 * @throws Error when there is no such file in the checkout
 */
export function targetOf(from: string, href: string): string {
  const file = posix.normalize(posix.join(posix.dirname(from), decodeURIComponent(href)));
  const path = join(ROOT, file);
  if (file.startsWith('..') || !existsSync(path)) throw new Error(`${from}: the link ${href} leads to no file`);
  if (!statSync(path).isDirectory()) return file;
  const readme = posix.join(file, 'README.md');
  if (!existsSync(join(ROOT, readme)))
    throw new Error(`${from}: the link ${href} leads to a folder without a README.md`);
  return readme;
}

/** The text of a file of the checkout. */
export function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
