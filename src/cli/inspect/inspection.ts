import type { Device } from '../../device/device.js';
import type { AdapterProfile } from '../../engine/kernel.js';
import type { Value } from '../../engine/op.js';
import { visibleKeys } from '../../engine/ops/attention.js';
import { Plan } from '../../engine/plan.js';
import { type EntryTrace, type Trace, trace } from '../../inspect/trace.js';
import { attributionOf } from '../../model/attribution.js';
import type { DecoderConfig } from '../../model/config.js';
import { type Batch, type ForwardPass, toFeeds } from '../../model/forward.js';
import { channelCount, channelNames } from '../../substrate/channels.js';
import { recordStep } from '../../train/recordStep.js';
import type { InspectWindow } from './window.js';

/** The decoder to inspect, and its origin. */
export interface Subject {
  readonly config: DecoderConfig;
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** a sentence for the reader about the checkpoint */
  readonly origin: string;
}

/** Rows of numbers with a name for each row and column. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** row-major */
  readonly data: Float64Array;
}

/** One head's attention: row i is what position i takes from each position j. */
export interface AttentionMap {
  readonly block: number;
  readonly head: number;
  /** [S, S]; 0 where j is not visible */
  readonly probabilities: Grid;
}

/** The decoder's prediction of one id of the stream. */
export interface Prediction {
  readonly target: number;
  readonly nats: number;
  readonly bits: number;
  /** the likeliest ids, best first */
  readonly top: readonly { readonly id: number; readonly probability: number }[];
}

/** The size of a parameter's gradient, relative to the parameter. */
export interface GradientNorm {
  readonly name: string;
  readonly gradient: number;
  readonly parameter: number;
}

/** One forward and backward pass over one window, with every number. */
export interface Inspection {
  readonly subject: Subject;
  readonly device: { readonly name: string; readonly driver: string; readonly timestamps: boolean };
  readonly window: InspectWindow;
  readonly sizes: ForwardPass['size'];
  readonly trace: Trace;
  readonly pass: ForwardPass;
  /** one row per door row: prefix bytes, padding included, then stream inputs; undefined for the bytes door */
  readonly channels: (Grid & { readonly names: readonly string[] }) | undefined;
  /** gradient of the loss with respect to each channel, in the layout of `channels` */
  readonly attribution: Grid | undefined;
  /** [S, C], the decoder's input */
  readonly x0: Grid;
  /**
   * ‖x‖ of each position, after each residual sum, with the entry it comes from; of the stream alone after the last attention,
   * since nothing reads the slots from there on
   */
  readonly residual: readonly { readonly entry: number; readonly scope: string; readonly norms: readonly number[] }[];
  readonly attention: readonly AttentionMap[];
  readonly predictions: readonly Prediction[];
  readonly bitsPerByte: number;
  readonly gradients: readonly GradientNorm[];
}

/** Ids shown for each position. */
const TOP = 5;

/** Record the training step of one window. */
export function recordWindow({ config }: Subject, { prefix, targets }: InspectWindow): ForwardPass {
  return recordStep({ config }, { prefix: prefix.length, stream: targets.length }, 1).pass;
}

/**
 * Compile a recorded pass over one window: every number is kept, and its inputs are written.
 *
 * @param profile the device's properties for the choice of kernels; default its own
 */
export async function compileWindow(
  pass: ForwardPass,
  device: Device,
  { parameters }: Subject,
  window: InspectWindow,
  profile: AdapterProfile = device,
): Promise<Plan> {
  const plan = await Plan.compile(pass.program, device, { keep: 'all', parameters, profile });
  for (const [tensor, data] of toFeeds(pass, batchOf(window))) plan.write(tensor, data);
  return plan;
}

/** A window as a batch of one. */
function batchOf({ prefix, targets }: InspectWindow): Batch {
  return { prefix: Uint32Array.from(prefix), targets, weights: new Float32Array(targets.length).fill(1) };
}

/** Run one window through the program of a training step, without the update. */
export async function inspect(
  device: Device,
  subject: Subject,
  window: InspectWindow,
  progress?: (done: number, of: number) => void,
): Promise<Inspection> {
  const { config } = subject;
  const { targets } = window;
  const pass = recordWindow(subject, window);
  const { program } = pass;
  const plan = await compileWindow(pass, device, subject, window);
  try {
    // A driver compiles a kernel at its first dispatch: one replay runs first, so that the times do not include
    // compilation.
    plan.submit({ update: false });
    await plan.finished();
    const run = await trace(plan, progress, { update: false });
    const attribution = await attributionOf(device, config, subject.parameters, batchOf(window));
    const features = entriesOf(run, 'hslFeatures.forward').map((entry) => tensorOf(entry, 'y'));
    const columns = channelCount(config.includeBits);
    const predictions = predictionsOf(run, pass, targets);
    return {
      subject,
      device: { name: device.name, driver: device.driver, timestamps: device.timestamps },
      window,
      sizes: pass.size,
      trace: run,
      pass,
      channels:
        features.length === 0
          ? undefined
          : {
              ...stacked(
                features.map((id) => run.value(id)),
                columns,
              ),
              names: channelNames(config.includeBits),
            },
      attribution: attribution.length === 0 ? undefined : stacked(attribution, columns),
      x0: stacked([run.value(pass.x0)], config.dim),
      residual: residualNorms(run, pass, config.dim),
      attention: attentionMaps(run),
      predictions,
      bitsPerByte: predictions.reduce((sum, { bits }) => sum + bits, 0) / predictions.length,
      // A text without a whole slot leaves the door's parameters for slots unused: they have no gradient.
      gradients: program.parameters.flatMap(({ name, tensor }) => {
        const gradient = program.gradientOf(tensor);
        if (gradient === undefined) return [];
        return [{ name, gradient: run.of(gradient).statistics.norm, parameter: run.of(tensor).statistics.norm }];
      }),
    };
  } finally {
    plan.free();
  }
}

/** Entries of one op, in order. */
export function entriesOf(run: Trace, op: string): EntryTrace[] {
  return run.entries.filter((entry) => entry.op.name === op);
}

/** The tensor an entry reads or writes under a name of its op. */
export function tensorOf({ inputs, outputs, op }: EntryTrace, name: string): number {
  const operand = [...outputs, ...inputs].find((each) => each.name === name);
  if (operand === undefined) throw new Error(`${op.name} has no ${name}`);
  return operand.tensor;
}

/** Values with rows of the same width, one above the other. */
function stacked(values: readonly Value[], columns: number): Grid {
  const data = Float64Array.from(values.flatMap((value) => Array.from(value.data)));
  return { rows: data.length / columns, columns, data };
}

function residualNorms(run: Trace, pass: ForwardPass, C: number): Inspection['residual'] {
  const norms = ({ data }: Value) =>
    Array.from({ length: data.length / C }, (_, s) => Math.hypot(...data.subarray(s * C, (s + 1) * C)));
  const x0 = run.of(pass.x0);
  const sums = entriesOf(run, 'addLayerNorm.forward');
  return [
    { entry: x0.writers[0]!, scope: 'x0', norms: norms(run.value(x0.id)) },
    ...sums.map((entry) => ({
      entry: entry.index,
      scope: entry.scope,
      norms: norms(run.value(tensorOf(entry, 'sum'))),
    })),
  ];
}

function attentionMaps(run: Trace): AttentionMap[] {
  return entriesOf(run, 'attention.forward').flatMap((entry, block) => {
    const { H, S, P } = entry.attributes as Record<'H' | 'S' | 'P', number>;
    const [q, k, lse] = ['q', 'k', 'lse'].map((name) => run.value(tensorOf(entry, name)).data);
    return Array.from({ length: H }, (_, head) => {
      const data = attentionWeights(q!, k!, lse!, { H, S, P, head });
      return { block, head, probabilities: { rows: S, columns: S, data } };
    });
  });
}

/**
 * One head's attention from the saved numbers of forward: p_ij = exp(q[i]·k[j]/√D - lse[i]) for the keys j that i sees. The kernel keeps
 * no map.
 *
 * @param q [H, rows, D], as k   @param lse [H, rows]   @param S rows to return: the others are padding
 * @returns [S, S]
 */
export function attentionWeights(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  lse: ArrayLike<number>,
  { H, S, P, head }: Record<'H' | 'S' | 'P' | 'head', number>,
): Float64Array {
  const rows = lse.length / H;
  const D = q.length / lse.length;
  const scale = 1 / Math.sqrt(D);
  const weights = new Float64Array(S * S);
  for (let i = 0; i < S; i++) {
    const row = head * rows + i;
    for (let j = 0; j < Math.min(visibleKeys(i, P), S); j++) {
      let dot = 0;
      for (let d = 0; d < D; d++) dot += q[row * D + d]! * k[(head * rows + j) * D + d]!;
      weights[i * S + j] = Math.exp(scale * dot - lse[row]!);
    }
  }
  return weights;
}

function predictionsOf(run: Trace, pass: ForwardPass, targets: Uint32Array): Prediction[] {
  const logits = run.value(pass.logits).data;
  const nats = run.value(pass.nats).data;
  const V = logits.length / targets.length;
  return Array.from(targets, (target, t) => {
    const top = likeliest(logits.subarray(t * V, (t + 1) * V), TOP);
    return { target, nats: nats[t]!, bits: nats[t]! / Math.LN2, top };
  });
}

/** Softmax of one row of logits: the likeliest ids, best first. */
export function likeliest(logits: ArrayLike<number>, count: number): { id: number; probability: number }[] {
  const all = Array.from(logits);
  const largest = Math.max(...all);
  const weights = all.map((logit) => Math.exp(logit - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const order = weights.map((_, id) => id).sort((a, b) => weights[b]! - weights[a]!);
  return order.slice(0, count).map((id) => ({ id, probability: weights[id]! / total }));
}
