import { integers, normals } from '../common/random.js';
import type { Device } from '../device/device.js';
import type { AdapterProfile } from '../engine/kernel.js';
import { flopsOf, outputKind } from '../engine/op.js';
import { adamW } from '../engine/ops/adamW.js';
import { addLayerNorm } from '../engine/ops/addLayerNorm.js';
import { attention } from '../engine/ops/attention.js';
import { layerNorm } from '../engine/ops/layerNorm.js';
import { matmul } from '../engine/ops/matmul.js';
import { stepScalars } from '../engine/optimiser.js';
import { Plan } from '../engine/plan.js';
import { type Entry, PARAMETER_ALIGNMENT, Program } from '../engine/program.js';
import { type DispatchTime, profile, type Spread } from '../inspect/profile.js';
import type { DecoderConfig } from '../model/config.js';
import type { BatchSize } from '../model/forward.js';
import { countParameters, parameterSpecs } from '../model/parameters.js';
import { OPTIMISER } from '../train/optimiser.js';
import { prove } from './proof.js';
import { timed } from './timing.js';

/** Ops that `--only` can name. */
export const OP_GROUPS = ['matmul', 'attention', 'layerNorm', 'adamW'] as const;
/** One of `OP_GROUPS`. */
export type OpGroup = (typeof OP_GROUPS)[number];

/** One op at one shape of the model, and the function that records it. */
interface Case {
  readonly group: OpGroup;
  readonly name: string;
  readonly record: (program: Program) => void;
}

/** The measurements of one entry. */
export interface OpTime {
  readonly group: OpGroup;
  /** `nt 1280×384×128` */
  readonly name: string;
  readonly op: string;
  readonly kernels: readonly string[];
  readonly milliseconds: Spread;
  /** device time by timestamps, or host time from submit to completion for all entries of the case together */
  readonly clock: 'device' | 'host';
  /** arithmetic operations, and bytes read and written once */
  readonly flops: number;
  readonly bytes: number;
  /** were kernels and references compared at this shape, or at a smaller one? */
  readonly proved: 'here' | 'smaller';
}

/** A reference with more operations takes too long. */
const PROVABLE = 3e8;

/** The ops that take nearly all of a step, at a decoder's own shapes. */
export function* opCases(config: DecoderConfig, { B, L, T }: BatchSize): Generator<Case> {
  const { dim: C, heads: H, K } = config;
  const P = Math.ceil(L / K);
  const S = P + T;
  const rows = B * S;
  const linears = [
    [rows, 3 * C, C],
    [rows, C, C],
    [rows, 4 * C, C],
    [rows, C, 4 * C],
    [B * T, 258, C],
  ] as const;
  for (const [M, N, inner] of linears) {
    // One linear layer is three products: y = x Wᵀ (nt), dX = dY W (nn), dW = dYᵀ x (tn).
    const forms = [
      ['nt', M, N, inner, [M, inner], [N, inner]],
      ['nn', M, inner, N, [M, N], [N, inner]],
      ['tn', N, inner, M, [M, N], [M, inner]],
    ] as const;
    for (const [form, m, n, k, a, b] of forms) {
      yield {
        group: 'matmul',
        name: `${form} ${m}×${n}×${k}`,
        record(program) {
          const [left, right] = [program.input('a', a), program.input('b', b)];
          matmul(form === 'tn' ? left.transpose() : left, form === 'nt' ? right.transpose() : right);
        },
      };
    }
  }
  const D = C / H;
  yield {
    group: 'attention',
    name: `B ${B}, H ${H}, S ${S}, D ${D}, P ${P}`,
    record(program) {
      const [q, k, v] = ['q', 'k', 'v'].map((name) =>
        program.input(name, [B, H, S, D], 'f32', { requiresGradient: true }),
      );
      const y = attention(q!, k!, v!, program.constant('position', [1], new Uint32Array(1)), P);
      program.backward([[y, program.input('dY', y.shape)]]);
    },
  };
  for (const fused of [false, true]) {
    yield {
      group: 'layerNorm',
      name: `${rows}×${C}`,
      record(program) {
        const [x, delta] = ['x', 'delta'].map((name) =>
          program.input(name, [rows, C], 'f32', { requiresGradient: true }),
        );
        const [weight, bias] = ['weight', 'bias'].map((name) => program.parameter(name, [C]));
        const ys = fused ? addLayerNorm(x!, delta!, weight!, bias!) : [layerNorm(x!, weight!, bias!)];
        program.backward(ys.map((y, i) => [y, program.input(`dY${i}`, y.shape)] as const));
      },
    };
  }
  const n = Math.ceil(countParameters(parameterSpecs(config)) / PARAMETER_ALIGNMENT) * PARAMETER_ALIGNMENT;
  yield {
    group: 'adamW',
    name: `${n}`,
    record(program) {
      const [parameters, m, v] = ['parameters', 'm', 'v'].map((name) => program.state(name, [n]));
      const gradients = program.input('gradients', [n]);
      const blocks = n / PARAMETER_ALIGNMENT;
      const decays = program.constant('decays', [blocks], new Float32Array(blocks).fill(1));
      const clip = program.constant('clip', [2], Float32Array.of(1, 1));
      const scalars = program.constant('scalars', [4], stepScalars(1, 1e-3, OPTIMISER));
      const { beta1, beta2, eps, decay } = OPTIMISER;
      const state = { parameters: parameters!, m: m!, v: v! };
      adamW(gradients, decays, clip, scalars, state, { beta1, beta2, eps, decay });
    },
  };
}

/** The decoder and batch whose ops are timed, and the choice of kernels. */
export interface OpOptions {
  readonly config: DecoderConfig;
  readonly size: BatchSize;
  readonly groups: readonly OpGroup[];
  readonly profile: AdapterProfile;
  /** how often each op is timed, or the number for an op whose run takes so many milliseconds */
  readonly replays: number | ((milliseconds: number) => number);
}

/** Prove and time every op of a decoder, one after the other. */
export async function* timeOps(device: Device, options: OpOptions): AsyncGenerator<OpTime> {
  const { config, size, groups, profile, replays } = options;
  // The same kernels with fewer rows, if the references would take minutes.
  const small = opCases({ ...config, layers: 1 }, { B: 1, L: 4 * config.K, T: 12 });
  for (const each of opCases(config, size)) {
    const smaller = small.next().value as Case;
    if (!groups.includes(each.group)) continue;
    const plan = await compile(each, device, profile);
    const proved = plan.program.entries.every((entry) => flopsOf(entry) <= PROVABLE) ? 'here' : 'smaller';
    const proof = proved === 'here' ? plan : await compile(smaller, device, profile);
    await prove(proof);
    if (proof !== plan) proof.free();
    yield* await timeCase(each, plan, replays, proved);
    plan.free();
  }
}

async function compile({ record }: Case, device: Device, profile: AdapterProfile): Promise<Plan> {
  const program = new Program();
  record(program);
  const plan = await Plan.compile(program, device, { profile });
  for (const { inputs, outputs } of program.entries) {
    for (const tensor of [...inputs, ...outputs]) {
      const { role, label } = tensor.storage;
      if (!['input', 'state', 'parameter'].includes(role) || !tensor.isContiguous) continue;
      const numbers = normals(7, label, tensor.size);
      if (tensor.dtype === 'u32') plan.write(tensor, integers(7, label, tensor.size, 256));
      // Second moments are squares.
      else plan.write(tensor, label === 'v' && role === 'state' ? numbers.map(Math.abs) : numbers);
    }
  }
  return plan;
}

async function timeCase(
  { group, name }: Case,
  plan: Plan,
  replays: OpOptions['replays'],
  proved: OpTime['proved'],
): Promise<OpTime[]> {
  const run = async () => {
    await plan.replay();
    await plan.finished();
  };
  await run();
  // The first run may have compiled.
  const count = typeof replays === 'number' ? replays : replays((await timed(1, run)).median);
  const entries = [...new Set(plan.dispatches.map(({ entry }) => entry))];
  const times = await profile(plan, { replays: count });
  const parts =
    times === undefined
      ? [{ part: entries, milliseconds: await timed(count, run), clock: 'host' as const }]
      : entries.map((entry) => {
          const own = times.filter(({ prepared }) => prepared.entry === entry);
          return { part: [entry], milliseconds: sumOf(own), clock: 'device' as const };
        });
  return parts.map(({ part, milliseconds, clock }) => ({
    group,
    name,
    kernels: plan.dispatches.filter(({ entry }) => part.includes(entry)).map(({ dispatch }) => dispatch.shader),
    flops: part.reduce((sum, entry) => sum + flopsOf(entry), 0),
    bytes: part.reduce((sum, entry) => sum + bytesOf(entry), 0),
    proved,
    op: part.map(({ op }) => op.name).join(' + '),
    milliseconds,
    clock,
  }));
}

function sumOf(times: readonly DispatchTime[]): Spread {
  const sum = (key: keyof Spread) => times.reduce((total, { nanoseconds }) => total + nanoseconds[key] / 1e6, 0);
  return { median: sum('median'), least: sum('least'), most: sum('most') };
}

/** Bytes that an entry must move: every tensor once, and tensors changed in place twice. */
export function bytesOf({ op, inputs, outputs }: Entry): number {
  const written = outputs.reduce((sum, { size }, i) => sum + size * (outputKind(op, i) === 'accumulates' ? 2 : 1), 0);
  return 4 * (inputs.reduce((sum, { size }) => sum + size, 0) + written);
}
