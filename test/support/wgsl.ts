import {
  type CheckedBinding,
  check,
  type Finding,
  type Module,
  parseModule,
  run,
  type SubgroupSize,
} from '../../src/wgsl/index.js';
import { bundledDevice, testDevice } from './device.js';
import { runsBundled } from './platform.js';
import { runCompiled } from './runCompiled.js';

/** Numbers by the name of the variable that they are bound to. */
export type Memories = Readonly<Record<string, Float32Array | Uint32Array | Int32Array>>;

/** How a test runs a kernel: its grid, subgroup size, seed and limits. */
export interface WgslRun {
  readonly workgroups?: readonly [number, number, number];
  readonly subgroupSize?: SubgroupSize;
  readonly seed?: number;
  readonly iterationLimit?: number;
  /** compiled runs only: clamp indices into their arrays; default true */
  readonly robust?: boolean;
  readonly overrides?: Readonly<Record<string, number>>;
  /** bindings that nobody has written yet; checked runs only */
  readonly unwritten?: readonly string[];
}

const ONE = [1, 1, 1] as const;

function copyOf(memories: Memories): Memories {
  return Object.fromEntries(Object.entries(memories).map(([name, numbers]) => [name, numbers.slice()]));
}

function bind(module: Module, memories: Memories, unwritten: readonly string[] = []): CheckedBinding[] {
  return Object.entries(memories).map(([name, numbers]) => {
    const variable = module.globals.find((global) => global.name === name);
    if (!variable?.binding) throw new Error(`the program has no binding ${name}`);
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const written = new Uint8Array(numbers.length).fill(unwritten.includes(name) ? 0 : 1);
    return { ...variable.binding, bytes, written };
  });
}

/** Run the only entry point of a text in the interpreter. Returns its memories after the run; those given stay as they are. */
export function interpret(text: string, memories: Memories, options: WgslRun = {}): Memories {
  const module = parseModule(text, { overrides: options.overrides ?? {} });
  const after = copyOf(memories);
  const bindings = bind(module, after);
  run(module, module.entryPoints[0]!.function.name, { workgroups: ONE, ...options, bindings });
  return after;
}

/** Run the only entry point of a text compiled to WebAssembly, on one thread. */
export function compiled(text: string, memories: Memories, options: WgslRun = {}): Memories {
  const { workgroups = ONE, robust = true, overrides = {} } = options;
  const after = copyOf(memories);
  runCompiled(parseModule(text, { overrides }), after, workgroups, { robust });
  return after;
}

/** The first places where two runs left different bits: `y[3]: 1.5, not 2`. Any two NaN are the same, as WGSL does not pin their bits. */
export function differences(got: Memories, wanted: Memories): string[] {
  const all = Object.entries(wanted).flatMap(([name, numbers]) => {
    const other = got[name]!;
    const [a, b] = [new Uint32Array(other.buffer), new Uint32Array(numbers.buffer)];
    return [...numbers].flatMap((value, i) => {
      const same = a[i] === b[i] || (Number.isNaN(value) && Number.isNaN(other[i]));
      return same ? [] : [`${name}[${i}]: ${other[i]}, not ${value}`];
    });
  });
  return all.length > 5 ? [...all.slice(0, 4), `and ${all.length - 4} more`] : all;
}

/** Run the only entry point of a text in the checker. */
export function findingsOf(text: string, memories: Memories, options: WgslRun = {}): Finding[] {
  const module = parseModule(text, { allowNonUniform: true });
  const bindings = bind(module, copyOf(memories), options.unwritten);
  return check(module, module.entryPoints[0]!.function.name, { workgroups: ONE, ...options, bindings });
}

const STORAGE = 0x0080 | 0x0008 | 0x0004; // STORAGE | COPY_DST | COPY_SRC
const UNIFORM = 0x0040 | 0x0008;
const READ = 0x0001 | 0x0008;

/** The same run on Dawn with the bundled driver; where that does not run, on the device of the tests. */
export async function runOnDawn(text: string, memories: Memories, options: WgslRun = {}): Promise<Memories> {
  const { gpu } = await (runsBundled() ? bundledDevice() : testDevice());
  return runOnDevice(gpu, text, memories, options);
}

/** The same run on a device. */
export async function runOnDevice(
  gpu: GPUDevice,
  text: string,
  memories: Memories,
  options: WgslRun = {},
): Promise<Memories> {
  const { workgroups = ONE, overrides = {} } = options;
  const declared = new Map(parseModule(text, { overrides }).globals.map((variable) => [variable.name, variable]));
  const buffers = Object.entries(memories).map(([name, numbers]) => {
    const { binding, space } = declared.get(name)!;
    const isUniform = space === 'uniform';
    const buffer = gpu.createBuffer({ size: numbers.byteLength, usage: isUniform ? UNIFORM : STORAGE });
    gpu.queue.writeBuffer(buffer, 0, numbers as Float32Array<ArrayBuffer>);
    return { name, numbers, buffer, binding: binding!.binding, isUniform };
  });
  gpu.pushErrorScope('validation');
  const shader = gpu.createShaderModule({ code: text });
  const { messages } = await shader.getCompilationInfo();
  const errors = messages.filter(({ type }) => type === 'error');
  if (errors.length > 0) throw new Error(errors.map((e) => `${e.lineNum}:${e.linePos} ${e.message}`).join('\n'));
  const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module: shader, constants: overrides } });
  const group = gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map(({ binding, buffer }) => ({ binding, resource: { buffer } })),
  });
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
  const stagings = buffers.map(({ buffer, numbers, isUniform }) => {
    if (isUniform) return undefined;
    const staging = gpu.createBuffer({ size: numbers.byteLength, usage: READ });
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, numbers.byteLength);
    return staging;
  });
  gpu.queue.submit([encoder.finish()]);
  const invalid = await gpu.popErrorScope();
  if (invalid) throw new Error(invalid.message);
  const after = copyOf(memories);
  for (const [i, { name }] of buffers.entries()) {
    const staging = stagings[i];
    if (!staging) continue;
    await staging.mapAsync(1);
    const words = new Uint32Array(staging.getMappedRange());
    new Uint32Array(after[name]!.buffer).set(words);
    staging.destroy();
  }
  for (const { buffer } of buffers) buffer.destroy();
  return after;
}
