import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Calls that change something on the disk, or make sure that it is there. */
const WRITES = [
  'openSync',
  'writeSync',
  'appendFileSync',
  'writeFileSync',
  'fsyncSync',
  'closeSync',
  'renameSync',
  'unlinkSync',
  'mkdirSync',
  'truncateSync',
] as const;
type Write = (typeof WRITES)[number];
type Call = (...args: unknown[]) => unknown;

/**
 * While `body` runs, the n-th call that writes fails with `code`; 0 fails none. Reading is left alone.
 *
 * @returns what `body` gives, the number of writing calls it made, and which of them failed
 */
export async function withFailingWrite<T>(n: number, code: string, body: () => Promise<T>) {
  const calls: Write[] = [];
  const originals = new Map<Write, Call>();
  const reading = new Set<unknown>(); // files that were opened to be read
  let within = false; // some of these calls are made of others, in some versions of Node
  for (const name of WRITES) {
    const original = fs[name] as Call;
    originals.set(name, original);
    const whole: Call = (...args) => {
      within = true;
      try {
        return original.apply(fs, args);
      } finally {
        within = false;
      }
    };
    (fs as unknown as Record<string, Call>)[name] = (...args) => {
      if (within) return original.apply(fs, args);
      const reads = name === 'openSync' ? (args[1] ?? 'r') === 'r' : reading.has(args[0]);
      if (name === 'closeSync') reading.delete(args[0]);
      if (!reads) calls.push(name);
      const fails = !reads && calls.length === n;
      // A close that fails has closed all the same.
      if (!fails || name === 'closeSync') {
        const result = whole(...args);
        if (reads && name === 'openSync') reading.add(result);
        if (!fails) return result;
      }
      // A disk that fills up takes the beginning.
      if (name === 'appendFileSync') whole(args[0], String(args[1]).slice(0, 10));
      throw Object.assign(new Error(`${code}: made up for a test, ${name}`), { code, syscall: name });
    };
  }
  syncBuiltinESMExports();
  try {
    const value = await body();
    return { value, calls: calls.length, failed: calls[n - 1] };
  } finally {
    Object.assign(fs, Object.fromEntries(originals));
    syncBuiltinESMExports();
  }
}

/**
 * A device whose dispatches can be watched. `after` is called behind each, and may encode more into the same encoder.
 */
export function watchDispatches(
  gpu: GPUDevice,
  after: (
    bindGroup: GPUBindGroup | undefined,
    encoder: GPUCommandEncoder,
    interrupt: (body: () => void) => void,
  ) => void,
): void {
  const create = gpu.createCommandEncoder.bind(gpu);
  gpu.createCommandEncoder = (descriptor) => {
    const encoder = create(descriptor);
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (passDescriptor) => {
      let pass = begin(passDescriptor);
      let pipeline: GPUComputePipeline | undefined;
      let bindGroup: GPUBindGroup | undefined;
      // Copies are not allowed inside a pass: it ends, and another one continues.
      const interrupt = (body: () => void) => {
        pass.end();
        body();
        pass = begin();
        if (pipeline) pass.setPipeline(pipeline);
      };
      return {
        setPipeline(next: GPUComputePipeline) {
          pipeline = next;
          pass.setPipeline(next);
        },
        setBindGroup(index: number, group: GPUBindGroup) {
          bindGroup = group;
          pass.setBindGroup(index, group);
        },
        dispatchWorkgroups(x: number, y: number, z: number) {
          pass.dispatchWorkgroups(x, y, z);
          after(bindGroup, encoder, interrupt);
        },
        end: () => pass.end(),
      } as unknown as GPUComputePassEncoder;
    };
    return encoder;
  };
}
