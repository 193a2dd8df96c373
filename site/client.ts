import MiniSearch from 'minisearch';
import { THEME_QUESTION } from '../src/report/script.js';

/** A part of a page, as `build.ts` writes it into `assets/passages.js`. */
interface Found {
  readonly id: number;
  /** address from the site's folder */
  readonly url: string;
  readonly page: string;
  readonly heading: string;
  readonly text: string;
}

declare global {
  interface Window {
    passages?: readonly Found[];
  }
}

const root = document.currentScript!.dataset.root!;
const field = document.querySelector<HTMLInputElement>('#search')!;
const found = document.querySelector<HTMLElement>('#found')!;

// ---- light and dark ----

const { dataset } = document.documentElement;

document.querySelector('#theme')!.addEventListener('click', () => {
  const dark = dataset.theme ? dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  dataset.theme = dark ? 'light' : 'dark';
  tellFrames();
  try {
    localStorage.setItem('theme', dataset.theme);
    localStorage.setItem('tsd-theme', dataset.theme); // the API reference reads this one
  } catch {
    // Without storage the choice holds for this page.
  }
});

// A page in a frame, the explorer or a report, asks for the theme as it starts. One that started before this script is told.
addEventListener('message', ({ source, data }) => {
  if (data === THEME_QUESTION) tellTheme(source as Window);
});
tellFrames();

function tellFrames(): void {
  for (const { contentWindow } of document.querySelectorAll('iframe')) tellTheme(contentWindow!);
}

/** The reader's choice, if there is one, for a page in a frame: from disk, the two pages may only exchange messages. */
function tellTheme(framed: Window): void {
  if (dataset.theme !== undefined) framed.postMessage({ theme: dataset.theme }, '*');
}

// ---- the list of pages, on a phone ----

const menu = document.querySelector<HTMLButtonElement>('#menu');
const bar = document.querySelector<HTMLElement>('.bar')!;
const isMenuOpen = () => document.body.classList.contains('menu');

function openMenu(open: boolean): void {
  document.body.classList.toggle('menu', open);
  menu!.setAttribute('aria-expanded', String(open));
  document.querySelector('main')!.inert = open; // the list covers it, and comes after it
  document.body.style.setProperty('--bar', `${bar.offsetHeight}px`);
  if (open) document.querySelector<HTMLElement>('#contents a[aria-current]')?.scrollIntoView({ block: 'center' });
}

menu?.addEventListener('click', () => openMenu(!isMenuOpen()));
document.querySelector('#contents')?.addEventListener('click', (event) => {
  if (event.target instanceof HTMLAnchorElement) openMenu(false);
});

// ---- search ----

let index: Promise<MiniSearch<Found>> | undefined;

/** A script, since a page opened from disk may not fetch. */
function loadIndex(): Promise<MiniSearch<Found>> {
  index ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${root}assets/passages.js`;
    script.onerror = () => reject(new Error('the search index cannot be read'));
    script.onload = () => {
      const search = new MiniSearch<Found>({
        fields: ['heading', 'page', 'text'],
        storeFields: ['url', 'page', 'heading', 'text'],
        searchOptions: { boost: { heading: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: 'AND' },
      });
      search.addAll(window.passages!);
      resolve(search);
    };
    document.head.append(script);
  });
  return index;
}

async function show(): Promise<void> {
  const query = field.value.trim();
  if (query === '') {
    found.hidden = true;
    return;
  }
  const search = await loadIndex();
  if (query !== field.value.trim()) return;
  const hits = search.search(query).slice(0, 12);
  found.replaceChildren(
    ...(hits.length === 0 ? [element('p', `Nothing has “${query}” in it.`)] : hits.map((hit) => entry(hit as never))),
  );
  found.hidden = false;
}

/** Close what is open; the focus returns to what opened it. */
function close(): void {
  if (isMenuOpen()) {
    openMenu(false);
    menu!.focus();
  }
  if (found.contains(document.activeElement)) field.focus();
  found.hidden = true;
}

function entry({ url, page, heading, text, terms }: Found & { terms: string[] }): HTMLElement {
  const link = element('a', '');
  link.setAttribute('href', root + url);
  const words = new RegExp(`(${terms.map((term) => term.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})`, 'giu');
  const first = Math.max(0, text.search(words));
  const begin = first < 60 ? 0 : text.indexOf(' ', first - 50) + 1;
  const excerpt = element('span', '');
  const cut = text.slice(begin, begin + 170);
  const whole = begin + 170 < text.length ? `${cut.replace(/\s+\S*$/, '')} …` : cut;
  for (const [i, piece] of whole.split(words).entries()) {
    excerpt.append(i % 2 === 1 ? element('mark', piece) : piece);
  }
  link.append(element('b', heading === page ? page : `${page} › ${heading}`), excerpt);
  return link;
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

field.addEventListener('focus', () => void loadIndex());
field.addEventListener('input', () => void show());
document.addEventListener('keydown', (event) => {
  const links = [...found.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const writing = document.activeElement?.matches('input, textarea, select');
  if (event.key === '/' && !writing) field.focus();
  else if (event.key === 'Escape') close();
  else if (event.key === 'Enter' && document.activeElement === field) links[0]?.click();
  else if (found.hidden || (at < 0 && document.activeElement !== field)) return;
  else if (event.key === 'ArrowDown') (links[at + 1] ?? field).focus();
  else if (event.key === 'ArrowUp') (at < 0 ? links.at(-1) : (links[at - 1] ?? field))?.focus();
  else return;
  event.preventDefault();
});
document.addEventListener('click', ({ target }) => {
  if (!(target as Element).closest('.search')) found.hidden = true;
});

// ---- parts of the explorer in a chapter: browsers load lazy frames of closed details as well ----

for (const details of document.querySelectorAll<HTMLDetailsElement>('details.live')) {
  const part = details.querySelector('iframe')!;
  details.addEventListener('toggle', () => {
    if (!part.hasAttribute('src')) part.src = part.dataset.src!;
  });
}

// ---- a page that is one frame: what is asked of it goes to what it frames ----

const frame = document.querySelector<HTMLIFrameElement>('body.frame iframe');
if (frame !== null && location.search + location.hash !== '') {
  frame.src = frame.getAttribute('src')!.replace(/[?#].*$/, '') + location.search + location.hash;
}
