import { FileError } from '../common/errors.js';

/** Returns the text of `shaders/<name>.wgsl`. */
export type ShaderSource = (name: string) => string | undefined | Promise<string | undefined>;

/** The file itself: the text that a reader opens is the text that runs. The folder is next to both src/ and dist/. */
const fromFolder: ShaderSource = async (name) => {
  // A bundler would copy every file that matches the pattern into the page, which has its own look-up.
  const file = new URL(/* @vite-ignore */ `../../shaders/${name}.wgsl`, import.meta.url);
  if (file.protocol === 'file:') {
    // Not an import, since a bundler for pages would refuse it.
    const { readFile } = process.getBuiltinModule('node:fs/promises');
    return readFile(file, 'utf8').catch(() => undefined);
  }
  const answer = await fetch(file);
  return answer.ok ? answer.text() : undefined;
};

let source: ShaderSource = fromFolder;
const texts = new Map<string, ReturnType<ShaderSource>>();
const added = new Map<string, string>();

/**
 * Replace the look-up: a bundled page passes the texts that its bundler inlined. Without an argument, files are read
 * again.
 */
export function setShaderSource(replacement: ShaderSource = fromFolder): void {
  source = replacement;
  texts.clear();
}

/** Add a kernel of your own: `name` is its name in a `Dispatch`, `text` its WGSL. */
export function addShader(name: string, text: string): void {
  added.set(name, text);
}

/**
 * The text of one kernel: an added one, else its file, read once.
 *
 * @throws FileError when there is no such kernel
 */
export async function shaderText(name: string): Promise<string> {
  const text = added.get(name) ?? texts.get(name) ?? source(name);
  texts.set(name, text);
  return checkFound(name, await text);
}

function checkFound(name: string, text: string | undefined): string {
  if (text !== undefined) return text;
  throw new FileError(
    `shaders/${name}.wgsl is missing: add a kernel of your own with addShader, those of a bundled page with setShaderSource`,
  );
}
