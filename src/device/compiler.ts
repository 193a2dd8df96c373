import type { CompiledBinding, CompiledKernel, CompileOptions } from '../wgsl/index.js';

export type { CompiledKernel, CompileOptions };
/** One binding of a compiled kernel: its `@group`, its `@binding`, its type and its size. */
export type KernelBinding = CompiledBinding;
/** `uniform`, `storage` or `read-only-storage`, as in bind group layouts. */
export type BufferBindingType = CompiledBinding['type'];

/** The interface of a compiler from WGSL to WebAssembly. */
export interface Compiler {
  /** @param features of the device   @throws CompileError, or any error with a `rule` and a position `at` */
  read(code: string, features: ReadonlySet<string>): ReadModule;
}

/** A constant that a pipeline may set. */
export interface Override {
  readonly name: string;
  readonly id: number | undefined;
  /** true if it has no default value */
  readonly required: boolean;
}

/** A parsed WGSL module. */
export interface ReadModule {
  /** each with the overrides that it uses */
  readonly entryPoints: readonly { readonly name: string; readonly overrides: readonly Override[] }[];
  /** all of the module */
  readonly overrides: readonly Override[];
  /** what is no error */
  readonly warnings: readonly { readonly severity: 'warning' | 'info'; readonly rule: string; readonly at: Place }[];
  /** @param constants values of overrides, by name or by id   @throws as `Compiler.read` */
  compile(entryPoint: string, constants: Readonly<Record<string, number>>, options: CompileOptions): CompiledKernel;
}

/** A position in WGSL, both counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Rule and position of an error in WGSL, if `error` is one. */
export function compileErrorOf(error: unknown): { readonly rule: string; readonly at: Place } | undefined {
  const { rule, at } = error as { readonly rule?: unknown; readonly at?: Place };
  return typeof rule === 'string' && typeof at?.line === 'number' ? { rule, at } : undefined;
}
