import type { CompiledBinding, CompiledKernel, CompileOptions } from '../wgsl/index.js';

export type { CompiledKernel, CompileOptions };
/** One binding of a compiled kernel: its `@group`, its `@binding`, its type and its size. */
export type KernelBinding = CompiledBinding;
/** `uniform`, `storage` or `read-only-storage`, as bind group layouts call them. */
export type BufferBindingType = CompiledBinding['type'];

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
