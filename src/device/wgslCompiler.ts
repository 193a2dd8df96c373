import { compileKernel, parseModule } from '../wgsl/index.js';
import type { Compiler } from './compiler.js';

/** The compiler of src/wgsl behind the device's interface. */
export const wgslCompiler: Compiler = {
  read(code, features) {
    const extensions = features.has('subgroups') ? ['subgroups'] : [];
    // Checked as far as possible without values for overrides; the text is parsed again with them.
    const module = parseModule(code, { optionalOverrides: true, extensions });
    return {
      entryPoints: module.entryPoints.map(({ function: { name }, overrides }) => ({ name, overrides })),
      overrides: module.overrides,
      warnings: module.warnings,
      compile(entryPoint, constants, options) {
        const known = module.overrides.length === 0 ? module : parseModule(code, { overrides: constants, entryPoint });
        return compileKernel(known, entryPoint, options);
      },
    };
  },
};
