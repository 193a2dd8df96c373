/** What the device needs of a compiler from WGSL to WebAssembly. */
export interface Compiler {
  /** @throws CompileError, or any error with a `rule` and a place `at` */
  read(code: string): ReadModule;
}

/** WGSL that can be read. */
export interface ReadModule {
  readonly entryPoints: readonly string[];
  readonly overrides: readonly {
    readonly name: string;
    readonly id: number | undefined;
    readonly required: boolean;
  }[];
  /** @param constants values of overrides, by name or by id   @throws as `Compiler.read` */
  compile(entryPoint: string, constants: Readonly<Record<string, number>>, options: CompileOptions): CompiledKernel;
}

export interface CompileOptions {
  readonly sharedMemory: boolean;
  /** bounds-check every access */
  readonly robust: boolean;
  /** of the memory that is imported */
  readonly maximumPages: number;
}

export type BufferBindingType = 'uniform' | 'storage' | 'read-only-storage';

export interface KernelBinding {
  readonly group: number;
  readonly binding: number;
  readonly name: string;
  readonly type: BufferBindingType;
  /** bytes that a bound range must have at least */
  readonly minSize: number;
}

export interface CompiledKernel {
  /**
   * A WebAssembly module that imports `env.memory` and exports `run(args, scratch, first, count)`: it runs the workgroups first
   * … first + count - 1, counted x fastest. At `args` lie u32 words: the grid x, y, z, then address and length in bytes of each
   * of `bindings`.
   */
  readonly bytes: Uint8Array;
  readonly workgroupSize: readonly [number, number, number];
  readonly bindings: readonly KernelBinding[];
  /** bytes of memory that each thread gives to `run` */
  readonly scratchBytes: number;
  text(): string;
}

/** A place in WGSL, both counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Rule and place of an error in WGSL, where `error` is one. */
export function compileErrorOf(error: unknown): { readonly rule: string; readonly at: Place } | undefined {
  const { rule, at } = error as { readonly rule?: unknown; readonly at?: Place };
  return typeof rule === 'string' && typeof at?.line === 'number' ? { rule, at } : undefined;
}
