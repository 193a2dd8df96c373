import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gpuHint } from '../src/device/adapters.js';
import { BUILT } from './support/built.js';
import { HANGING } from './support/limits.js';
import { LINUX_X64_ONLY, leftOut, runsBundled } from './support/platform.js';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** What the shell of Windows does not understand in a script: npm runs scripts in cmd.exe there. */
function unknownToCmd(script: string): string[] {
  const outside = script.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const words = [
    /'/,
    /\$/,
    /`/,
    /;/,
    /\/dev\/null/,
    /(?:^|&& )[A-Z_]+=/,
    /(?:^|&& )(?:rm|cp|mv|mkdir|cat|export|test) /,
  ];
  return words.filter((word) => word.test(outside)).map(String);
}

test("every script of package.json runs in Windows' shell", () => {
  expect(Object.keys(scripts).length).toBeGreaterThan(10);
  for (const [name, script] of Object.entries(scripts)) expect(unknownToCmd(script), `${name}: ${script}`).toEqual([]);
});

test('what that shell does not understand is found', () => {
  for (const script of ["node -e 'x'", 'A=1 node x', 'a && B_C=2 b', 'rm -rf dist', 'a > /dev/null', 'a $b', 'a; b']) {
    expect(unknownToCmd(script), script).not.toEqual([]);
  }
  expect(unknownToCmd(`node -e "fs.rmSync('dist')" && tsc`)).toEqual([]);
});

test('the hint about a GPU fits the system', () => {
  expect(gpuHint('darwin', '23.6.0')).toMatch(/update macOS 14 to 26; .* needs at least 15$/);
  expect(gpuHint('darwin', '24.1.0')).toMatch(/update macOS 15 to 26; the Metal build of Dawn is made for 26/);
  expect(gpuHint('darwin', '25.0.0')).not.toMatch(/update|driver/);
  expect(gpuHint('win32')).toMatch(/graphics card's driver/);
  expect(gpuHint('freebsd')).toMatch(/Dawn is not built for freebsd$/);
});

/** Opens the best device in a process that takes itself for another system, and prints what it loaded on the way. */
const OPEN = `
  Object.defineProperty(process, 'platform', { value: process.argv[1] });
  const loaded = [];
  const { dlopen } = process;
  process.dlopen = (module, path, ...more) => { loaded.push(path); return dlopen(module, path, ...more); };
  const { openDevice } = await import(${JSON.stringify(join(BUILT, 'device/adapters.js'))});
  const lines = [];
  const device = await openDevice({ threads: 1, ...JSON.parse(process.argv[2]), onFallback: (line) => lines.push(line) });
  console.log(JSON.stringify({ driver: device.driver, lines, loaded }));
  device.close();`;

describe.each(['darwin', 'win32'])('on %s', (platform) => {
  const open = (options: object) => {
    const env = { ...process.env, BYTE_TO_LOSS_DEVICE: '' };
    const argv = ['--input-type=module', '-e', OPEN, platform, JSON.stringify(options)];
    return JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8', env, timeout: HANGING }));
  };

  test('where Dawn does not load the CPU device is taken, and the line says what this system needs', () => {
    // The file for this platform is asked for, and no Vulkan loader; on this machine it does not load.
    const { driver, lines, loaded } = open({});
    expect(loaded).toEqual([expect.stringMatching(new RegExp(`/${platform}-\\w+/dawn\\.node$`))]);
    expect(driver).toBe('wasm');
    expect(lines).toEqual([expect.stringMatching(platform === 'darwin' ? /macOS/ : /Direct3D 12/)]);
  });

  test('the CPU device loads nothing native', () => {
    expect(open({ device: 'cpu' })).toEqual({ driver: 'wasm', lines: [], loaded: [] });
  });

  test('npm test leaves out what needs Linux x64, and nothing else', () => {
    expect(leftOut(platform, 'x64')).toEqual(LINUX_X64_ONLY);
    expect(runsBundled(platform, 'x64')).toBe(false);
  });
});

test('every test that needs the bundled driver, Dawn or the browser is left out or asks first', () => {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'test/*.test.ts'], { encoding: 'utf8' });
  const needing = files
    .trim()
    .split('\n')
    .filter((file) => {
      const text = readFileSync(file, 'utf8');
      const needs =
        /support\/browser\.js|checkWgsl|checkFile|openDevice\(\{ device: 'bundled'|'--device', 'bundled'|from 'webgpu'|runOnDevice/;
      return file !== 'test/platforms.test.ts' && needs.test(text) && !/runsBundled\(\)/.test(text);
    });
  expect(needing.sort()).toEqual(LINUX_X64_ONLY);
  expect(leftOut('linux', 'x64')).toEqual([]);
});
