import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as viteBuild } from 'vite';
import { packagePage } from '../src/cli/inspect.js';
import { buildApi } from './api.js';
import { createHighlighter, escapeHtml, type Highlight } from './highlight.js';
import { type Contents, type Entry, type Page, pageHtml } from './layout.js';
import { brokenLinks } from './links.js';
import { createRenderer, type Rendered } from './markdown.js';
import { CHAPTERS, HOME, kindOf, outputOf, ROOT, relativeLink, SECTIONS, targetOf, textOf } from './pages.js';

/** What may be left out, since it takes longer than all pages together, or given. */
export interface Parts {
  /** The explorer, one file. Default true */
  readonly explorer?: boolean;
  /** The API reference. Default true */
  readonly api?: boolean;
  /** Colours code. Default a new highlighter */
  readonly highlight?: Highlight;
}

/**
 * Write the whole site: a folder of files that need no server and hold no address of their own.
 *
 * @param out the folder; what was in it is removed
 * @throws Error when a link ends in nothing
 */
export async function buildSite(out: string, parts: Parts = {}): Promise<void> {
  const { explorer = true, api = true, highlight = await createHighlighter() } = parts;
  rmSync(out, { recursive: true, force: true });
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(out, file)), { recursive: true });
    writeFileSync(join(out, file), text);
  };
  const site = new Site(highlight);
  for (const page of site.pages()) write(page.output, pageHtml(page, site.contents()));
  const copies = [...site.copied, ...site.framed].map((file) => [file, site.framed.has(file) ? framed(file) : file]);
  for (const [from, to] of copies) cpSync(join(ROOT, from!), join(out, to!));
  write('assets/passages.js', `window.passages=${JSON.stringify(site.passages())};\n`);
  write('assets/style.css', readFileSync(new URL('style.css', import.meta.url), 'utf8'));
  await buildClient(join(out, 'assets'));
  if (explorer) await buildExplorer(join(out, 'explorer'));
  if (api) await buildApi(join(out, 'api'));
  const missing = [...(explorer ? [] : ['explorer/']), ...(api ? [] : ['api/'])];
  const broken = brokenLinks(out, missing);
  if (broken.length > 0) throw new Error(`links that end in nothing:\n${broken.join('\n')}`);
}

/** Files of the checkout as pages: those that the list names, and all that they link to. */
class Site {
  readonly copied = new Set<string>();
  /** HTML files, each with a page around it */
  readonly framed = new Set<string>();
  readonly #highlight: Highlight;
  readonly #rendered = new Map<string, Rendered>();
  readonly #code = new Set<string>();

  constructor(highlight: Highlight) {
    this.#highlight = highlight;
    const render = createRenderer(highlight);
    const queue = [HOME, ...SECTIONS.flatMap(({ files }) => files)];
    const known = new Set(queue);
    for (const file of queue) {
      const found = (href: string) => {
        const target = targetOf(file, href.replace(/#.*$/, ''));
        const kind = kindOf(target);
        if (kind === 'copy') this.copied.add(target);
        else if (kind === 'html') this.framed.add(target);
        else if (kind === 'code') this.#code.add(target);
        else if (!known.has(target)) queue.push(target);
        known.add(target);
        return target;
      };
      const link = (href: string) =>
        relativeLink(outputOf(file), outputOf(found(href))) + (/#.*$/.exec(href)?.[0] ?? '');
      const exists = (path: string) => existsSync(join(ROOT, dirname(file), path));
      const picture = (href: string) => textOf(targetOf(file, href));
      this.#rendered.set(
        file,
        render(withSections(file), { link, exists, picture, live: (words) => live(file, words) }),
      );
    }
  }

  /** Every page. */
  *pages(): Generator<Page> {
    const order = [HOME, ...CHAPTERS];
    for (const [file, { title, html, passages }] of this.#rendered) {
      const at = order.indexOf(file);
      const near = (i: number) => (at < 0 || order[i] === undefined ? undefined : this.#entry(order[i]));
      const page = { output: outputOf(file), title, body: html, kind: 'text', passages } as const;
      yield { ...page, previous: near(at - 1), next: near(at + 1) };
    }
    for (const file of this.#code) yield codePage(file, this.#highlight);
    for (const file of this.framed) yield framePage(outputOf(file), titleOf(file), framed(file));
    yield framePage('explorer.html', 'Explorer', EXPLORER);
    yield framePage('puzzles.html', 'Puzzles', `${EXPLORER}#puzzles-title`);
  }

  /** The contents of the site. */
  contents(): Contents {
    return {
      sections: SECTIONS.map(({ title, files }) => ({ title, entries: files.map((file) => this.#entry(file)) })),
    };
  }

  /** The index of the search. */
  passages(): object[] {
    const ofPages = [...this.#rendered].flatMap(([file, { title, passages }]) =>
      passages.map(({ anchor, heading, text }) => {
        const url = outputOf(file) + (anchor && `#${anchor}`);
        return { url, page: title, heading, text: text.trim() };
      }),
    );
    const ofCode = [...this.#code]
      .filter((file) => extname(file) === '.wgsl')
      .map((file) => ({ url: outputOf(file), page: file, heading: file, text: textOf(file).replace(/\s+/g, ' ') }));
    return [...ofPages, ...ofCode].map((passage, id) => ({ id, ...passage }));
  }

  #entry(file: string): Entry {
    return { title: this.#rendered.get(file)!.title, output: outputOf(file) };
  }
}

/**
 * The text of a page, with `<!-- include: FILE NAME -->` replaced by the part of FILE between `<!-- NAME -->` and `<!--
 * /NAME -->`.
 */
function withSections(file: string): string {
  return textOf(file).replace(/^<!-- include: (\S+) (\w+) -->$/gm, (_, from: string, name: string) => {
    const source = targetOf(file, from);
    const section = new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)<!-- /${name} -->`).exec(textOf(source))?.[1];
    if (section === undefined) throw new Error(`${file}: ${source} has no section ${name}`);
    return section.replace(/\]\((?![a-z]+:|#)/g, `](${from.replace(/[^/]*$/, '')}`);
  });
}

function codePage(file: string, highlight: Highlight): Page {
  const lines = highlight(textOf(file).trimEnd(), extname(file).slice(1)).split('\n');
  const numbered = lines.map((line, i) => `<span id="L${i + 1}">${line}</span>`).join('\n');
  const body = `<h1 class="file">${escapeHtml(file)}</h1>\n<pre class="code lines" tabindex="0"><code>${numbered}\n</code></pre>`;
  return { output: outputOf(file), title: file, body, kind: 'wide' };
}

const EXPLORER = 'explorer/index.html';

/** Where the file itself is, next to the page that frames it. */
const framed = (file: string) => `framed/${file}`;

const titleOf = (file: string) => /<title>(.*)<\/title>/.exec(textOf(file))![1]!.replace(/: byte-to-loss$/, '');

/** A page of the site under the bar. */
function framePage(output: string, title: string, target: string): Page {
  const body = `<iframe src="${relativeLink(output, target)}" title="${title}"></iframe>`;
  return { output, title, body, kind: 'frame' };
}

/** A part of the explorer in a page, which client.ts loads when the reader opens it: `<!-- live: #attention-title Try it -->`. */
function live(file: string, words: string): string {
  const [, where, title] = /^(\S+) (.+)$/s.exec(words)!;
  const address = relativeLink(outputOf(file), EXPLORER) + where;
  const name = escapeHtml(title!);
  return `<details class="live"><summary>${name}</summary><iframe data-src="${address}" title="${name}"></iframe></details>\n`;
}

async function buildClient(outDir: string): Promise<void> {
  const entry = fileURLToPath(new URL('client.ts', import.meta.url));
  await viteBuild({
    configFile: false,
    root: ROOT,
    publicDir: false,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: false,
      lib: { entry, formats: ['iife'], name: 'site', fileName: () => 'site.js' },
    },
  });
}

/** Write the explorer into a folder. */
export async function buildExplorer(outDir: string): Promise<void> {
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, 'index.html'), await packagePage());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = resolve(process.argv[2] ?? 'dist/site');
  await buildSite(out);
  console.log(`${join(out, 'index.html')} opens in a browser; any static host serves the folder`);
}
