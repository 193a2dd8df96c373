import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { embed } from '../src/substrate/embed.js';
import { TINY_RUN } from './reliability/runs.js';
import { newPage, openBrowser, screenshotPath } from './support/browser.js';
import { shaderNames } from './support/shaders.js';
import { readTar } from './support/swiftShader.js';

/*
 * The packed library in a new project: unpacked with its dependencies and nothing else.
 */

/** The newcomer's project. */
const project = mkdtempSync(join(tmpdir(), 'byte-to-loss-newcomer-'));
const at = (path: string) => join(project, path);
const installed = at('node_modules/byte-to-loss');
const { dependencies, scripts, allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  dependencies: Record<string, string>;
  scripts: Record<string, string>;
  allowScripts: Record<string, boolean>;
};

let tarball: Buffer;
let files: { name: string; bytes: Buffer }[];

beforeAll(() => {
  execFileSync('npm', ['pack', '--pack-destination', project], { stdio: 'pipe' });
  tarball = readFileSync(at(readdirSync(project).find((name) => name.endsWith('.tgz'))!));
  files = [...readTar(gunzipSync(tarball))].map(({ name, bytes }) => ({ name: name.replace(/^package\//, ''), bytes }));
  for (const { name, bytes } of files) {
    mkdirSync(dirname(join(installed, name)), { recursive: true });
    writeFileSync(join(installed, name), bytes);
  }
  for (const name of Object.keys(dependencies)) link(name);
  writeFileSync(at('package.json'), '{ "type": "module" }');
  for (const example of readdirSync('examples')) cpSync(join('examples', example), at(example));
});
afterAll(() => rmSync(project, { recursive: true }));

/** As `npm install` would, from what is here. */
function link(name: string): void {
  mkdirSync(dirname(at(`node_modules/${name}`)), { recursive: true });
  symlinkSync(resolve('node_modules', name), at(`node_modules/${name}`));
}

test('is small, and has every shader and nothing that only tests or maps need', () => {
  const model = files.find(({ name }) => name === 'models/moby-dick.safetensors')!.bytes.length;
  // The explorer's page, which `inspect` writes: 980 kB, 300 kB packed.
  const page = files.find(({ name }) => name === 'dist/explorer.html')!.bytes;
  expect(page.length).toBeLessThan(1.05e6);
  expect(tarball.length).toBeLessThan(720e3 + model + gzipSync(page).length);
  expect(files.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(2.4e6 + model + page.length);
  const names = files.map(({ name }) => name);
  expect(shaderNames.filter((shader) => !names.includes(`shaders/${shader}.wgsl`))).toEqual([]);
  expect(
    names.filter(
      (name) =>
        !/^(dist\/(?!web\/).*\.(js|d\.ts)|dist\/explorer\.html|shaders\/.*|models\/(?:moby-dick\.\w+|README\.md)|[^/]+)$/.test(
          name,
        ),
    ),
  ).toEqual([]);
});

test('is checked in a copy elsewhere, so that a tarball in the checkout stays', () => {
  // `attw --pack` writes the same name as `npm pack`, and deletes it.
  expect(scripts.package).not.toContain('attw --pack');
  expect(scripts.package).toContain('npm pack --ignore-scripts --pack-destination .cache');
});

test('no dependency runs a script when it is installed, and npm is told so', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const withScript = Object.keys(packages).filter((path) => packages[path]!.hasInstallScript);
  const denied = Object.keys(allowScripts).filter((name) => allowScripts[name] === false);
  expect(denied.map((name) => `node_modules/${name}`)).toEqual(withScript);
});

test('is packed as the README says: after an install, since packing compiles', () => {
  expect(readFileSync('README.md', 'utf8')).toMatch(/^npm pack .* after npm ci$/m);
});

test('its names are imported by a program, and its shaders by path', () => {
  const program = `
    import { Decoder, openDevice, Trainer, ZeroInput } from 'byte-to-loss';
    import * as substrate from 'byte-to-loss/substrate';
    import * as engine from 'byte-to-loss/engine';
    import * as model from 'byte-to-loss/model';
    import * as train from 'byte-to-loss/train';
    const found = [substrate.zeroInput, engine.openDevice, model.Decoder, train.Trainer];
    console.log(found.every((name) => typeof name === 'function') && Decoder === model.Decoder && openDevice === engine.openDevice
      && Trainer === train.Trainer && ZeroInput === model.ZeroInput, import.meta.resolve('byte-to-loss/shaders/adamW.wgsl'));`;
  writeFileSync(at('names.mjs'), program);
  const printed = execFileSync(process.execPath, ['names.mjs'], { cwd: project, encoding: 'utf8' });
  expect(printed).toBe(`true ${pathToFileURL(realpathSync(join(installed, 'shaders/adamW.wgsl'))).href}\n`);
});

test("the door of the substrate's README runs by copy and paste, and prints what is said there", () => {
  const [, code, printed] = /<!-- door -->\n+```js\n([\s\S]*?)```\n+```\n([\s\S]*?)```/.exec(
    readFileSync('src/substrate/README.md', 'utf8'),
  )!;
  writeFileSync(at('pasted.mjs'), code!);
  expect(execFileSync(process.execPath, ['pasted.mjs'], { cwd: project, encoding: 'utf8' })).toBe(printed);
});

describe('its types', () => {
  /** What TypeScript finds wrong in some files of the project, and in the types of the package that they lead to. */
  const check = (compilerOptions: object, names: string[]): string[] => {
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
    const json = { ...strict, target: 'es2023', noEmit: true, verbatimModuleSyntax: true, ...compilerOptions };
    writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions: json, files: names }));
    const words = [resolve('node_modules/typescript7/bin/tsc'), '--listFiles', '--pretty', 'false'];
    const { stdout, error } = spawnSync(process.execPath, words, { cwd: project, encoding: 'utf8' });
    if (error !== undefined) throw error;
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.startsWith(realpathSync(installed))).length).toBeGreaterThan(1);
    // Errors in TypeScript's own types and in those of our dependencies, which are linked to files outside, are not ours.
    return lines.filter((line) => /\berror TS\d/.test(line) && !/^(\.\.)?\//.test(line));
  };
  const examples = readdirSync('examples').filter((name) => name.endsWith('.ts'));
  const node = { types: ['node'], typeRoots: [resolve('node_modules/@types')], lib: ['es2023', 'dom'] };
  for (const [module, moduleResolution, skipLibCheck] of [
    ['nodenext', 'nodenext', false],
    ['esnext', 'bundler', true], // the types themselves are checked once
  ] as const) {
    test(`satisfy every example under ${moduleResolution}`, () => {
      expect(check({ ...node, module, moduleResolution, skipLibCheck }, examples)).toEqual([]);
    });
  }
  test('can be read by TypeScript 5.4 on: typed arrays became generic in 5.7', () => {
    const types = files.filter(({ name }) => name.endsWith('.d.ts'));
    expect(types.length).toBeGreaterThan(50);
    const generic = types.filter(({ bytes }) => /(Float|Uint|Int)\d+Array</.test(`${bytes}`));
    expect(generic.map(({ name }) => name)).toEqual([]);
  });

  test('need neither Node nor a page for the substrate', () => {
    const here = { types: [], lib: ['es2023'], module: 'esnext', moduleResolution: 'bundler' };
    writeFileSync(at('bare.ts'), `export { zeroInput } from 'byte-to-loss/substrate';`);
    expect(check(here, ['bare.ts'])).toEqual([]);
  });
});

describe('in a bundle for a page', () => {
  /** What a bundler for browsers makes of a few names of a part. */
  const bundle = async (names: string, from: string): Promise<Rolldown.OutputChunk> => {
    writeFileSync(at('entry.js'), `export { ${names} } from '${from}';`);
    const rolldownOptions = { input: at('entry.js'), preserveEntrySignatures: 'strict' as const };
    const settings = { root: project, configFile: false as const, logLevel: 'error' as const };
    const { output } = (await build({
      ...settings,
      build: { write: false, rolldownOptions },
    })) as Rolldown.RolldownOutput;
    expect(output).toHaveLength(1);
    return output[0];
  };
  /** Vite puts an empty module in the place of what only Node has. */
  const ofNode = ({ modules }: Rolldown.OutputChunk) =>
    Object.keys(modules).filter((id) => /browser-external|node_modules\/(?!byte-to-loss)/.test(id));

  test('zeroInput takes a few kilobytes', async () => {
    const chunk = await bundle('zeroInput', 'byte-to-loss/substrate');
    expect(chunk.code.length).toBeLessThan(6e3);
    expect(ofNode(chunk)).toEqual([]);
  });
  test('the engine and the model leave Node behind', async () => {
    const engine = await bundle('openDevice, Program', 'byte-to-loss/engine');
    expect(engine.code.length).toBeLessThan(70e3); // with every op that is a method of Tensor
    expect(ofNode(engine)).toEqual([]);
    const model = await bundle('Decoder, Evaluator, Generator, initialParameters', 'byte-to-loss/model');
    expect(model.code.length).toBeLessThan(110e3);
    expect(ofNode(model)).toEqual([]);
  });
});

describe('the command line', () => {
  const train = (...words: string[]) => {
    const argv = [join(installed, 'dist/cli.js'), 'train', ...TINY_RUN, '--text', 'my.txt', ...words];
    const env = { ...process.env, VK_DRIVER_FILES: '/nonexistent', BYTE_TO_LOSS_DEVICE: '' };
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: project, env, encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  test('trains with nothing installed but the package: on the CPU device, and says why', () => {
    writeFileSync(at('my.txt'), 'Call me Ishmael. Some years ago, never mind how long precisely.\n'.repeat(60));
    const { status, stdout, stderr } = train('--steps', '2', '--out', 'run');
    expect(stderr).toMatch(/^no GPU: /m);
    expect(status).toBe(0);
    expect(stdout).toMatch(/on CPU device, \d+ threads?\n/);
    expect(stdout).toContain('step 2/2');
    expect(existsSync(at('run/report.html'))).toBe(true);
  });
});

test('inspect writes the explorer, with the decoder of the package, from what was packed', () => {
  const argv = [join(installed, 'dist/cli.js'), 'inspect', '--device', 'cpu', '--text', 'Hi, byte'];
  execFileSync(process.execPath, argv, { cwd: project });
  const page = readFileSync(at('trace.html'), 'utf8');
  const shipped = readFileSync(join(installed, 'dist/explorer.html'), 'utf8');
  const [, opened] = /id="opened">(.*?)<\/script>/s.exec(page)!;
  expect(page.replace(opened!, '')).toBe(shipped);
  const model = readFileSync(join(installed, 'models/moby-dick.safetensors'));
  expect(JSON.parse(opened!)).toMatchObject({ text: 'Hi, byte', before: 4, checkpoint: model.toString('base64') });
});

describe('the example page', () => {
  let server: Server;
  const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };
  beforeAll(async () => {
    server = createServer(({ url }, answer) => {
      const file = at(decodeURIComponent(url!));
      if (!existsSync(file)) return answer.writeHead(404).end();
      answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(readFileSync(file));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  afterAll(() => server.close());

  const open = async (webgpu: boolean) => {
    const browser = await openBrowser(webgpu);
    const page = await newPage(browser);
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html`);
    return { browser, page, errors };
  };

  test('runs the door and a kernel of the packed library', async () => {
    const { browser, page, errors } = await open(true);
    await page.fill('input', 'Hi, byte');
    await page.waitForFunction(() => document.querySelector('#alike')!.textContent!.split(' ').length === 9);
    const rows = embed(new TextEncoder().encode('Hi, byte')).features; // [8, 27], four to a slot
    expect(await page.textContent('#slots')).toBe(
      `2 slots of 4 bytes, ${rows.filter((x) => x !== 0).length} numbers are not zero`,
    );
    const product = (a: number, b: number) => {
      let sum = 0;
      for (let i = 0; i < 108; i++) sum += rows[108 * a + i]! * rows[108 * b + i]!;
      return sum.toFixed(2);
    };
    const products = [product(0, 0), product(0, 1), product(1, 0), product(1, 1)].join(' ');
    expect(await page.textContent('#alike')).toBe(`slot by slot, their products: ${products}`);
    await page.screenshot({ path: screenshotPath('example-page') });
    expect(errors).toEqual([]);
    await browser.close();
  });

  test('runs the door and says what is missing where there is no WebGPU', async () => {
    const { browser, page, errors } = await open(false);
    await page.waitForFunction(() => document.querySelector('#alike')!.textContent !== '');
    expect(await page.textContent('#slots')).toMatch(/^4 slots of 4 bytes/);
    expect(await page.textContent('#alike')).toMatch(/^This browser has (no )?WebGPU/);
    expect(errors).toEqual([]);
    await browser.close();
  });
});
