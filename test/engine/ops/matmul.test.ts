import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../../src/device/device.js';
import {
  type AdapterProfile,
  type Binding,
  type Dispatch,
  kernelText,
  packParams,
  readInterface,
} from '../../../src/engine/kernel.js';
import { kernelsFor } from '../../../src/engine/kernelTable.js';
import { Program } from '../../../src/engine/program.js';
import { shaderText } from '../../../src/engine/shaderSource.js';
import { testDevice } from '../../support/device.js';
import { expectClose } from '../../support/expectClose.js';
import { roundToHalf, withoutMatrixUnits } from '../../support/subgroupMatrix.js';

/** The layouts of a and b in memory; y is always [M, N]: a[M, K] · b[K, N], a[M, K] · b[N, K]ᵀ, a[K, M]ᵀ · b[K, N]. */
const FORMS = ['nn', 'nt', 'tn'] as const;
type Form = (typeof FORMS)[number];
const SIZES = [1, 7, 8, 9, 32, 33, 63, 64, 65, 128, 258];
/** One number follows y, so that a write past its end shows. */
const SENTINEL = 12345;

let device: Device;
let kinds: AdapterProfile[];
beforeAll(async () => {
  device = await testDevice();
  kinds = (['readable', 'cpu', 'gpu'] as const).map((kernels) => ({ ...device, kernels }));
});

const gpu = (): AdapterProfile => ({ ...device, kernels: 'gpu' });

interface Options {
  readonly bias?: boolean;
  readonly add?: boolean;
  readonly gradient?: boolean;
}

/** The dispatches of one product: what the kernel table chooses. */
function choose(adapter: AdapterProfile, form: Form, M: number, N: number, K: number, options: Options = {}) {
  const program = new Program();
  const [a, b, bias, y] = ['a', 'b', 'bias', 'y'].map((label) => program.input(label, []));
  const flags = { transposeA: form === 'tn', transposeB: form === 'nt', add: options.add ?? false };
  const bind = { a: a!, b: b!, y: y!, ...(options.bias && { bias: bias! }) };
  return kernelsFor('matmul', adapter, bind, { M, N, K }, { ...flags, gradient: options.gradient ?? false });
}

interface Matrices {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly bias?: Float32Array;
  readonly y?: Float32Array;
}

const pipelines = new Map<string, Promise<GPUComputePipeline>>();

/** Run the dispatches of one product, plainly: a buffer for each tensor, one submit; returns y. */
async function run(dispatches: readonly Dispatch[], given: Matrices, size: number): Promise<Float32Array> {
  const { gpu } = device;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const upload = (values: Float32Array | ArrayBuffer, extra = 0) => {
    const buffer = gpu.createBuffer({ size: Math.max(16, values.byteLength), usage: usage | extra });
    gpu.queue.writeBuffer(buffer, 0, values as GPUAllowSharedBufferSource);
    return buffer;
  };
  const y = new Float32Array(size + 1).fill(SENTINEL);
  y.set(given.y ?? new Float32Array(size).fill(Number.NaN));
  const buffers: Record<string, GPUBuffer> = { a: upload(given.a), b: upload(given.b), y: upload(y) };
  if (given.bias) buffers.bias = upload(given.bias);
  const bufferOf = (bound: Binding) => {
    const { storage } = bound;
    if ('role' in storage) return buffers[storage.label]!;
    buffers.scratch ??= upload(new Float32Array(storage.length).fill(Number.NaN));
    return buffers.scratch;
  };

  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const dispatch of dispatches) {
    const { shader, workgroups, bind } = dispatch;
    const file = await shaderText(shader);
    const code = withoutMatrixUnits(kernelText(file, dispatch));
    if (!pipelines.has(code)) {
      const module = gpu.createShaderModule({ label: shader, code });
      pipelines.set(code, gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } }));
    }
    const pipeline = await device.settle(pipelines.get(code)!);
    const declared = readInterface(shader, file);
    const entries = declared.bindings.map(({ binding, name, type }) => {
      const uniform = () => upload(packParams(dispatch, declared), GPUBufferUsage.UNIFORM);
      return { binding, resource: { buffer: type === 'uniform' ? uniform() : bufferOf(bind[name]!) } };
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
  const staging = gpu.createBuffer({ size: y.byteLength, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  encoder.copyBufferToBuffer(buffers.y!, 0, staging, 0, y.byteLength);
  gpu.queue.submit([encoder.finish()]);
  await device.settle(staging.mapAsync(GPUMapMode.READ));
  const result = new Float32Array(staging.getMappedRange().slice(0));
  for (const buffer of [staging, ...Object.values(buffers)]) buffer.destroy();
  expect(result[size], 'the number beyond y').toBe(SENTINEL);
  return result.subarray(0, size);
}

/**
 * What float32 arithmetic gives: every product and every sum rounded, k ascending from 0, or part by part as `share`
 * says.
 */
function simulate(form: Form, M: number, N: number, K: number, given: Matrices, share = K): Float32Array {
  const { a, b, bias } = given;
  const y = new Float32Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let begin = 0; begin < K; begin += share) {
        let part = 0;
        for (let k = begin; k < Math.min(begin + share, K); k++) {
          const left = a[form === 'tn' ? k * M + m : m * K + k]!;
          const right = b[form === 'nt' ? n * K + k : k * N + n]!;
          part = Math.fround(part + Math.fround(left * right));
        }
        sum = Math.fround(sum + part);
      }
      if (bias) sum = Math.fround(sum + bias[n]!);
      y[m * N + n] = given.y ? Math.fround(given.y[m * N + n]! + sum) : sum;
    }
  }
  return y;
}

/** Repeatable numbers in [-1, 1). */
function numbers(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function matrices(M: number, N: number, K: number): Matrices & Required<Pick<Matrices, 'bias' | 'y'>> {
  return { a: numbers(M * K, 1), b: numbers(K * N, 2), bias: numbers(N, 3), y: numbers(M * N, 4) };
}

/** A GPU may contract a*b + c into one rounding; a software driver does not, and must agree to the bit. */
function expectSame(what: string, actual: Float32Array, simulated: Float32Array, K: number): void {
  expectClose(what, actual, simulated, device.kind === 'cpu' ? 0 : 2 * K + 4);
}

describe('the kernel table', () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 27 };
  const ours = { kind: 'cpu', driver: 'wasm', subgroupSize: 4, f16: false, limits } as const;
  const lavapipe = { kind: 'cpu', driver: 'lavapipe', subgroupSize: 8, f16: false, limits } as const;
  const bare = { kind: 'cpu', driver: 'swiftshader', subgroupSize: 0, f16: false, limits } as const;
  const card = { kind: 'gpu', driver: 'nvidia', subgroupSize: 32, f16: true, limits } as const;

  test('takes the kernel for the kind of device', () => {
    const shaderOn = (adapter: AdapterProfile) => choose(adapter, 'nt', 64, 64, 64)[0]!.shader;
    expect(shaderOn(ours)).toBe('cpu/matmul.register');
    expect(choose(ours, 'tn', 64, 64, 64)[0]!.shader).toBe('cpu/matmul.packed');
    expect([lavapipe, bare, card].map(shaderOn)).toEqual(Array(3).fill('gpu/matmul.tiled'));
    expect(shaderOn({ ...card, kernels: 'readable' })).toBe('matmul');
    expect(shaderOn({ ...card, kernels: 'cpu' })).toBe('matmul'); // its subgroups have 32 lanes, not 4
    expect(choose(ours, 'nt', 1, 64, 64)[0]!.shader).toBe('matmul'); // one row would idle three of four
  });

  test('gives a grid that covers y and fits the limit of 65535', () => {
    // 50 columns / 8, 260 rows / 128 a workgroup
    expect(choose(ours, 'nn', 260, 50, 3)[0]!.workgroups).toEqual([7, 3, 1]);
    // 64 × 64 a workgroup, or 64 × 32 where that would give threads too few
    expect(choose(ours, 'tn', 128, 384, 3)[0]!.workgroups).toEqual([6, 2, 1]);
    expect(choose(ours, 'tn', 128, 128, 3)[0]!.workgroups).toEqual([4, 2, 1]);
    const tall = choose(ours, 'nn', 8_400_000, 8, 8)[0]!; // 65,625 rows of workgroups would not fit
    expect(tall.shader).toBe('matmul');
    expect(tall.workgroups).toEqual([65535, 17, 1]); // 1,050,000 workgroups of 64 outputs
  });

  test('splits k of a weight gradient only where it fills a GPU and memory for the parts is bound', () => {
    const splits = (form: Form, M: number, N: number, K: number, options: Options = { add: true }) =>
      choose(card, form, M, N, K, options)[0]!.workgroups[2];
    expect(splits('tn', 512, 512, 5120)).toBe(16); // 16 tiles of 128 × 128: 16 parts make 256 workgroups
    expect(splits('tn', 512, 512, 5120, { bias: true })).toBe(1);
    expect(splits('nn', 512, 512, 5120)).toBe(1);
    expect(splits('tn', 2048, 2048, 5120)).toBe(1); // 256 tiles already
    expect(splits('tn', 512, 512, 300)).toBe(1); // a part would be shorter than 256
    const small = { ...card, limits: { maxStorageBufferBindingSize: 4 * 512 * 512 * 5 } }; // room for 5 parts
    expect(choose(small, 'tn', 512, 512, 5120)[0]!.workgroups[2]).toBe(5);
  });

  test('takes the tiles whose waves end first, and one load for four numbers where rows are aligned', () => {
    const constants = (M: number, N: number, K: number) => choose(card, 'nt', M, N, K)[0]!.constants!;
    // 5120 × 512 on 128 multiprocessors: 5 waves of 64 × 64, against 2 of 128 × 128, each of which is four times the
    // work.
    expect(constants(5120, 512, 512)).toMatchObject({ ROWS: 64, COLUMNS: 64, ALIGNED: 1 });
    // 5 waves, or 20 of a quarter
    expect(constants(5120, 2048, 512)).toMatchObject({ ROWS: 128, COLUMNS: 128, ALIGNED: 1 });
    expect(constants(4096, 256, 512)).toMatchObject({ ROWS: 128, COLUMNS: 64 }); // one wave, or two of half
    expect([constants(1, 64, 64), constants(64, 258, 64), constants(64, 64, 27)].map(({ ALIGNED }) => ALIGNED)).toEqual(
      [0, 0, 0],
    );
  });
});

test('a product that fits in the head, in every form and by every kernel', async () => {
  // [1 2]   [5 6]   [1*5 + 2*7, 1*6 + 2*8]   [19 22]
  // [3 4] · [7 8] = [3*5 + 4*7, 3*6 + 4*8] = [43 50]
  const a = { n: [1, 2, 3, 4], t: [1, 3, 2, 4] };
  const b = { n: [5, 6, 7, 8], t: [5, 7, 6, 8] };
  for (const adapter of kinds) {
    for (const form of FORMS) {
      const given = {
        a: Float32Array.from(form === 'tn' ? a.t : a.n),
        b: Float32Array.from(form === 'nt' ? b.t : b.n),
        bias: Float32Array.of(100, 200),
        y: Float32Array.of(1000, 1000, 2000, 2000),
      };
      const plain = await run(choose(adapter, form, 2, 2, 2), given, 4);
      expect([...plain], `${adapter.kernels} ${form}`).toEqual([19, 22, 43, 50]);
      const both = await run(choose(adapter, form, 2, 2, 2, { bias: true, add: true }), given, 4);
      expect([...both], `${adapter.kernels} ${form} with bias, added into y`).toEqual([1119, 1222, 2143, 2250]);
    }
  }
});

describe.each(FORMS)('%s', (form) => {
  test('every kernel gives the bits of ascending float32 sums, around the edge of every tile', async () => {
    for (const size of SIZES) {
      for (const [M, N, K] of [
        [size, 33, 9],
        [7, size, 33],
        [9, 65, size],
        [size, size, 12],
      ] as const) {
        const given = matrices(M, N, K);
        const { a, b } = given;
        const plain = simulate(form, M, N, K, { a, b });
        const full = simulate(form, M, N, K, given);
        for (const adapter of kinds) {
          const what = `${adapter.kernels} ${form} ${M}×${N}×${K}`;
          expectSame(what, await run(choose(adapter, form, M, N, K), { a, b }, M * N), plain, K);
          const choice = choose(adapter, form, M, N, K, { bias: true, add: true });
          expectSame(`${what} bias add`, await run(choice, given, M * N), full, K);
        }
      }
    }
  });

  test('infinities stay in their row and column: no edge multiplies them by padding', async () => {
    const [M, N, K] = [9, 17, 5];
    const given = { a: new Float32Array(M * K).fill(1), b: new Float32Array(K * N).fill(1) };
    given.a[form === 'tn' ? (K - 1) * M + (M - 1) : M * K - 1] = Number.POSITIVE_INFINITY; // A[M - 1, K - 1]
    for (const adapter of kinds) {
      const y = await run(choose(adapter, form, M, N, K), given, M * N);
      const expected = Array.from({ length: M * N }, (_, i) => (i < (M - 1) * N ? K : Number.POSITIVE_INFINITY));
      expect([...y], adapter.kernels).toEqual(expected);
    }
  });
});

test.each([
  [128, 128],
  [128, 64],
])('tiles of %i × %i give the bits of ascending sums', async (ROWS, COLUMNS) => {
  const [M, N, K] = [132, 140, 20];
  const given = matrices(M, N, K);
  for (const form of FORMS) {
    const [choice] = choose(gpu(), form, M, N, K, { bias: true, add: true });
    const constants = { ...choice!.constants, ROWS, COLUMNS };
    const workgroups = [Math.ceil(N / COLUMNS), Math.ceil(M / ROWS), 1] as [number, number, number];
    const y = await run([{ ...choice!, constants, workgroups }], given, M * N);
    expectSame(form, y, simulate(form, M, N, K, given), K);
  }
});

test('a row has the same bits in a batch of any size: what generation compares with training', async () => {
  const [N, K] = [258, 129];
  const { a, b, bias } = matrices(65, N, K);
  const whole = await run(choose(device, 'nt', 65, N, K, { bias: true }), { a, b, bias }, 65 * N);
  for (const M of [1, 2, 8, 9, 64]) {
    const y = await run(choose(device, 'nt', M, N, K, { bias: true }), { a: a.slice(0, M * K), b, bias }, M * N);
    expectClose(`first ${M} rows`, y, whole.subarray(0, M * N), 0);
  }
});

test('a split k sums part by part, then the parts in order, then the old y', async () => {
  const [M, N, K] = [33, 70, 1000];
  const { a, b, y } = matrices(M, N, K);
  const choices = choose(gpu(), 'tn', M, N, K, { add: true });
  expect(choices.map(({ shader }) => shader)).toEqual(['gpu/matmul.tiled', 'gpu/matmul.finish']);
  expect(choices[0]!.workgroups[2]).toBe(3); // 1000 / 256
  const share = Math.ceil(K / (3 * 8)) * 8; // whole tiles 8 deep: 336, 336, 328
  expectSame('split tn', await run(choices, { a, b, y }, M * N), simulate('tn', M, N, K, { a, b, y }, share), K);
});

describe('mixed precision, its matrix units emulated', () => {
  /** A GPU with subgroups of this device's size that multiplies matrices of 8 × 8. */
  const card = () => {
    const matrix = { componentType: 'f16', resultComponentType: 'f32', M: 8, N: 8, K: 8 };
    const { subgroupSize, limits } = device;
    return {
      kind: 'gpu',
      driver: 'nvidia',
      subgroupSize,
      f16: true,
      limits,
      precision: 'mixed',
      subgroupMatrix: [matrix],
    } as const;
  };
  /** Gradients are rounded as multiples of 4096 times themselves. */
  const half = (values: Float32Array, scale = 1) => values.map((x) => roundToHalf(x * scale) / scale);

  test('f16 is rounded to the nearest, ties to even', () => {
    const steps = [1 / 3, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -24, 2 ** -25, 1.5 * 2 ** -24, 65519, 65520, -0.1];
    const rounded = [
      0.333251953125,
      1,
      1 + 2 ** -9,
      2 ** -24,
      0,
      2 ** -23,
      65504,
      Number.POSITIVE_INFINITY,
      -0.0999755859375,
    ];
    expect(steps.map(roundToHalf)).toEqual(rounded);
  });

  test.each(FORMS)('%s agrees with a product of rounded numbers, around the edge of every tile', async (form) => {
    for (const size of [1, 7, 8, 9, 31, 32, 33, 65]) {
      for (const [M, N, K] of [
        [size, 33, 9],
        [7, size, 33],
        [9, 65, size],
      ] as const) {
        const given = matrices(M, N, K);
        const rounded = { ...given, a: half(given.a), b: half(given.b) };
        const choice = choose(card(), form, M, N, K, { bias: true, add: true });
        expect(choice.map(({ shader }) => shader)).toEqual(['gpu/matmul.subgroupMatrix']);
        const y = await run(choice, given, M * N);
        expectClose(`${form} ${M}×${N}×${K}`, y, simulate(form, M, N, K, rounded), 2 * K + 4);
      }
    }
  });

  test('gradients far below what f16 can tell from 0 keep their precision, since they are scaled', async () => {
    const [M, N, K] = [33, 40, 70];
    const { a, b } = matrices(M, N, K);
    const small = a.map((x) => x * 2 ** -20);
    const y = await run(choose(card(), 'nn', M, N, K, { gradient: true }), { a: small, b }, M * N);
    const rounded = { a: half(small, 4096), b: half(b) };
    expectClose('scaled', y, simulate('nn', M, N, K, rounded), 2 * K + 4);
    const plain = await run(choose(card(), 'nn', M, N, K), { a: small, b }, M * N);
    expectClose('not scaled', plain, simulate('nn', M, N, K, { a: half(small), b: half(b) }), 2 * K + 4);
    const exact = simulate('nn', M, N, K, { a: small, b });
    const worst = (of: Float32Array) => Math.max(...of.map((x, i) => Math.abs(x - exact[i]!)));
    expect(worst(y)).toBeLessThan(worst(plain) / 20);
  });

  test('a split weight gradient is summed in parts and added into y', async () => {
    const [M, N, K] = [33, 70, 1000];
    const given = matrices(M, N, K);
    const { a, b, y: before } = given;
    const choices = choose(card(), 'tn', M, N, K, { add: true });
    expect(choices.map(({ shader }) => shader)).toEqual(['gpu/matmul.subgroupMatrix', 'gpu/matmul.finish']);
    const y = await run(choices, { a, b, y: before }, M * N);
    expectClose('split', y, simulate('tn', M, N, K, { a: half(a), b: half(b), y: before }), 2 * K + 4);
  });
});
