import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { HANGING } from './limits.js';
import { BUNDLE, BUNDLE_VERSION, readTar } from './swiftShader.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));

/** Where tests leave pictures of pages, for a person to look at. */
export function screenshotPath(name: string): string {
  const folder = join(CACHE, 'screenshots');
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.png`);
}

/**
 * Open the headless Chromium of `@sparticuz/chromium`, which brings its own libraries, fonts and SwiftShader: nothing of the
 * system is needed. One unpacked copy serves every run.
 *
 * @param webgpu false leaves out the flag that Linux needs for WebGPU
 */
export async function openBrowser(webgpu = true): Promise<Browser> {
  const folder = unpackBrowser();
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    timeout: HANGING,
    args: ['--no-sandbox', ...(webgpu ? ['--enable-unsafe-webgpu'] : [])],
    env: {
      ...(process.env as Record<string, string>),
      LD_LIBRARY_PATH: join(folder, 'lib'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
      // The browser's language is then "en-US@posix", which Intl refuses: pages must work all the same.
      LC_ALL: 'POSIX',
      LANGUAGE: '',
      // The browser uses its own SwiftShader, independent of the driver of the tests in this process.
      VK_DRIVER_FILES: join(folder, 'vk_swiftshader_icd.json'),
    },
  });
}

/** A new page. What it waits for takes seconds on a slow machine, so that it gives up long before its test does. */
export async function newPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(HANGING / 4);
  return page;
}

/**
 * The archives of the package, unpacked into a folder of their own and then renamed, so that no reader sees half of it.
 */
function unpackBrowser(): string {
  const folder = join(CACHE, `chromium-${BUNDLE_VERSION}`);
  if (existsSync(folder)) return folder;
  const archives = join(dirname(createRequire(import.meta.url).resolve(BUNDLE)), '../../bin');
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(join(CACHE, 'unpack-'));
  const read = (name: string) => brotliDecompressSync(readFileSync(join(archives, name)));
  writeFileSync(join(fresh, 'chromium'), read('chromium.br'), { mode: 0o755 });
  for (const archive of ['al2023.tar.br', 'swiftshader.tar.br', 'fonts.tar.br']) {
    for (const { name, bytes } of readTar(read(archive))) {
      mkdirSync(dirname(join(fresh, name)), { recursive: true });
      writeFileSync(join(fresh, name), bytes, { mode: 0o755 });
    }
  }
  // The packaged configuration names the folders of another system.
  const fonts = `<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'font-cache')}</cachedir></fontconfig>`;
  writeFileSync(join(fresh, 'fonts.conf'), fonts);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true });
    if (!existsSync(folder)) throw error; // else another process was first
  }
  return folder;
}
