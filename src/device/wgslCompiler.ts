import { compileKernel, parseModule } from '../wgsl/index.js';
import type { CompiledKernel, Compiler, ReadModule } from './compiler.js';

/** The compiler of src/wgsl behind the device's interface. */
export const wgslCompiler: Compiler = {
  read(code, features) {
    const extensions = features.has('subgroups') ? ['subgroups'] : [];
    return modules.get(`${extensions} ${code}`, () => read(code, extensions));
  },
};

function read(code: string, extensions: readonly string[]): ReadModule {
  // Checked as far as possible without values for overrides; the text is parsed again with them.
  const module = parseModule(code, { optionalOverrides: true, extensions });
  return {
    entryPoints: module.entryPoints.map(({ function: { name }, overrides }) => ({ name, overrides })),
    overrides: module.overrides,
    warnings: module.warnings,
    compile(entryPoint, constants, options) {
      const values = Object.entries(constants).map(([name, value]) => [name, Object.is(value, -0) ? '-0' : value]);
      return kernels.get(JSON.stringify([entryPoint, values, options, code]), () => {
        const known = module.overrides.length === 0 ? module : parseModule(code, { overrides: constants, entryPoint });
        return compileKernel(known, entryPoint, options);
      });
    },
  };
}

/** The last results of a function, by what they were made from. */
class Recent<T> {
  readonly #known = new Map<string, T>();

  constructor(private readonly most: number) {}

  get(key: string, make: () => T): T {
    const value = this.#known.get(key) ?? make();
    this.#known.delete(key);
    this.#known.set(key, value); // behind all others
    if (this.#known.size > this.most) this.#known.delete(this.#known.keys().next().value!);
    return value;
  }
}

// For all devices of a process: one that is opened after a loss, or next to another, runs the same kernels. A decoder has 60.
const modules = new Recent<ReadModule>(128);
const kernels = new Recent<CompiledKernel>(256);
