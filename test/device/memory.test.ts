import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeviceMemory } from '../../src/device/memory.js';

const MIB = 2 ** 20;
const { Memory } = WebAssembly;
afterEach(() => {
  vi.restoreAllMocks();
  WebAssembly.Memory = Memory;
});

describe('DeviceMemory', () => {
  it('grows when it must, and leaves a vector load room at the end', () => {
    const memory = new DeviceMemory(true, 64 * MIB);
    expect(memory.wasm.buffer.byteLength).toBe(65536);
    const range = memory.allocate(memory.largestBuffer)!;
    expect(range.start).toBe(65536);
    expect(memory.wasm.buffer.byteLength).toBe(64 * MIB);
    expect(64 * MIB - (range.start + range.size)).toBe(256);
    expect([memory.free, memory.allocate(1)]).toEqual([0, undefined]);
    memory.release(range);
    expect(memory.free).toBe(memory.largestBuffer);
  });

  it('says that a buffer does not fit when the system refuses to grow, and keeps what it has', () => {
    const memory = new DeviceMemory(true);
    const first = memory.allocate(MIB)!;
    const held = memory.wasm.buffer.byteLength;
    vi.spyOn(memory.wasm, 'grow').mockImplementation(() => {
      throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
    });
    expect(memory.allocate(2 ** 30)).toBeUndefined();
    expect(memory.wasm.buffer.byteLength).toBe(held);
    expect(memory.allocate(MIB)!.start).toBe(first.start + MIB);
  });

  it('asks for less when the system refuses a large step', () => {
    const memory = new DeviceMemory(true);
    const { grow } = memory.wasm;
    vi.spyOn(memory.wasm, 'grow').mockImplementation((pages) => {
      if (pages > 16) throw new RangeError('no');
      return grow.call(memory.wasm, pages);
    });
    expect(memory.allocate(MIB - 256)?.size).toBe(MIB - 256);
    expect(memory.wasm.buffer.byteLength).toBe(17 * 65536);
  });

  it('takes a smaller memory where the environment refuses a large one, and says when it grants none', () => {
    let limit = 20_000;
    class Limited extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        if (descriptor.maximum! > limit) throw new RangeError('could not allocate memory');
        super(descriptor);
      }
    }
    WebAssembly.Memory = Limited;
    expect(new DeviceMemory(false).maximumPages).toBe(16_384);
    limit = 0;
    expect(() => new DeviceMemory(false)).toThrow(
      'no memory for the CPU device: could not allocate memory. A limit of address space (ulimit -v) must be lifted',
    );
  });
});
