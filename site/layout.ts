import { escapeHtml } from './highlight.js';
import type { Passage } from './markdown.js';
import { relativeLink } from './pages.js';

/** A page that the contents name. */
export interface Entry {
  readonly title: string;
  readonly output: string;
}

/** The contents of the site, shown on every page. */
export interface Contents {
  readonly sections: readonly { readonly title: string; readonly entries: readonly Entry[] }[];
}

/** The parts of the site, for the bar on top of every page. */
export const PARTS: readonly Entry[] = [
  { title: 'Lesson', output: 'index.html' },
  { title: 'Explorer', output: 'explorer.html' },
  { title: 'Puzzles', output: 'puzzles.html' },
  { title: 'API', output: 'api/index.html' },
  { title: 'Results', output: 'results/README.html' },
  { title: 'Record', output: 'bench/RECORD.html' },
];

/** The parts of a page. */
export interface Page {
  readonly output: string;
  readonly title: string;
  readonly body: string;
  /** `wide` for code, `frame` for a page that is one frame and has no contents */
  readonly kind: 'text' | 'wide' | 'frame';
  readonly passages?: readonly Passage[];
  readonly previous?: Entry | undefined;
  readonly next?: Entry | undefined;
}

const NAME = 'byte-to-loss';
/** The theme that the reader chose, before the first paint. The API reference keeps its own under another name. */
const THEME = `try{const t=localStorage.getItem('theme');if(t)document.documentElement.dataset.theme=t}catch{}`;

/** A whole HTML page. Every address in it is relative, so that the site works in any folder. */
export function pageHtml(page: Page, { sections }: Contents): string {
  const to = (output: string) => relativeLink(page.output, output);
  const link = ({ title, output }: Entry, extra = '') =>
    `<a href="${to(output)}"${output === page.output ? ' aria-current="page"' : ''}${extra}>${escapeHtml(title)}</a>`;
  const title = page.output === 'index.html' ? NAME : `${page.title} · ${NAME}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<script>${THEME}</script>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${to('assets/style.css')}">
<script defer src="${to('assets/site.js')}" data-root="${to('index.html').replace(/index\.html$/, '')}"></script>
</head>
<body class="${page.kind}">
<a class="skip" href="#main">Skip to the text</a>
<header class="bar">
<a class="name" href="${to('index.html')}">${NAME}</a>
<nav aria-label="Parts">${PARTS.map((part) => link(part)).join('\n')}</nav>
<div class="tools">
<div class="search" role="search">
<input id="search" type="search" placeholder="Search" aria-label="Search the site" autocomplete="off" aria-controls="found">
<div id="found" hidden></div>
</div>
<button id="theme" type="button" aria-label="Light or dark"><svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor"/></svg></button>
${page.kind === 'frame' ? '' : '<button id="menu" type="button" aria-expanded="false" aria-controls="contents">Contents</button>'}
</div>
</header>
${
  page.kind === 'frame'
    ? `<main id="main">${page.body}</main>`
    : `<div class="columns">
<main id="main">
<article>
${page.body}
</article>
${around(page, link)}
</main>
<nav id="contents" aria-label="Contents">
${sections.map((section) => sectionHtml(section, page, link)).join('\n')}
</nav>
</div>`
}
</body>
</html>
`;
}

function around({ previous, next }: Page, link: (entry: Entry, extra?: string) => string): string {
  if (previous === undefined && next === undefined) return '';
  const one = (entry: Entry | undefined, label: string, rel: string) =>
    entry === undefined
      ? '<span></span>'
      : `<span class="${rel}"><small>${label}</small>${link(entry, ` rel="${rel}"`)}</span>`;
  return `<nav class="around" aria-label="Chapters">${one(previous, 'Before', 'prev')}${one(next, 'Next', 'next')}</nav>`;
}

function sectionHtml(
  { title, entries }: Contents['sections'][number],
  page: Page,
  link: (entry: Entry) => string,
): string {
  const here = (page.passages ?? []).filter(({ level }) => level === 2);
  const inPage =
    here.length === 0
      ? ''
      : `<ul>${here.map(({ anchor, heading }) => `<li><a href="#${anchor}">${escapeHtml(heading)}</a></li>`).join('')}</ul>`;
  const items = entries.map((entry) => `<li>${link(entry)}${entry.output === page.output ? inPage : ''}</li>`);
  return `<h2>${escapeHtml(title)}</h2>\n<ol>${items.join('\n')}</ol>`;
}
