import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../src/device/device.js';
import { examine } from '../../src/doctor/doctor.js';
import { pageOf } from '../../src/doctor/page.js';
import type { Part } from '../../src/doctor/part.js';
import { newPage, openBrowser, screenshotPath } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { HANGING } from '../support/limits.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-pages-'));
const at = (name: string) => join(folder, name);
const TINY_RUN = ['--prefix', '16', '--stream', '16', '--batch', '2', '--steps', '6', '--eval-every', '3'];

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser(false);
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Open a file from disk, with no way to any network, and gather what goes wrong in it. */
async function open(path: string): Promise<{ page: Page; errors: string[] }> {
  const page = await newPage(browser);
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => request.url().startsWith('http') && errors.push(`asks for ${request.url()}`));
  await page.goto(pathToFileURL(path).href);
  return { page, errors };
}

async function keepPictures(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: screenshotPath(`${name}-desktop`) });
  await page.setViewportSize({ width: 390, height: 844 });
  // Charts are drawn again after the window has changed; only then must nothing overflow.
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  await expect.poll(width, { timeout: HANGING }).toBeLessThanOrEqual(390);
  await page.screenshot({ path: screenshotPath(`${name}-phone`) });
}

test("a run's report draws its four charts from its own numbers", async () => {
  const { code } = await cli('train', ...TINY_RUN, '--out', at('run'));
  expect(code).toBe(0);
  const { page, errors } = await open(at('run/report.html'));
  await page.waitForSelector('.uplot canvas');
  expect(await page.locator('.uplot').count()).toBe(4);
  // uPlot alone would have failed at this browser's language: see openBrowser.
  expect(await page.evaluate(() => Object.getPrototypeOf(navigator).__lookupGetter__('language').call(navigator))).toBe(
    'en-US@posix',
  );
  const label = await page.locator('.plot').first().getAttribute('aria-label');
  expect(label).toMatch(/^Bits per byte\. text, mean from \d\.\d+ at step 1 to \d\.\d+ at step 6; held-out text from/);
  // Each canvas holds a line: colours other than the ground.
  const drawn = await page
    .locator('.uplot canvas')
    .first()
    .evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
      return data.filter((value, i) => i % 4 === 3 && value > 0).length;
    });
  expect(drawn).toBeGreaterThan(500);
  expect(await page.locator('.sample').count()).toBe(2);
  await page.screenshot({ path: screenshotPath('report-whole'), fullPage: true });
  await keepPictures(page, 'report');
  expect(errors).toEqual([]);
});

test("doctor's page fits a phone", async () => {
  const row = {
    kernel: 'gpu/attention.backwardKV.tiled',
    'a long heading of a column': 1234567.891,
    words: 'ends well',
  };
  const part = (name: string, leftOut: string[]): Part => ({
    name,
    what: 'What this part asks, in a sentence that is longer than a line of a phone.',
    weight: 1,
    run: async () => ({
      summary: `${name}: 1,234,567 numbers compared, all within their tolerance of the reference`,
      faults: [],
      leftOut,
      tables: [{ title: 'Numbers', rows: Array.from({ length: 3 }, () => row) }],
    }),
  });
  const parts = [
    part('channels', ['a/long/path/that/has/no/space/in/it/to/break/a/line/at.wgsl']),
    part('gradients', []),
  ];
  const openCard = async () => ({ name: 'A card with a long name, 80 GB', close() {} }) as unknown as Device;
  writeFileSync(at('doctor.html'), pageOf(await examine({ version: '1', minutes: 1, open: openCard, parts })));
  const { page, errors } = await open(at('doctor.html'));
  await keepPictures(page, 'doctor');
  expect(errors).toEqual([]);
});
