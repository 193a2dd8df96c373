import { existsSync, lstatSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { DeviceError } from '../../src/common/errors.js';
import { makeFolders } from '../../src/common/folders.js';
import { addSource, dawn } from '../../src/device/adapters.js';
import { loadLibrary } from '../../src/device/vulkanLoader.js';
import { runsBundled } from './platform.js';

/** The package whose archive holds SwiftShader, Google's software Vulkan, and a Vulkan loader. */
export const BUNDLE = '@sparticuz/chromium';
/** The version of it that tests run on; later ones need a newer Node. */
export const BUNDLE_VERSION = '147.0.0';

const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'] as const;
/** Written last, with the size of each file: a folder without it, or that disagrees with it, is unpacked again. */
const MANIFEST = 'sizes.json';

/**
 * Unpack the bundled SwiftShader where it is not yet, and make sure that a Vulkan loader is in this process.
 *
 * @returns path of the driver's manifest, for VK_DRIVER_FILES
 * @throws DeviceError when the package is absent or this is not Linux on x86-64
 */
export function bundledDriver(): string {
  if (!runsBundled()) {
    throw new DeviceError(`bundled SwiftShader runs on linux-x64 only; this is ${process.platform}-${process.arch}`);
  }
  const folder = unpackBundle(locateArchive(), cacheFolder());
  if (!loadLibrary('libvulkan.so.1')) loadLibrary(join(folder, 'libvulkan.so.1'));
  return join(folder, 'vk_swiftshader_icd.json');
}

/** The package installed with this one, or in the working folder. */
function locateArchive(): string {
  try {
    const entry = createRequire(import.meta.url).resolve(BUNDLE, { paths: [import.meta.dirname, process.cwd()] });
    return join(dirname(entry), '../../bin/swiftshader.tar.br');
  } catch {
    throw new DeviceError(`the optional package ${BUNDLE}@${BUNDLE_VERSION} is not installed`);
  }
}

/**
 * Unpack the archive into `<cache>/swiftshader-<size>`, once for all processes: into a folder of its own first, then renamed.
 *
 * @returns the folder with the three files
 */
export function unpackBundle(archive: string, cache: string): string {
  if (!existsSync(archive)) throw new DeviceError(`${archive} is missing; install ${BUNDLE}@${BUNDLE_VERSION} again`);
  // The archive's size tells one version's folder from another's.
  const folder = join(cache, `swiftshader-${statSync(archive).size}`);
  if (isWhole(folder)) return folder;
  const fresh = mkdtempSync(join(cache, 'unpack-'));
  try {
    const sizes: Record<string, number> = {};
    for (const { name, bytes } of readTar(brotliDecompressSync(readFileSync(archive)))) {
      if (!FILES.includes(name as (typeof FILES)[number])) continue;
      writeFileSync(join(fresh, name), bytes, { mode: 0o755 });
      sizes[name] = bytes.length;
    }
    writeFileSync(join(fresh, MANIFEST), JSON.stringify(sizes));
    if (!isWhole(fresh)) throw new DeviceError(`${archive} does not hold ${FILES.join(', ')}; install ${BUNDLE} again`);
    place(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** Rename `fresh` to `folder`; another process may have been first, or have left half a folder there. */
function place(fresh: string, folder: string): void {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      renameSync(fresh, folder);
      return;
    } catch (error) {
      if (isWhole(folder)) return;
      if (attempt === 2) throw new DeviceError(`cannot write ${folder}: ${(error as Error).message}`);
      // Moved aside before it is deleted, so that no process sees it shrink.
      const aside = `${fresh}-old`;
      try {
        renameSync(folder, aside);
      } catch {
        // Another process moved it first.
      }
      rmSync(aside, { recursive: true, force: true });
    }
  }
}

function isWhole(folder: string): boolean {
  try {
    const sizes = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Record<string, number>;
    return FILES.every((name) => statSync(join(folder, name)).size === sizes[name]);
  } catch {
    return false;
  }
}

/** The user's cache folder, or, where that cannot be written, a folder of theirs under the system's temporary one. */
function cacheFolder(): string {
  const home = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'byte-to-loss');
  try {
    makeFolders(home);
    rmSync(mkdtempSync(join(home, 'probe-')), { recursive: true });
    return home;
  } catch {
    const { uid } = userInfo();
    const shared = join(tmpdir(), `byte-to-loss-${uid}`);
    try {
      makeFolders(shared, 0o700);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new DeviceError(
        `it is unpacked into ${home} or ${shared}, and neither can be written (${code}). ` +
          'Set TMPDIR or XDG_CACHE_HOME to a folder that can be',
      );
    }
    const owner = lstatSync(shared);
    // Anybody can make a folder in /tmp: a library is only loaded from one that is this user's alone.
    const safe = owner.isDirectory() && owner.uid === uid && (owner.mode & 0o022) === 0;
    return safe ? shared : mkdtempSync(join(tmpdir(), 'byte-to-loss-'));
  }
}

/**
 * The regular files of a tar archive. A header is 512 bytes: name at 0, size in octal at 124, type at 156 (`0` is a file);
 * the contents follow, padded to 512.
 */
export function* readTar(tar: Buffer): Generator<{ name: string; bytes: Buffer }> {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const field = (start: number, length: number) => {
      const [text = ''] = tar.toString('latin1', at + start, at + start + length).split('\0');
      return text.trim();
    };
    const size = Number.parseInt(field(124, 12), 8);
    if (!Number.isSafeInteger(size) || size < 0) throw new DeviceError(`a tar header at byte ${at} has no size`);
    if (field(156, 1) === '0')
      yield { name: field(0, 100).replace(/^\.\//, ''), bytes: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

async function findBundled(robust: boolean): Promise<GPUAdapter> {
  const manifest = bundledDriver();
  const before = process.env.VK_DRIVER_FILES;
  // Vulkan reads the variable when the first adapter is asked for; it is put back so that child processes choose for
  // themselves.
  process.env.VK_DRIVER_FILES = manifest;
  try {
    const adapter = await (await dawn(robust, 'bundled')).requestAdapter();
    if (!adapter) throw new DeviceError(`Dawn does not accept ${manifest}`);
    return adapter;
  } finally {
    if (before === undefined) delete process.env.VK_DRIVER_FILES;
    else process.env.VK_DRIVER_FILES = before;
  }
}

/**
 * `openDevice({ device: 'bundled' })` opens SwiftShader from here on: kernels as Dawn compiles them, with no driver
 * installed.
 */
export const BUNDLED = {
  name: 'bundled',
  what: 'SwiftShader of the tests',
  find: findBundled,
  isAutomatic: false,
} as const;
addSource(BUNDLED);
