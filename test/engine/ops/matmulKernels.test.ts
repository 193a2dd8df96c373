import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../../src/engine/device.js';
import { InputError } from '../../../src/engine/errors.js';
import { kernelText, packParams, readInterface } from '../../../src/engine/kernel.js';
import {
  chooseMatmul,
  type MatmulChoice,
  type MatmulForm,
  type MatmulRole,
} from '../../../src/engine/ops/matmulKernels.js';
import { shaderText } from '../../../src/engine/shaderSource.js';
import { testDevice } from '../../support/device.js';
import { expectClose } from '../../support/expectClose.js';
import { roundToHalf, withoutMatrixUnits } from '../../support/subgroupMatrix.js';

const FORMS: readonly MatmulForm[] = ['nn', 'nt', 'tn'];
const SIZES = [1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 258];
/** One number lies beyond y, so that a write past its end shows. */
const SENTINEL = 12345;

let device: Device;
let variants: string[];
beforeAll(async () => {
  device = await testDevice();
  variants = ['matmul.1-naive', 'matmul.3-tiled'];
  if (device.subgroupSize === 4) variants.push('matmul.2-register');
});

interface Matrices {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly bias?: Float32Array;
  readonly y?: Float32Array;
}

const pipelines = new Map<string, Promise<GPUComputePipeline>>();

/** Run the dispatches of one product, plainly: a buffer for each role, one submit; returns y. */
async function run(choices: readonly MatmulChoice[], given: Matrices, size: number): Promise<Float32Array> {
  const { gpu } = device;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const upload = (values: Float32Array | ArrayBuffer, extra = 0) => {
    const buffer = gpu.createBuffer({ size: Math.max(16, values.byteLength), usage: usage | extra });
    gpu.queue.writeBuffer(buffer, 0, values as GPUAllowSharedBufferSource);
    return buffer;
  };
  const y = new Float32Array(size + 1).fill(SENTINEL);
  y.set(given.y ?? new Float32Array(size).fill(Number.NaN));
  const roles: Partial<Record<MatmulRole, GPUBuffer>> = { a: upload(given.a), b: upload(given.b), y: upload(y) };
  if (given.bias) roles.bias = upload(given.bias);
  if (choices[0]!.scratch > 0) roles.partial = upload(new Float32Array(choices[0]!.scratch).fill(Number.NaN));

  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { shader, constants, features, workgroups, params, bind } of choices) {
    const file = await shaderText(shader);
    const code = withoutMatrixUnits(kernelText(file, { constants, extensions: features }));
    if (!pipelines.has(code)) {
      const module = gpu.createShaderModule({ label: shader, code });
      pipelines.set(code, gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } }));
    }
    const pipeline = await device.settle(pipelines.get(code)!);
    const { bindings, params: fields } = readInterface(shader, file);
    const entries = bindings.map(({ binding, name, access }) => {
      const uniform = () => upload(packParams(shader, fields, params), GPUBufferUsage.UNIFORM);
      return { binding, resource: { buffer: access === 'uniform' ? uniform() : roles[bind[name]!]! } };
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
  const staging = gpu.createBuffer({ size: y.byteLength, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  encoder.copyBufferToBuffer(roles.y!, 0, staging, 0, y.byteLength);
  gpu.queue.submit([encoder.finish()]);
  await device.settle(staging.mapAsync(GPUMapMode.READ));
  const result = new Float32Array(staging.getMappedRange().slice(0));
  for (const buffer of [staging, ...Object.values(roles)]) buffer.destroy();
  expect(result[size], 'the number beyond y').toBe(SENTINEL);
  return result.subarray(0, size);
}

/** What float32 arithmetic gives: every product and every sum rounded, k ascending from 0, or layer by layer as `share` says. */
function simulate(form: MatmulForm, M: number, N: number, K: number, given: Matrices, share = K): Float32Array {
  const { a, b, bias } = given;
  const y = new Float32Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let begin = 0; begin < K; begin += share) {
        let layer = 0;
        for (let k = begin; k < Math.min(begin + share, K); k++) {
          const left = a[form === 'tn' ? k * M + m : m * K + k]!;
          const right = b[form === 'nt' ? n * K + k : k * N + n]!;
          layer = Math.fround(layer + Math.fround(left * right));
        }
        sum = Math.fround(sum + layer);
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

describe('chooseMatmul', () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 27 };
  const ours = { kind: 'cpu', driver: 'wasm', subgroupSize: 4, limits } as const;
  const lavapipe = { kind: 'cpu', driver: 'lavapipe', subgroupSize: 8, limits } as const;
  const bare = { kind: 'cpu', driver: 'swiftshader', subgroupSize: 0, limits } as const;
  const card = { kind: 'gpu', driver: 'nvidia', subgroupSize: 32, limits } as const;

  test('takes the variant that suits the adapter', () => {
    const shaderOn = (adapter: Parameters<typeof chooseMatmul>[0]) =>
      chooseMatmul(adapter, 'nt', 64, 64, 64)[0]!.shader;
    expect([ours, lavapipe, bare, card].map(shaderOn)).toEqual([
      'matmul.2-register',
      'matmul.3-tiled',
      'matmul.3-tiled',
      'matmul.3-tiled',
    ]);
    expect(chooseMatmul(ours, 'nt', 1, 64, 64)[0]!.shader).toBe('matmul.1-naive'); // one row would idle three of four
  });

  test('gives a grid that covers y and fits the limit of 65535', () => {
    // 50 columns / 8, 140 rows / 64 a workgroup
    expect(chooseMatmul(ours, 'nn', 140, 50, 3)[0]!.workgroups).toEqual([7, 3, 1]);
    const tall = chooseMatmul(ours, 'nn', 4_200_000, 8, 8)[0]!; // 65,625 rows of workgroups would not fit
    expect(tall.shader).toBe('matmul.1-naive');
    expect(tall.workgroups).toEqual([65535, 9, 1]); // 525,000 workgroups of 64 outputs
  });

  test('splits k of a weight gradient only where it fills a GPU and memory for the layers is bound', () => {
    const layers = (form: MatmulForm, M: number, N: number, K: number, split = true) =>
      chooseMatmul(card, form, M, N, K, { add: true, split })[0]!.workgroups[2];
    expect(layers('tn', 512, 512, 5120)).toBe(16); // 16 tiles of 128 × 128: 16 layers make 256 workgroups
    expect(layers('tn', 512, 512, 5120, false)).toBe(1);
    expect(layers('nn', 512, 512, 5120)).toBe(1);
    expect(layers('tn', 2048, 2048, 5120)).toBe(1); // 256 tiles already
    expect(layers('tn', 512, 512, 300)).toBe(1); // a layer would be shorter than 256
    const small = { ...card, limits: { maxStorageBufferBindingSize: 4 * 512 * 512 * 5 } }; // room for 5 layers
    expect(chooseMatmul(small, 'tn', 512, 512, 5120, { split: true })[0]!.workgroups[2]).toBe(5);
  });

  test('takes the tiles whose waves end first, and one load for four numbers where rows are aligned', () => {
    const constants = (M: number, N: number, K: number) => chooseMatmul(card, 'nt', M, N, K)[0]!.constants;
    // 5120 × 512 on 128 multiprocessors: 5 waves of 64 × 64, against 2 of 128 × 128, each of which is four times the work.
    expect(constants(5120, 512, 512)).toMatchObject({ ROWS: 64, COLUMNS: 64, ALIGNED: 1 });
    expect(constants(5120, 2048, 512)).toMatchObject({ ROWS: 128, COLUMNS: 128, ALIGNED: 1 }); // 5 waves, or 20 of a quarter
    expect(constants(4096, 256, 512)).toMatchObject({ ROWS: 128, COLUMNS: 64 }); // one wave, or two of half
    expect([constants(1, 64, 64), constants(64, 258, 64), constants(64, 64, 27)].map(({ ALIGNED }) => ALIGNED)).toEqual(
      [0, 0, 0],
    );
  });

  test('refuses a variant that is unknown or cannot run', () => {
    expect(() => chooseMatmul(bare, 'nn', 2, 2, 2, { force: 'matmul.9' })).toThrow(
      new InputError('matmul: matmul.9 is no variant of matmul; take matmul.3-tiled, matmul.1-naive'),
    );
    expect(() => chooseMatmul(card, 'nn', 2, 2, 2, { force: 'matmul.2-register' })).toThrow(
      'matmul.2-register does not run on this adapter at this size; take matmul.3-tiled, matmul.1-naive',
    );
  });
});

test('a product that fits in the head, in every form and variant', async () => {
  // [1 2]   [5 6]   [1*5 + 2*7, 1*6 + 2*8]   [19 22]
  // [3 4] · [7 8] = [3*5 + 4*7, 3*6 + 4*8] = [43 50]
  const a = { n: [1, 2, 3, 4], t: [1, 3, 2, 4] };
  const b = { n: [5, 6, 7, 8], t: [5, 7, 6, 8] };
  for (const force of variants) {
    for (const form of FORMS) {
      const given = {
        a: Float32Array.from(form === 'tn' ? a.t : a.n),
        b: Float32Array.from(form === 'nt' ? b.t : b.n),
        bias: Float32Array.of(100, 200),
        y: Float32Array.of(1000, 1000, 2000, 2000),
      };
      const plain = await run(chooseMatmul(device, form, 2, 2, 2, { force }), given, 4);
      expect([...plain], `${force} ${form}`).toEqual([19, 22, 43, 50]);
      const both = await run(chooseMatmul(device, form, 2, 2, 2, { force, bias: true, add: true }), given, 4);
      expect([...both], `${force} ${form} with bias, added into y`).toEqual([1119, 1222, 2143, 2250]);
    }
  }
});

describe.each(FORMS)('%s', (form) => {
  test('every variant gives the bits of ascending float32 sums, around the edge of every tile', async () => {
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
        for (const force of variants) {
          const what = `${force} ${form} ${M}×${N}×${K}`;
          expectSame(what, await run(chooseMatmul(device, form, M, N, K, { force }), { a, b }, M * N), plain, K);
          const choice = chooseMatmul(device, form, M, N, K, { force, bias: true, add: true });
          expectSame(`${what} bias add`, await run(choice, given, M * N), full, K);
        }
      }
    }
  });

  test('infinities stay in their row and column: no edge multiplies them by padding', async () => {
    const [M, N, K] = [9, 17, 5];
    const given = { a: new Float32Array(M * K).fill(1), b: new Float32Array(K * N).fill(1) };
    given.a[form === 'tn' ? (K - 1) * M + (M - 1) : M * K - 1] = Number.POSITIVE_INFINITY; // A[M - 1, K - 1]
    for (const force of variants) {
      const y = await run(chooseMatmul(device, form, M, N, K, { force }), given, M * N);
      const expected = Array.from({ length: M * N }, (_, i) => (i < (M - 1) * N ? K : Number.POSITIVE_INFINITY));
      expect([...y], force).toEqual(expected);
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
    const [choice] = chooseMatmul(device, form, M, N, K, { force: 'matmul.3-tiled', bias: true, add: true });
    const constants = { ...choice!.constants, ROWS, COLUMNS };
    const workgroups = [Math.ceil(N / COLUMNS), Math.ceil(M / ROWS), 1] as [number, number, number];
    const y = await run([{ ...choice!, constants, workgroups }], given, M * N);
    expectSame(form, y, simulate(form, M, N, K, given), K);
  }
});

test('a row has the same bits in a batch of any size: what generation compares with training', async () => {
  const [N, K] = [258, 129];
  const { a, b, bias } = matrices(65, N, K);
  const whole = await run(chooseMatmul(device, 'nt', 65, N, K, { bias: true }), { a, b, bias }, 65 * N);
  for (const M of [1, 2, 8, 9, 64]) {
    const y = await run(chooseMatmul(device, 'nt', M, N, K, { bias: true }), { a: a.slice(0, M * K), b, bias }, M * N);
    expectClose(`first ${M} rows`, y, whole.subarray(0, M * N), 0);
  }
});

test('a split k sums layer by layer, then the layers in order, then the old y', async () => {
  const [M, N, K] = [33, 70, 1000];
  const { a, b, y } = matrices(M, N, K);
  const choices = chooseMatmul(device, 'tn', M, N, K, { force: 'matmul.3-tiled', add: true, split: true });
  expect(choices.map(({ shader }) => shader)).toEqual(['matmul.3-tiled', 'matmul.3-finish']);
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
        const choice = chooseMatmul(card(), form, M, N, K, { bias: true, add: true });
        expect(choice.map(({ shader }) => shader)).toEqual(['matmul.4-subgroupMatrix']);
        const y = await run(choice, given, M * N);
        expectClose(`${form} ${M}×${N}×${K}`, y, simulate(form, M, N, K, rounded), 2 * K + 4);
      }
    }
  });

  test('gradients far below what f16 can tell from 0 keep their precision, since they are scaled', async () => {
    const [M, N, K] = [33, 40, 70];
    const { a, b } = matrices(M, N, K);
    const small = a.map((x) => x * 2 ** -20);
    const y = await run(chooseMatmul(card(), 'nn', M, N, K, { gradient: true }), { a: small, b }, M * N);
    const rounded = { a: half(small, 4096), b: half(b) };
    expectClose('scaled', y, simulate('nn', M, N, K, rounded), 2 * K + 4);
    const plain = await run(chooseMatmul(card(), 'nn', M, N, K), { a: small, b }, M * N);
    expectClose('not scaled', plain, simulate('nn', M, N, K, { a: half(small), b: half(b) }), 2 * K + 4);
    const exact = simulate('nn', M, N, K, { a: small, b });
    const worst = (of: Float32Array) => Math.max(...of.map((x, i) => Math.abs(x - exact[i]!)));
    expect(worst(y)).toBeLessThan(worst(plain) / 20);
  });

  test('a split weight gradient is summed in layers and added into y', async () => {
    const [M, N, K] = [33, 70, 1000];
    const given = matrices(M, N, K);
    const { a, b, y: before } = given;
    const choices = chooseMatmul(card(), 'tn', M, N, K, { add: true, split: true });
    expect(choices.map(({ shader }) => shader)).toEqual(['matmul.4-subgroupMatrix', 'matmul.3-finish']);
    const y = await run(choices, { a, b, y: before }, M * N);
    expectClose('split', y, simulate('tn', M, N, K, { a: half(a), b: half(b), y: before }), 2 * K + 4);
  });
});
