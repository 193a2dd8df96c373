import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { openCpu } from '../support/cpuDevice.js';
import type { runOnCpu } from '../support/cpuPage.js';
import { workload } from '../support/cpuPrograms.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-cpu-'));
let browser: Browser;
let server: Server;
let expected: number[];

beforeAll(async () => {
  // Bundled and minified, as a page would have it.
  const entry = fileURLToPath(new URL('../support/cpuPage.ts', import.meta.url));
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      target: 'es2023',
      minify: true,
      lib: { entry, formats: ['iife'], name: 'cpuPage', fileName: () => 'page.js' },
    },
  });
  const html = `<!doctype html><title>CPU device</title><script>${readFileSync(join(folder, 'page.js'), 'utf8')}</script>`;
  writeFileSync(join(folder, 'page.html'), html);
  server = createServer((_, response) => {
    response.writeHead(200, {
      'Content-Type': 'text/html',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await openBrowser(false); // no WebGPU
  const gpu = await openCpu();
  expected = [...(await workload(gpu))];
  gpu.destroy();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true });
});

type InPage = { readonly runOnCpu: typeof runOnCpu };

async function open(address: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(address);
  return page;
}

test('a page from a file has one thread, and the bits of Node', async () => {
  const page = await open(pathToFileURL(join(folder, 'page.html')).href);
  const { description, numbers } = await page.evaluate(() => (globalThis as unknown as InPage).runOnCpu.workload(4));
  expect(description).toBe('CPU device, 1 thread');
  expect(numbers).toEqual(expected);
  expect(await page.evaluate(() => (globalThis as unknown as InPage).runOnCpu.trap(1))).toBe('trap: unreachable');
});

test('a page that is isolated from other origins has threads, and the bits of Node', async () => {
  const page = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const { description, numbers } = await page.evaluate(() => (globalThis as unknown as InPage).runOnCpu.workload(3));
  expect(description).toBe('CPU device, 3 threads');
  expect(numbers).toEqual(expected);
  expect(await page.evaluate(() => (globalThis as unknown as InPage).runOnCpu.trap(3))).toBe('trap: unreachable');
});
