import { readdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { kernelText, subgroupExtensions } from '../../src/engine/kernel.js';
import { kernelsFor } from '../../src/engine/kernelTable.js';
import { Program } from '../../src/engine/program.js';
import { shaderText } from '../../src/engine/shaderSource.js';

/** A text that the engine gives to the driver: a shader file with its extensions and constants before it. */
export interface ShaderVariant {
  readonly name: string;
  readonly code: string;
}

/** Dawn without a driver: Tint checks WGSL, nothing runs. Kept for the life of the process, as Dawn needs. */
let compiler: GPU;
let device: Promise<GPUDevice> | undefined;

async function openCompiler(): Promise<GPUDevice> {
  // Here, since Dawn does not load on every system.
  const { create } = await import('webgpu');
  compiler = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const adapter = await compiler.requestAdapter();
  if (!adapter) throw new Error('the null backend of Dawn gives no adapter');
  const wanted = ['subgroups', 'subgroup-size-control', 'shader-f16', 'chromium-experimental-subgroup-matrix'];
  return adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[],
  });
}

/**
 * Tint's errors, each as `name:line:column message` with the line under it; empty when it compiles.
 *
 * @param prelude whole lines put before the code; line numbers count from the code
 */
export async function checkWgsl(name: string, code: string, prelude = ''): Promise<string[]> {
  device ??= openCompiler();
  const gpu = await device;
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label: name, code: prelude + code });
  const [{ messages }] = await Promise.all([module.getCompilationInfo(), gpu.popErrorScope()]);
  const lines = code.split('\n');
  const above = prelude.split('\n').length - 1;
  return messages
    .filter((message) => message.type === 'error')
    .map(({ lineNum, linePos, message }) => {
      const pointer = `${' '.repeat(Math.max(0, linePos - 1))}^`;
      return `${name}:${lineNum - above}:${linePos} ${message}\n    ${lines[lineNum - above - 1] ?? ''}\n    ${pointer}`;
    });
}

/** Put before a file on its own: every extension, and a stand-in for each constant that its kernel would be given. */
const EXTENSIONS = ['subgroups', 'subgroup_size_control', 'f16', 'chromium_experimental_subgroup_matrix'];
const STAND_IN = 8;

/**
 * Check a file of shaders/ by itself, so that one which no op uses yet is checked too. Constants in capitals that the file does not
 * declare are its kernel's (tile sizes, flags): Tint names them one by one, and each gets a stand-in.
 */
export async function checkFile(name: string, code: string): Promise<string[]> {
  let prelude = EXTENSIONS.map((extension) => `enable ${extension};\n`).join('');
  for (;;) {
    const errors = await checkWgsl(name, code, prelude);
    const missing = errors.map((error) => /unresolved (?:value|identifier) '([A-Z][A-Z0-9_]*)'/.exec(error)?.[1]);
    const added = [...new Set(missing)].filter((constant) => constant !== undefined);
    if (added.length === 0) return errors;
    prelude += added.map((constant) => `const ${constant}: u32 = ${STAND_IN}u;\n`).join('');
  }
}

/** Every `.wgsl` file by itself, then every text the engine's ops would run. Returns what was checked and all errors. */
export async function checkShaders(folder: URL): Promise<{ checked: number; errors: string[] }> {
  const all = (await readdir(folder, { recursive: true })).map((file) => file.replaceAll('\\', '/')).sort();
  const files = all.filter((file) => file.endsWith('.wgsl'));
  const errors: string[] = [];
  for (const file of files) {
    errors.push(...(await checkFile(file, await readFile(new URL(file, folder), 'utf8'))));
  }
  const variants = await shaderVariants();
  // Where the adapter would choose the size of its subgroups, their kernels ask for it.
  const sized = { constants: { SUBGROUP: 32 }, extensions: subgroupExtensions({ subgroupSizeControl: true }) };
  for (const file of files.filter((name) => name.endsWith('.subgroup.wgsl'))) {
    const text = await readFile(new URL(file, folder), 'utf8');
    variants.push({ name: `${file} of a chosen size`, code: kernelText(text, sized) });
  }
  for (const { name, code } of variants) errors.push(...(await checkWgsl(name, code)));
  return { checked: files.length + variants.length, errors };
}

/**
 * Texts with the constants that the engine gives them, where no device of the tests would compile them: matrix products in
 * mixed precision, as a GPU with matrix units gets them.
 */
async function shaderVariants(): Promise<ShaderVariant[]> {
  const texts = new Map<string, string>();
  const program = new Program();
  for (const card of [8, 16].flatMap((side) => [false, true].map((control) => cardWithMatrices(side, control)))) {
    const flags = [{ gradient: true }, { transposeB: true }, { transposeA: true, add: true, gradient: true }];
    for (const form of flags) {
      for (const size of [64, 4096]) {
        const tensors = { a: program.input('a', []), b: program.input('b', []), y: program.input('y', []) };
        for (const dispatch of kernelsFor('matmul', card, tensors, { M: size, N: size, K: 4096 }, form)) {
          const text = kernelText(await shaderText(dispatch.shader), dispatch);
          texts.set(text, `${dispatch.shader} ${dispatch.extensions ?? ''} ${JSON.stringify(dispatch.constants)}`);
        }
      }
    }
  }
  return [...texts].map(([code, name]) => ({ name, code }));
}

/** A GPU that multiplies matrices of f16, asked for mixed precision. @param subgroupSizeControl as on RDNA, which has two sizes */
export function cardWithMatrices(side = 16, subgroupSizeControl = false) {
  const matrix = { componentType: 'f16', resultComponentType: 'f32', M: side, N: side, K: side };
  const limits = { maxStorageBufferBindingSize: 2 ** 30 };
  return {
    kind: 'gpu',
    driver: 'nvidia',
    subgroupSize: 32,
    subgroupSizeControl,
    f16: true,
    limits,
    precision: 'mixed',
    subgroupMatrix: [matrix],
  } as const;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { checked, errors } = await checkShaders(new URL('../../shaders/', import.meta.url));
  for (const error of errors) console.error(error);
  console.log(`shaders: ${checked} checked, ${errors.length} errors`);
  process.exitCode = errors.length > 0 ? 1 : 0;
}
