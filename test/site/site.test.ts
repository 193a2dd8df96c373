import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildExplorer, buildSite } from '../../site/build.js';
import { createHighlighter, type Highlight } from '../../site/highlight.js';
import { brokenLinks } from '../../site/links.js';
import { CHAPTERS, outputOf, ROOT } from '../../site/pages.js';
import { newPage, openBrowser, screenshotPath } from '../support/browser.js';

/** Code that was coloured for the first build, which takes most of its time, by language. */
const coloured = new Map<string, Map<string, string>>();
const highlighter = await createHighlighter();
const highlight: Highlight = (code, language) => {
  const known = coloured.get(language) ?? new Map<string, string>();
  coloured.set(language, known);
  const html = known.get(code) ?? highlighter(code, language);
  known.set(code, html);
  return html;
};
// The explorer and the API reference take longer than all pages together and have tests of their own.
const PAGES_ONLY = { explorer: false, api: false, highlight };
const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-site-'));
const site = join(folder, 'a');

beforeAll(() => buildSite(site, PAGES_ONLY));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every file of a folder, with its path from there. */
function filesOf(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(root, name)).isFile()).sort();
}

const read = (file: string) => readFileSync(join(site, file), 'utf8');

test('every link leads somewhere in the folder, to a heading where it names one; the build looks for itself', () => {
  expect(filesOf(site).filter((file) => file.endsWith('.html')).length).toBeGreaterThan(50);
  expect(brokenLinks(site, ['explorer/', 'api/'])).toEqual([]);
});

test('links that end in nothing are found', () => {
  const made = join(folder, 'made');
  mkdirSync(join(made, 'sub'), { recursive: true });
  const links = [
    '../b.html#there',
    '../b.html#nowhere',
    '../c.html',
    '/b.html',
    '../../made.html',
    '#nowhere',
    'https://a.b',
  ];
  writeFileSync(join(made, 'sub/a.html'), links.map((to) => `<a href="${to}">`).join(''));
  writeFileSync(
    join(made, 'b.html'),
    '<p id="there"><iframe title="x" src="sub/d.html?q=1"></iframe><iframe data-src="e.html"></iframe>',
  );
  const found = links.slice(1, 6).map((to) => `sub/a.html: ${to}`);
  expect(brokenLinks(made).sort()).toEqual(['b.html: e.html', 'b.html: sub/d.html?q=1', ...found].sort());
  expect(brokenLinks(made, ['sub/d', 'e.html']).sort()).toEqual(found.sort());
});

test('every committed report of the experiment is there: its tables as a page, its curves in a frame', () => {
  const reports = filesOf(join(ROOT, 'results')).filter((file) => /(report|verdicts)\.html$/.test(file));
  expect(reports).toContain('verdicts.html');
  for (const file of reports) {
    const own = readFileSync(join(ROOT, 'results', file), 'utf8');
    expect(read(`framed/results/${file}`)).toBe(own);
    const { src } = /<iframe src="(?<src>[^"]+)"/.exec(read(`results/${file}.html`))!.groups!;
    expect(join('results', dirname(file), src!)).toBe(`framed/results/${file}`);
    expect(read(`results/${file}`)).toContain(`href="${basename(file)}.html"`);
  }
  expect(read('results/README.html')).toContain('href="verdicts.html.html"');
});

test('a second build gives the same bytes', async () => {
  const again = join(folder, 'b');
  await buildSite(again, PAGES_ONLY);
  expect(filesOf(again)).toEqual(filesOf(site));
  const changed = filesOf(site).filter(
    (file) => !readFileSync(join(again, file)).equals(readFileSync(join(site, file))),
  );
  expect(changed).toEqual([]);
  expect(coloured.size).toBeGreaterThan(5);
  for (const [language, known] of coloured) {
    for (const [code, html] of [...known].slice(0, 2)) expect(highlighter(code, language)).toBe(html);
  }
});

test('a link to a missing file stops the build, and names both', async () => {
  const { targetOf } = await import('../../site/pages.js');
  expect(() => targetOf('docs/walk.md', '../src/nothing.ts')).toThrow(
    'docs/walk.md: the link ../src/nothing.ts leads to no file',
  );
  expect(targetOf('docs/walk.md', '../shaders/adamW.wgsl')).toBe('shaders/adamW.wgsl');
  expect(dirname(targetOf('README.md', 'examples'))).toBe('examples');
});

describe('opened from disk', () => {
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const errors: string[] = [];
  const address = (file: string) => pathToFileURL(join(site, file)).href;

  beforeAll(async () => {
    browser = await openBrowser(false);
    page = await newPage(browser);
    await page.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core') });
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  });
  afterAll(() => browser?.close());

  test('a chapter opens, and the next one is a click away', async () => {
    await page.goto(address(outputOf(CHAPTERS[0]!)));
    await page.screenshot({ path: screenshotPath('site-chapter') });
    await page.click('a[rel=next]');
    await page.waitForURL(address(outputOf(CHAPTERS[1]!)));
    await page.screenshot({ path: screenshotPath('site-chapter-whole'), fullPage: true });
  });

  test('search finds a word of the text, by keyboard', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('barrier');
    const first = page.locator('#found a >> nth=0');
    await first.waitFor();
    expect(await page.locator('#found a').allInnerTexts()).not.toEqual([]);
    for (const text of await page.locator('#found a').allInnerTexts()) expect(text).toMatch(/barrier/i);
    await page.screenshot({ path: screenshotPath('site-search') });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.href !== address(outputOf(CHAPTERS[1]!)));
    expect(await page.textContent('article')).toMatch(/barrier/i);
  });

  test('a button changes light to dark, and the choice stays on the next page', async () => {
    const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await paper();
    await page.click('#theme');
    const dark = await paper();
    expect(dark).not.toBe(light);
    await page.goto(address(outputOf(CHAPTERS[2]!)));
    expect(await paper()).toBe(dark);
    await page.screenshot({ path: screenshotPath('site-dark'), fullPage: true });
  });

  test('the button changes the explorer in its frame, too, and the choice stays', async () => {
    await buildExplorer(join(site, 'explorer'));
    const around = await newPage(browser);
    around.on('pageerror', ({ message }) => errors.push(message));
    await around.goto(address('explorer.html'));
    const explorer = around.frameLocator('iframe');
    const colours = async (theme: string) => {
      const body = explorer.locator(`:root[data-theme="${theme}"] body`);
      await body.waitFor();
      await explorer.locator('#bits-per-byte[data-value]').waitFor();
      const paper = await body.evaluate((element) => getComputedStyle(element).backgroundColor);
      // A byte's colour comes from the palette, not from the style sheet.
      return { paper, byte: await explorer.locator('.byte').last().getAttribute('style') };
    };
    await around.click('#theme');
    const dark = await colours('dark');
    expect(dark.paper).toBe('rgb(22, 23, 26)');
    await around.reload();
    expect(await colours('dark')).toEqual(dark);
    await around.screenshot({ path: screenshotPath('site-explorer-dark') });
    await around.click('#theme');
    const light = await colours('light');
    expect(light.paper).toBe('rgb(251, 250, 247)');
    expect(light.byte).not.toBe(dark.byte);

    // A report of the experiment in its frame follows, too.
    await around.goto(address('results/verdicts.html.html'));
    await explorer.locator(':root[data-theme="light"] .plot canvas').first().waitFor();
    await around.click('#theme');
    await explorer.locator(':root[data-theme="dark"] .plot canvas').first().waitFor();
    await around.close();
  });

  test('a part of the explorer in a chapter is loaded when its reader opens it', async () => {
    await page.goto(address(outputOf(CHAPTERS[1]!)));
    const asked = page.waitForRequest((request) => request.url().startsWith(address('explorer/index.html')));
    await page.click('details.live summary');
    await asked;
  });

  test('fits a phone, whose reader opens the list of pages', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const before = requests.length;
    for (const chapter of CHAPTERS) {
      await page.goto(address(outputOf(chapter)));
      expect(await page.evaluate('document.documentElement.scrollWidth'), chapter).toBeLessThanOrEqual(390);
    }
    expect(requests.slice(before).filter((url) => url.includes('explorer/'))).toEqual([]);
    await page.screenshot({ path: screenshotPath('site-phone'), fullPage: true });
    await page.click('#menu');
    await page.screenshot({ path: screenshotPath('site-phone-contents') });
    const focused = () => page.evaluate(() => document.activeElement!.closest('nav, button')!.id);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('contents'); // the text behind it is passed over
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('menu');
    expect(await page.getAttribute('#menu', 'aria-expanded')).toBe('false');
    await page.click('#menu');
    await page.click(`#contents a >> nth=1`);
    await page.waitForURL(address(outputOf(CHAPTERS[1]!)));
  });

  test.each([
    ['light', ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']],
    ['dark', ['color-contrast', 'link-in-text-block']], // the rules about colours, which alone are others
  ])('%s: axe-core finds nothing against WCAG 2.2 AA', async (theme, rules) => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.route(/explorer\/index/, (route) => route.fulfill({ contentType: 'text/html', body: '' })); // not looked at
    for (const file of [outputOf(CHAPTERS[3]!), 'shaders/adamW.wgsl.html', 'explorer.html']) {
      await page.goto(address(file));
      await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`);
      const found = await page.evaluate(async (runOnly) => {
        const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
        const { violations } = await axe.run({ runOnly, iframes: false, preload: false });
        return violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)}`);
      }, rules);
      expect(found, file).toEqual([]);
    }
  });

  test('nothing failed, and nothing was asked of anything but the folder', () => {
    expect(errors).toEqual([]);
    expect(requests.length).toBeGreaterThan(10);
    expect(requests.filter((url) => !url.startsWith(pathToFileURL(site).href))).toEqual([]);
  });
});
