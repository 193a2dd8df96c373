import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { chartsOf } from '../../src/experiment/charts.js';
import { readGrid } from '../../src/experiment/grid.js';
import { makeReport } from '../../src/experiment/report.js';
import { verdictsHtml, verdictsOf } from '../../src/experiment/verdicts.js';
import { newPage, openBrowser, screenshotPath } from '../support/browser.js';
import { evidence } from '../support/evidence.js';

it('the page of verdicts draws a chart of every measure, and names each line once', async () => {
  const found = evidence();
  const reports = [...found].map(([name, cells]) => {
    const arms = [...new Set(cells.map(({ cell }) => cell.arm))].map((arm) =>
      arm === 'zero:value' ? { door: 'zero', channels: ['value'] } : arm,
    );
    return makeReport(readGrid({ name, arms, seeds: 0, steps: 1 }, name), cells, '', '1');
  });
  const charts = reports.flatMap(chartsOf);
  expect(charts.length).toBeGreaterThan(3);
  const folder = mkdtempSync(join(tmpdir(), 'verdicts-'));
  const file = join(folder, 'verdicts.html');
  writeFileSync(file, verdictsHtml(verdictsOf(found, 'bytes-untied', 'abc'), reports, found));
  const browser = await openBrowser(false);
  try {
    const page = await newPage(browser);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(pathToFileURL(file).href);
    expect(await page.locator('.u-wrap canvas').count()).toBe(charts.length);
    const legend = await page
      .locator('.uplot')
      .first()
      .locator('.u-legend .u-series:visible .u-label')
      .allTextContents();
    expect(legend).toEqual(['step', ...charts[0]!.series.map(({ label }) => label)]);
    expect(errors).toEqual([]);
    await page.screenshot({ path: screenshotPath('verdicts'), fullPage: true });
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});
