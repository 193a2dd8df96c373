import { compileKernel, type Module } from '../../src/wgsl/index.js';

/** Numbers of a binding, by its name in the text. They are changed in place. */
export type Bindings = Readonly<Record<string, Uint32Array | Float32Array | Int32Array>>;

/** Compile an entry point and run it on one thread over a memory of its own. */
export function runCompiled(
  module: Module,
  bindings: Bindings,
  workgroups: readonly [number, number, number],
  { robust = true, entryPoint = module.entryPoints[0]!.function.name } = {},
): void {
  const kernel = compileKernel(module, entryPoint, { sharedMemory: false, robust, maximumPages: 65536 });
  let end = 65536; // the first page is the argument block's
  const places = kernel.bindings.map(({ name }) => {
    const data = bindings[name];
    if (data === undefined) throw new Error(`no numbers for ${name}`);
    const address = end;
    end += Math.ceil(data.byteLength / 256) * 256;
    return { address, data };
  });
  const scratch = end;
  const bytes = scratch + kernel.scratchBytes + 256;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536), maximum: 65536 });
  const words = new Uint32Array(memory.buffer);
  words.set(workgroups, 0);
  places.forEach(({ address, data }, i) => {
    words[3 + 2 * i] = address;
    words[4 + 2 * i] = data.byteLength;
    new Uint8Array(memory.buffer, address, data.byteLength).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(kernel.bytes as Uint8Array<ArrayBuffer>), {
    env: { memory },
  });
  const run = instance.exports.run as (args: number, scratch: number, first: number, count: number) => void;
  run(0, scratch, 0, workgroups[0] * workgroups[1] * workgroups[2]);
  for (const { address, data } of places) {
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(
      new Uint8Array(memory.buffer, address, data.byteLength),
    );
  }
}
