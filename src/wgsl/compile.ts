/** From an entry point to a WebAssembly module that runs its workgroups. */

import { addressed, type ScratchLayout } from './address.js';
import { ConstantPool } from './constantPool.js';
import { Emitter, guardsOf } from './emit.js';
import { childrenOf, type Expr, expressionsOf, type Kernel, type Memory, statementsIn } from './ir.js';
import { sizeOf } from './layout.js';
import { lower } from './lower.js';
import { PARAMETERS } from './parameters.js';
import { Regions } from './regions.js';
import { SyncPoints } from './syncPoints.js';
import { splitTails } from './tails.js';
import type { Module, Variable } from './tree.js';
import { Shapes } from './vectorise.js';
import { FunctionBody, WasmModule } from './wasm.js';

/** Options of compilation: the memory, and the clamping of indices. */
export interface CompileOptions {
  /** true if the imported memory is shared between threads */
  readonly sharedMemory: boolean;
  /** clamp every index into its array; without it an index out of bounds accesses other memory */
  readonly robust: boolean;
  /** maximum size of the memory, in 64 KiB; at most that of the memory itself */
  readonly maximumPages: number;
}

/** A binding, in the order of the argument block. */
export interface CompiledBinding {
  readonly group: number;
  readonly binding: number;
  readonly name: string;
  readonly type: 'uniform' | 'storage' | 'read-only-storage';
  /** bytes */
  readonly minSize: number;
}

/**
 * A kernel as WebAssembly. It imports `env.memory` and exports `run(args, scratch, first, count)`, which runs workgroups first to
 * first + count - 1, counted with x fastest.
 *
 * `args` is the address of u32 words: the grid's x, y, z, then address and length in bytes of each binding. `scratch` is the address of
 * `scratchBytes` bytes that no other thread uses, at a multiple of 16.
 */
export interface CompiledKernel {
  readonly bytes: Uint8Array;
  readonly workgroupSize: readonly [number, number, number];
  readonly bindings: readonly CompiledBinding[];
  readonly scratchBytes: number;
  /** bytes of workgroup memory, each variable rounded up to 16 */
  readonly workgroupBytes: number;
  /** the module in WebAssembly's text format, with the lines of WGSL as comments */
  text(): string;
}

/** Lanes of a SIMD register, and so of a subgroup. */
export const GANG = 4;

/** Compile one entry point of a module whose uniformity was checked. */
export function compileKernel(module: Module, entryPoint: string, options: CompileOptions): CompiledKernel {
  const entry = module.entryPoints.find((one) => one.function.name === entryPoint);
  if (entry === undefined) throw new Error(`no entry point ${entryPoint}`);
  if (!module.isUniform) throw new Error('a module that was read with allowNonUniform cannot be compiled');
  const variables = entry.globals.filter((variable) => variable.binding !== undefined);
  const kernel = lower(module, entry, variables, options);
  const wasm = compileBody(kernel, variables.length, options);
  return {
    bytes: wasm.module.bytes(),
    workgroupSize: entry.workgroupSize,
    bindings: variables.map(describeBinding),
    scratchBytes: wasm.scratchBytes,
    workgroupBytes: kernel.workgroupBytes,
    text: () => wasm.module.text(module.text),
  };
}

function describeBinding(variable: Variable): CompiledBinding {
  const { binding, name, space, access, type } = variable;
  return {
    ...binding!,
    name,
    type: space === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage',
    minSize: sizeOf(type),
  };
}

function compileBody(kernel: Kernel, slots: number, options: CompileOptions) {
  const syncPoints = new SyncPoints(kernel);
  splitTails(kernel, syncPoints);
  const shapes = new Shapes(kernel);
  const total = kernel.workgroupSize.reduce((product, size) => product * size);
  const gangs = Math.ceil(total / GANG);
  const inRegions = gangs > 1 && [...statementsIn(kernel.body)].some((stmt) => stmt.kind === 'barrier');
  const privates = privatesOf(kernel);
  const privateBytes = privates.reduce((sum, memory) => sum + memory.words * 16, 0);
  const offsets = new Map<Memory, number>();
  let privateEnd = kernel.workgroupBytes;
  for (const memory of privates) {
    offsets.set(memory, privateEnd);
    privateEnd += memory.words * 16;
  }
  const scratch: ScratchLayout = { privateBytes, privateOf: (memory) => offsets.get(memory)! };
  addressed(kernel.body, shapes, scratch);

  const module = new WasmModule(options.maximumPages, options.sharedMemory);
  const start = (body: FunctionBody, gang: number, masked?: number) => {
    const emitter = new Emitter(body, kernel, shapes, { masked, scratch });
    emitter.values.loadAddresses(slots);
    emitter.prologue(gang);
    return emitter;
  };
  if (!inRegions && total % GANG === 0 && guardsOf(kernel, shapes).length > 0) {
    const body = new FunctionBody('masked', [...PARAMETERS, 'i32']);
    const emitter = start(body, PARAMETERS.length);
    emitter.startGang(false);
    emitter.statements(kernel.body);
    module.functions.push(body);
  }
  const body = new FunctionBody('workgroup', PARAMETERS);
  const gang = body.local('i32');
  const emitter = start(body, gang, module.functions.length > 0 ? 0 : undefined);
  if (kernel.workgroupBytes > 0) {
    body.get(1);
    body.i32(0);
    body.i32(kernel.workgroupBytes);
    body.emit('memory.fill');
  }
  let scratchBytes = kernel.workgroupBytes + privateBytes * (inRegions ? gangs : 1);
  if (inRegions) {
    const regions = new Regions(kernel, shapes, syncPoints, emitter, body, {
      gang,
      gangs,
      total,
      contextStart: scratchBytes,
    });
    regions.emit();
    scratchBytes += regions.contextBytes;
  } else {
    forEachGang(body, gang, gangs, () => {
      emitter.startGang(false);
      if (total % GANG !== 0) emitter.maskTail();
      emitter.statements(kernel.body);
    });
  }
  module.functions.push(body);
  scratchBytes = Math.ceil(scratchBytes / 16) * 16;
  const constants = new ConstantPool(body, scratchBytes);
  module.functions.push(runFunction(module.functions.length - 1, constants));
  return { module, scratchBytes: scratchBytes + constants.bytes };
}

/** gang = 0 .. gangs - 1 */
export function forEachGang(body: FunctionBody, gang: number, gangs: number, each: () => void): void {
  body.i32(0);
  body.emit('local.set', gang);
  if (gangs === 1) {
    each();
    return;
  }
  const again = body.loop();
  each();
  body.get(gang);
  body.i32(1);
  body.emit('i32.add');
  body.tee(gang);
  body.i32(gangs);
  body.emit('i32.lt_u');
  body.brIf(again);
  body.end();
}

/** `run`: the workgroups from number `first` on. */
function runFunction(workgroup: number, constants: ConstantPool): FunctionBody {
  const body = new FunctionBody('run', ['i32', 'i32', 'i32', 'i32'], [], true);
  const [args, scratch, first, count] = [0, 1, 2, 3];
  const [x, y, z, gridX, gridY] = [0, 0, 0, 0, 0].map(() => body.local('i32')) as [
    number,
    number,
    number,
    number,
    number,
  ];
  constants.store(body, scratch);
  body.get(args);
  body.emit('i32.load', 0);
  body.set(gridX);
  body.get(args);
  body.emit('i32.load', 4);
  body.set(gridY);
  // x = first % gridX, y = first / gridX % gridY, z = first / gridX / gridY
  const quotient = () => {
    body.get(first);
    body.get(gridX);
    body.emit('i32.div_u');
  };
  body.get(first);
  body.get(gridX);
  body.emit('i32.rem_u');
  body.set(x);
  quotient();
  body.get(gridY);
  body.emit('i32.rem_u');
  body.set(y);
  quotient();
  body.get(gridY);
  body.emit('i32.div_u');
  body.set(z);
  const end = body.block();
  const again = body.loop();
  body.get(count);
  body.emit('i32.eqz');
  body.brIf(end);
  for (const parameter of [args, scratch, x, y, z]) body.get(parameter);
  body.emit('call', workgroup);
  const increase = (local: number) => {
    body.get(local);
    body.i32(1);
    body.emit('i32.add');
    body.tee(local);
  };
  const wrap = (local: number, limit: number, next: () => void) => {
    increase(local);
    body.get(limit);
    body.emit('i32.eq');
    body.if();
    body.i32(0);
    body.emit('local.set', local);
    next();
    body.end();
  };
  wrap(x, gridX, () => {
    wrap(y, gridY, () => {
      increase(z);
      body.emit('drop');
    });
  });
  body.get(count);
  body.i32(1);
  body.emit('i32.sub');
  body.emit('local.set', count);
  body.br(again);
  body.end();
  body.end();
  return body;
}

/** Private arrays of a kernel, in the order of their first use. */
function privatesOf(kernel: Kernel): Extract<Memory, { kind: 'private' }>[] {
  const found = new Set<Extract<Memory, { kind: 'private' }>>();
  const look = (expr: Expr): void => {
    if (expr.kind === 'load' && expr.memory.kind === 'private') found.add(expr.memory);
    for (const child of childrenOf(expr)) look(child);
  };
  for (const stmt of statementsIn(kernel.body)) {
    for (const expr of expressionsOf(stmt)) look(expr);
    if ((stmt.kind === 'store' || stmt.kind === 'clear') && stmt.memory.kind === 'private') found.add(stmt.memory);
  }
  return [...found];
}
