/**
 * A few kernels in WGSL, each with a WebAssembly module written by hand: the CPU device is tested with them
 * without the compiler, and Dawn runs the same text.
 */
import type { CompiledKernel, Compiler, KernelBinding } from '../../src/device/compiler.js';
import { FunctionBody, WasmModule } from '../../src/wgsl/wasm.js';

interface HandMade {
  readonly wgsl: string;
  readonly workgroupSize: readonly [number, number, number];
  readonly bindings: readonly KernelBinding[];
  /** Emit what one invocation does; `at` is a local with 4 × its global index. */
  readonly body: (body: FunctionBody, at: number) => void;
  readonly scratchBytes?: number;
}

const storage = (binding: number, name: string, minSize = 4): KernelBinding => ({
  group: 0,
  binding,
  name,
  type: 'storage',
  minSize,
});

/** Push the address of the argument block's `word` + the local `at`. */
function address(body: FunctionBody, word: number, at: number): void {
  body.get(0);
  body.emit('i32.load', word * 4);
  body.get(at);
  body.emit('i32.add');
}

const HAND_MADE = {
  addOne: {
    wgsl: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&x)) { x[id.x] += 1.0; }
}`,
    workgroupSize: [64, 1, 1],
    bindings: [storage(0, 'x')],
    body(body, at) {
      body.get(at);
      body.get(0);
      body.emit('i32.load', 16); // bytes of x
      body.emit('i32.lt_u');
      body.if();
      address(body, 3, at);
      address(body, 3, at);
      body.emit('f32.load', 0);
      body.f32(1);
      body.emit('f32.add');
      body.emit('f32.store', 0);
      body.end();
    },
  },
  scale: {
    wgsl: `struct Params { factor: f32, }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] * params.factor; }
}`,
    workgroupSize: [64, 1, 1],
    bindings: [
      { ...storage(0, 'params'), type: 'uniform' },
      { ...storage(1, 'x'), type: 'read-only-storage' },
      storage(2, 'y'),
    ],
    body(body, at) {
      body.get(at);
      body.get(0);
      body.emit('i32.load', 32); // bytes of y
      body.emit('i32.lt_u');
      body.if();
      address(body, 7, at);
      address(body, 5, at);
      body.emit('f32.load', 0);
      body.get(0);
      body.emit('i32.load', 12);
      body.emit('f32.load', 0);
      body.emit('f32.mul');
      body.emit('f32.store', 0);
      body.end();
    },
  },
  /**
   * y[i] = the workgroup's number in the grid, left in scratch memory for a while, where another thread must not write
   */
  workgroup: {
    wgsl: `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let i = (id.z * grid.y + id.y) * grid.x + id.x;
  y[i] = i + 1;
}`,
    workgroupSize: [1, 1, 1],
    bindings: [storage(0, 'y')],
    scratchBytes: 16,
    body(body, at) {
      body.get(1);
      body.get(at);
      body.i32(4);
      body.emit('i32.div_u');
      body.i32(1);
      body.emit('i32.add');
      body.emit('i32.store', 0);
      const count = body.local('i32');
      body.i32(200);
      body.set(count);
      const loop = body.loop();
      body.get(count);
      body.i32(1);
      body.emit('i32.sub');
      body.tee(count);
      body.brIf(loop);
      body.end();
      address(body, 3, at);
      body.get(1);
      body.emit('i32.load', 0);
      body.emit('i32.store', 0);
    },
  },
  trap: {
    wgsl: '/* a kernel that traps */',
    workgroupSize: [1, 1, 1],
    bindings: [],
    body: (body) => body.emit('unreachable'),
  },
  forever: {
    wgsl: '/* a kernel that never ends */',
    workgroupSize: [1, 1, 1],
    bindings: [],
    body(body) {
      const loop = body.loop();
      body.br(loop);
      body.end();
    },
  },
} satisfies Record<string, HandMade>;

/** Names of the hand-made kernels. */
export type HandMadeName = keyof typeof HAND_MADE;

/** The WGSL of a kernel, which `handCompiler` knows. */
export const wgslOf = (name: HandMadeName): string => HAND_MADE[name].wgsl;

/** A compiler that knows the kernels of this file, and finds an error in every other text. */
export const handCompiler: Compiler = {
  read(code) {
    const made: HandMade | undefined = Object.values(HAND_MADE).find(({ wgsl }) => wgsl === code);
    if (made === undefined) {
      throw Object.assign(new Error('2:3: not one of the kernels'), {
        rule: 'not one of the kernels',
        at: { line: 2, column: 3 },
      });
    }
    return {
      entryPoints: [{ name: 'main', overrides: [] }],
      overrides: [],
      warnings: [],
      compile: (_entryPoint, _constants, { maximumPages, sharedMemory }) => build(made, maximumPages, sharedMemory),
    };
  },
};

function build(
  { workgroupSize, bindings, body: emit, scratchBytes = 0 }: HandMade,
  maximumPages: number,
  sharedMemory: boolean,
): CompiledKernel {
  const module = new WasmModule(maximumPages, sharedMemory);
  const run = new FunctionBody('run', ['i32', 'i32', 'i32', 'i32'], [], true);
  const invocations = workgroupSize[0] * 4;
  const [at, end] = [run.local('i32'), run.local('i32')];
  for (const [local, ...sum] of [
    [at, 2],
    [end, 2, 3],
  ] as const) {
    run.get(sum[0]);
    if (sum[1] !== undefined) {
      run.get(sum[1]);
      run.emit('i32.add');
    }
    run.i32(invocations);
    run.emit('i32.mul');
    run.set(local);
  }
  const loop = run.loop();
  emit(run, at);
  run.get(at);
  run.i32(4);
  run.emit('i32.add');
  run.tee(at);
  run.get(end);
  run.emit('i32.lt_u');
  run.brIf(loop);
  run.end();
  module.functions.push(run);
  return { bytes: module.bytes(), workgroupSize, bindings, scratchBytes, workgroupBytes: 0, text: () => module.text() };
}
