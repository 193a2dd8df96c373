/**
 * Milliseconds a visitor of the explorer waits, in the headless Chromium of the tests: from opening the page to the colours of the
 * trained decoder, and from a key to the changed loss. `npm run web && npx tsx bench/explorer.bench.ts`
 *
 * The page runs on the CPU device, since the browser's own WebGPU is a software driver. Opening counts until the first frame after the
 * colours; each round is a new page. A key counts until the first frame after the new loss.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { newPage, openBrowser } from '../test/support/browser.js';

const ROUNDS = 7;
const KEYS = 15;
const file = fileURLToPath(new URL('../dist/web/index.html', import.meta.url));
if (!existsSync(file)) throw new Error('dist/web/index.html is missing: npm run web');

/** Runs in the page, so that the messages to the browser are not timed. */
const IN_PAGE = `
  const loss = () => document.querySelector('#bits-per-byte')?.getAttribute('data-value') ?? undefined;
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
  /** The time of the first frame after the loss is there and another one than before. */
  async function changed(before) {
    while (loss() === undefined || loss() === before) await frame();
    return frame();
  }
  Object.assign(globalThis, { loss, changed });
`;

const browser = await openBrowser();
const opening: number[] = [];
const typing: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const page = await newPage(browser);
  await page.addInitScript(IN_PAGE);
  await page.goto(pathToFileURL(file).href);
  opening.push(await page.evaluate('changed()'));
  const text = page.locator('textarea >> nth=0');
  await text.focus();
  await page.keyboard.press('End');
  for (let key = 0; key < KEYS; key++) {
    const times = page.evaluate<[number, number]>(`new Promise((resolve) => {
      const before = loss();
      addEventListener('keydown', ({ timeStamp }) => changed(before).then((end) => resolve([timeStamp, end])), { once: true });
      globalThis.listening = true;
    })`);
    await page.waitForFunction('globalThis.listening');
    await page.keyboard.press(String.fromCharCode(97 + ((7 * key) % 26)));
    const [from, to] = await times;
    if (round > 0) typing.push(to - from); // the first page warms the browser's caches
    await page.evaluate('globalThis.listening = false');
  }
  await page.close();
}
await browser.close();
console.log(`opening: ${summary(opening)}`);
console.log(`a key:   ${summary(typing)}`);

/** `'12 ms (10..15), n 7'`: median, least, most. */
function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [least, median, most] = [0, sorted.length >> 1, sorted.length - 1].map((i) => Math.round(sorted[i]!));
  return `${median} ms (${least}..${most}), n ${sorted.length}`;
}
