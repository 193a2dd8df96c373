import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf, type Inspection, inspect, tensorOf } from '../src/cli/inspect/inspection.js';
import { textWindow } from '../src/cli/inspect/window.js';
import type { Device } from '../src/device/device.js';
import { SIZES } from '../src/model/config.js';
import { Evaluator } from '../src/model/evaluator.js';
import { initialParameters } from '../src/model/parameters.js';
import { OPTIMISER } from '../src/train/optimiser.js';
import { readWeights } from '../src/train/weights.js';
import { check, findingText, parseModule } from '../src/wgsl/index.js';
import { ROOT } from './pages.js';

/** The string of the walk: four bytes as one slot, four to predict. */
export const TEXT = 'Hi, byte';
const CONFIG = { door: 'zero', ...SIZES.tiny } as const;

/** One pass of the walk's string through the trained decoder of models/, as in the walk, and one through a fresh decoder. */
export interface LessonRun {
  readonly fresh: Inspection;
  readonly trained: Inspection;
  /** what the chapters quote */
  readonly numbers: string;
}

/** Run everything that the chapters have numbers of, on the CPU device: the same bits on every machine. */
export async function runLesson(device: Device): Promise<LessonRun> {
  const window = textWindow(TEXT, { prefix: 4, stream: 4, K: CONFIG.K });
  const start = initialParameters(CONFIG, 0);
  const fresh = await inspect(device, { config: CONFIG, parameters: start, origin: '' }, window);
  const { parameters } = readWeights(join(ROOT, 'models/moby-dick.safetensors'), undefined);
  const trained = await inspect(device, { config: CONFIG, parameters, origin: '' }, window);
  const parts: readonly (readonly [string, string[]])[] = [
    ['One number of the first product', productLines(trained, parameters)],
    ['One row through LayerNorm', layerNormLines(trained, parameters)],
    ['One query of attention', attentionLines(trained)],
    ['The cost of one byte', lossLines(trained)],
    ['The gradient of one bias, three times', await gradientLines(device, trained, parameters)],
    ['The gradient of one weight', weightLines(trained)],
    ['A first update of one bias', updateLines(trained, parameters)],
    ['Fresh and trained', trainedLines(fresh, trained)],
    ['The tiled product without its first barrier', raceLines('workgroupBarrier(); // both tiles are staged')],
    ['The tiled product without its second barrier', raceLines('workgroupBarrier(); // all have read the tiles')],
  ];
  const numbers = parts.map(([title, lines]) => `${title}\n\n${lines.join('\n')}\n`).join('\n');
  return {
    fresh,
    trained,
    numbers: `Numbers of the lesson. test/site/lesson.test.ts computes them again.\n\n${numbers}`,
  };
}

const C = CONFIG.dim;
const D = C / CONFIG.heads;
const S = 5;
const T = 4;
const V = 258;
/** The row of stream 1, which reads "b". */
const ROW = 2;
const B = 'b'.charCodeAt(0);

const fixed = (x: number, digits = 4) =>
  x
    .toFixed(digits)
    .replace(/^-(0\.0*)$/, '$1')
    .padStart(digits + 4);
const letter = (id: number) => `"${String.fromCharCode(id)}"`;

/** Numbers of a tensor that the n-th entry of an op reads or writes. */
function numbersOf({ trace }: Inspection, op: string, name: string, n = 0): Float64Array {
  return trace.value(tensorOf(entriesOf(trace, op)[n]!, name)).data as Float64Array;
}

function productLines(run: Inspection, parameters: ReadonlyMap<string, Float32Array>): string[] {
  const x = numbersOf(run, 'linear.forward', 'x').subarray(ROW * C, (ROW + 1) * C);
  const w = parameters.get('blocks.0.attention.qkv.weight')!; // [384, 128]; row 0 makes column 0
  const y = numbersOf(run, 'linear.forward', 'y')[ROW * 3 * C]!;
  let sum = 0;
  const terms = Array.from({ length: C }, (_, k) => {
    sum += x[k]! * w[k]!;
    return `k = ${String(k).padEnd(4)} ${fixed(x[k]!)} · ${fixed(w[k]!)} = ${fixed(x[k]! * w[k]!)}   sum ${fixed(sum)}`;
  });
  const bias = parameters.get('blocks.0.attention.qkv.bias')![0]!;
  const result = `y[2, 0] = ${fixed(sum).trim()} + bias ${fixed(bias).trim()} = ${fixed(sum + bias).trim()}`;
  return [...terms.slice(0, 4), '…', terms.at(-1)!, `${result}; the kernel wrote ${fixed(y).trim()}`];
}

function layerNormLines(run: Inspection, parameters: ReadonlyMap<string, Float32Array>): string[] {
  const [x, y] = ['x', 'y'].map((name) => numbersOf(run, 'layerNorm.forward', name).subarray(ROW * C, (ROW + 1) * C));
  const [weight, bias] = ['weight', 'bias'].map((name) => parameters.get(`blocks.0.norm1.${name}`)!);
  const mean = x!.reduce((sum, each) => sum + each, 0) / C;
  const variance = x!.reduce((sum, each) => sum + (each - mean) ** 2, 0) / C;
  const rstd = 1 / Math.sqrt(variance + 1e-5);
  const row = (values: ArrayLike<number>) => Array.from({ length: 6 }, (_, c) => fixed(values[c]!, 3)).join(' ');
  return [
    `x of stream 1        ${row(x!)} …   128 numbers`,
    `mean ${mean.toFixed(4)}   variance ${variance.toFixed(4)}   rstd = 1/√(variance + 0.00001) = ${rstd.toFixed(4)}`,
    `(x - mean) · rstd    ${row(x!.map((each) => (each - mean) * rstd))} …   mean 0, variance 1`,
    `weight               ${row(weight!)} …   learned`,
    `bias                 ${row(bias!)} …   learned`,
    `y                    ${row(y!)} …   by the kernel`,
  ];
}

function attentionLines(run: Inspection): string[] {
  const [q, k] = ['q', 'k'].map((name) => numbersOf(run, 'attention.forward', name));
  const i = 4; // stream 3, head 0
  const scores = Array.from({ length: S }, (_, j) => {
    let dot = 0;
    for (let d = 0; d < D; d++) dot += q![i * D + d]! * k![j * D + d]!;
    return dot / Math.sqrt(D);
  });
  const largest = Math.max(...scores);
  const total = scores.reduce((sum, s) => sum + Math.exp(s - largest), 0);
  const names = ['slot 0', 'none', '"b"', '"y"', '"t"'];
  return scores.map((s, j) => {
    const e = Math.exp(s - largest);
    return `key ${names[j]!.padEnd(8)} s = ${fixed(s)}   e^(s - max) = ${fixed(e).trim()}   p = ${fixed(e / total).trim()}`;
  });
}

function lossLines(run: Inspection): string[] {
  const logits = run.trace.value(run.pass.logits).data.subarray(0, V);
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, z) => total + Math.exp(z - largest), 0);
  const p = Math.exp(logits[B]! - largest) / sum;
  return [
    `logit of "b" ${fixed(logits[B]!).trim()}   largest of 258 logits ${fixed(largest).trim()}`,
    `Σ e^(z - largest) = ${sum.toFixed(4)}`,
    `p("b") = e^(${fixed(logits[B]!).trim()} - ${fixed(largest).trim()}) / ${sum.toFixed(4)} = ${p.toFixed(5)}`,
    `cost = -ln ${p.toFixed(5)} = ${(-Math.log(p)).toFixed(3)} nats = ${(-Math.log2(p)).toFixed(3)} bits`,
  ];
}

/** By the formula, by the kernels, and by moving the bias and looking at the loss. */
async function gradientLines(
  device: Device,
  run: Inspection,
  parameters: ReadonlyMap<string, Float32Array>,
): Promise<string[]> {
  const { targets } = run.window;
  const probability = Array.from({ length: T }, (_, t) => {
    const row = run.trace.value(run.pass.logits).data.subarray(t * V, (t + 1) * V);
    const total = row.reduce((sum, z) => sum + Math.exp(z), 0);
    return Math.exp(row[B]!) / total;
  });
  const share = probability.map((p, t) => (p - (targets[t] === B ? 1 : 0)) / T);
  const kernels = gradientOf(run, 'head.bias')[B]!;
  const step = 1 / 64;
  const [up, down] = [await lossWith(step), await lossWith(-step)];
  const total = share.reduce((a, b) => a + b);
  // Seven digits, so that the product of what is printed is what is printed.
  return [
    `by the formula   ${total.toFixed(5)} = ${share.map((each) => each.toFixed(5)).join(' + ')}`,
    `by the kernels   ${kernels.toFixed(5)}`,
    `by trying        ${((up - down) * 32).toFixed(5)} = (${up.toFixed(7)} - ${down.toFixed(7)}) · 32`,
  ];

  async function lossWith(delta: number): Promise<number> {
    const bias = parameters.get('head.bias')!.slice();
    bias[B] = bias[B]! + delta;
    const moved = new Map(parameters).set('head.bias', bias);
    const evaluator = await Evaluator.create(device, CONFIG, { B: 1, L: 4, T }, { parameters: moved });
    const prefix = Uint32Array.from(run.window.prefix);
    const nats = await evaluator.nats({ prefix, targets, weights: new Float32Array(T).fill(1) });
    evaluator.free();
    return nats.reduce((sum, each) => sum + each, 0) / T;
  }
}

function gradientOf({ pass: { program }, trace }: Inspection, name: string): ArrayLike<number> {
  const { tensor } = program.parameters.find((entry) => entry.name === name)!;
  return trace.value(program.gradientOf(tensor)!).data;
}

function weightLines(run: Inspection): string[] {
  const { program, logits } = run.pass;
  const dLogits = run.trace.value(program.gradientOf(logits)!).data;
  const linears = entriesOf(run.trace, 'linear.forward');
  const x = numbersOf(run, 'linear.forward', 'x', linears.length - 1); // [4, 128]: only stream rows reach the head
  const rows = x.length / C - T;
  const terms = Array.from({ length: T }, (_, t) => [dLogits[t * V + B]!, x[(rows + t) * C]!] as const);
  const sum = terms.reduce((total, [d, value]) => total + d * value, 0);
  return [
    ...terms.map(
      ([d, value], t) =>
        `stream ${t}   dLogit of "b" ${fixed(d, 6)} · x[${t}, 0] ${fixed(value)} = ${fixed(d * value, 5)}`,
    ),
    `dWeight["b", 0] = ${sum.toFixed(5)}; the kernel wrote ${gradientOf(run, 'head.weight')[B * C]!.toFixed(5)}`,
  ];
}

function updateLines(run: Inspection, parameters: ReadonlyMap<string, Float32Array>): string[] {
  const { beta1, beta2, eps, clip } = OPTIMISER;
  const lr = 0.001;
  const norm = Math.hypot(...run.gradients.map(({ gradient }) => gradient));
  const factor = Math.min(1, clip / (norm + 1e-6));
  const raw = gradientOf(run, 'head.bias')[B]!;
  const g = raw * factor;
  const m = (1 - beta1) * g;
  const v = (1 - beta2) * g * g;
  const before = parameters.get('head.bias')![B]!;
  const move = (lr * (m / (1 - beta1))) / (Math.sqrt(v / (1 - beta2)) + eps);
  return [
    `norm of all ${run.gradients.length} gradients ${norm.toFixed(4)}, so each is multiplied by ${factor.toFixed(4)}`,
    `g = ${raw.toFixed(5)} · ${factor.toFixed(4)} = ${g.toFixed(5)}`,
    `m = 0.1 · g = ${m.toFixed(6)}        m̂ = m / (1 - 0.9)  = ${(m / (1 - beta1)).toFixed(5)}`,
    `v = 0.05 · g² = ${v.toFixed(8)}    v̂ = v / (1 - 0.95) = ${(v / (1 - beta2)).toFixed(7)}`,
    `bias of "b": ${before.toFixed(5)} → ${before.toFixed(5)} - 0.001 · m̂/√v̂ = ${(before - move).toFixed(5)}`,
  ];
}

function trainedLines(fresh: Inspection, trained: Inspection): string[] {
  const cost = (run: Inspection) => run.predictions.map(({ bits }) => fixed(bits, 2).trim().padStart(6)).join(' ');
  const targets = fresh.predictions.map(({ target }) => letter(target).padStart(6)).join(' ');
  const sign = (id: number) => (id > 32 && id < 127 ? letter(id) : `byte ${id}`);
  const best = trained.predictions.map(({ target, top }) => {
    const guesses = top.slice(0, 3).map(({ id, probability }) => `${sign(id)} ${probability.toFixed(2)}`);
    return `  before ${letter(target)} it expects ${guesses.join(', ')}`;
  });
  return [
    `bits for  ${targets}    mean`,
    `fresh     ${cost(fresh)}   ${fresh.bitsPerByte.toFixed(3)}`,
    `trained   ${cost(trained)}   ${trained.bitsPerByte.toFixed(3)}`,
    ...best,
  ];
}

/** The checker's report on the tiled product of 64 × 64 × 16 numbers, with one barrier removed from its text. */
function raceLines(barrier: string): string[] {
  const file = readFileSync(join(ROOT, 'shaders/gpu/matmul.tiled.wgsl'), 'utf8');
  if (!file.includes(barrier)) throw new Error(`matmul.tiled.wgsl has no line ${barrier}`);
  const constants = { TRANSPOSE_A: 0, TRANSPOSE_B: 1, BIAS: 0, ADD: 0, ALIGNED: 1, ROWS: 64, COLUMNS: 64 };
  const head = Object.entries(constants).map(([name, value]) => `const ${name}: u32 = ${value}u;`);
  const module = parseModule(`${head.join(' ')} ${file.replace(barrier, '//')}`);
  const [M, N, K] = [64, 64, 16];
  const bytes = (length: number) => new Uint8Array(4 * length);
  const bindings = [Uint32Array.of(M, N, K), M * K, N * K, 1, M * N].map((content, binding) => ({
    group: 0,
    binding,
    bytes: typeof content === 'number' ? bytes(content) : new Uint8Array(content.buffer),
  }));
  const findings = check(module, 'main', { bindings, workgroups: [1, 1, 1], subgroupSize: 32 });
  const races = findings.filter(({ kind }) => kind === 'race');
  return [`${races.length} places with a race; the first:`, ...findingText(races[0]!, module.text).split('\n')];
}
