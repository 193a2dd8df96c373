import { InputError } from '../common/errors.js';
import { uniform } from '../common/random.js';
import type { Device } from '../device/device.js';
import { rotaryIntoCaches, rotaryTable } from '../engine/ops/rotary.js';
import { Plan } from '../engine/plan.js';
import { Program } from '../engine/program.js';
import type { Tensor } from '../engine/tensor.js';
import { EOS, MASK } from '../substrate/channels.js';
import { decoderBlocks, layer } from './blocks.js';
import type { DecoderConfig } from './config.js';
import { throughDoor } from './door.js';
import { checkComplete, declareParameters } from './parameters.js';

/** Options of generation: length and sampling. */
export interface GenerateOptions {
  /** maximum number of bytes */
  readonly bytes: number;
  /** divisor of logits; 0 takes the likeliest byte */
  readonly temperature?: number;
  /** sample from the k likeliest bytes; 0 keeps all */
  readonly topK?: number;
  readonly seed?: number;
}

/** Stream bytes of a step: a byte's channels depend on two bytes before it. */
const REACH = 3;

/** A prefix of P slots in the caches, and the step that continues from there. */
interface Session {
  readonly slots: Plan | undefined;
  readonly prefix: Tensor | undefined;
  readonly plan: Plan;
  readonly ids: Tensor;
  readonly position: Tensor;
  readonly logits: Tensor;
}

/**
 * Generates one byte after another. The prompt fills whole slots, and the rest of it begins the stream, as in training.
 * Each further byte is one row through the decoder, with the keys and values of earlier rows in caches. When the stream
 * is as long as in training, the text so far becomes the prompt and the caches are filled again.
 */
export class Generator {
  readonly #sessions = new Map<number, Session>();
  readonly #from: { readonly shared: Plan } | { readonly parameters: ReadonlyMap<string, Float32Array> };
  #base: Plan | undefined;
  #busy = false;

  /**
   * @param parameters numbers by name, or a plan that holds them and may change them: a trainer's
   * @param window bytes of prefix and stream in training
   */
  constructor(
    private readonly device: Device,
    private readonly config: DecoderConfig,
    parameters: ReadonlyMap<string, Float32Array> | Plan,
    private readonly window: { readonly prefix: number; readonly stream: number },
  ) {
    this.#from = parameters instanceof Plan ? { shared: parameters } : { parameters };
  }

  /**
   * The bytes that follow a prompt, one by one as they are generated; ends at EOS. One text at a time, since the caches
   * hold one.
   *
   * @throws InputError at the first byte, while another text is neither finished nor returned
   */
  async *generate(prompt: Uint8Array, options: GenerateOptions): AsyncGenerator<number> {
    if (this.#busy) {
      throw new InputError('generate: another text is being generated; finish it, or call its return()');
    }
    this.#busy = true;
    try {
      yield* this.#write(prompt, options);
    } finally {
      this.#busy = false;
    }
  }

  async *#write(prompt: Uint8Array, options: GenerateOptions): AsyncGenerator<number> {
    const { bytes, temperature = 1, topK = 0, seed = 0 } = options;
    checkOptions(bytes, temperature, topK);
    let text = Uint8Array.from(prompt);
    let made = 0;
    while (made < bytes) {
      // Whole slots from the end of the text; the bytes after the last whole slot begin the stream, which has room for
      // one more byte.
      const { K } = this.config;
      const P = Math.min(Math.floor(text.length / K), Math.floor(this.window.prefix / K));
      const rest = text.length >= this.window.prefix ? 0 : Math.min(text.length - P * K, this.window.stream - 1);
      const start = text.length - rest - P * K;
      const stream = [MASK, ...text.subarray(start + P * K)];
      const session = await this.#open(P, text.subarray(start, start + P * K));
      let logits = await this.#feed(session, stream, 0, P);
      for (let t = 1; t < stream.length; t++) logits = await this.#feed(session, stream, t, P);
      while (made < bytes && stream.length <= this.window.stream) {
        const id = sample(logits, temperature, topK, uniform(seed, 'generate', made));
        if (id === EOS) return;
        // MASK is never a target in training; if it is drawn nevertheless, no byte can be written for it.
        if (id > 255) return;
        yield id;
        made++;
        stream.push(id);
        text = append(text, id);
        if (made < bytes && stream.length <= this.window.stream) {
          logits = await this.#feed(session, stream, stream.length - 1, P);
        }
      }
    }
  }

  /** Logits [258] after stream[t], whose earlier rows are in the caches. */
  async #feed(session: Session, stream: readonly number[], t: number, P: number): Promise<Float32Array> {
    const reach = Array.from({ length: REACH }, (_, i) => stream[t - REACH + 1 + i] ?? MASK);
    session.plan.write(session.ids, Uint32Array.from(reach));
    session.plan.write(session.position, Uint32Array.of(P + t));
    const [logits] = await session.plan.replayAndRead([session.logits]);
    return logits!;
  }

  async #open(P: number, prefix: Uint8Array): Promise<Session> {
    let session = this.#sessions.get(P);
    if (session === undefined) {
      session = await this.#compile(P);
      this.#sessions.set(P, session);
    }
    if (session.slots !== undefined) {
      session.slots.write(session.prefix!, Uint32Array.from(prefix));
      await session.slots.replay();
    }
    return session;
  }

  /** Two programs over the same caches: all slots at once, and one stream row. */
  async #compile(P: number): Promise<Session> {
    const capacity = Math.floor(this.window.prefix / this.config.K) + this.window.stream;
    const step = new Program();
    const ids = step.input('ids', [1, REACH], 'u32');
    const position = step.input('position', [1], 'u32');
    const rows = (program: Program, parameters: ReadonlyMap<string, Tensor>, x: Tensor, at: Tensor) => {
      const { heads, dim, layers } = this.config;
      const D = dim / heads;
      const angles = program.constant('angles', [capacity, D], rotaryTable(capacity, D));
      const caches = Array.from({ length: layers }, (_, i) => ({
        k: program.state(`blocks.${i} keys`, [1, heads, capacity, D]),
        v: program.state(`blocks.${i} values`, [1, heads, capacity, D]),
      }));
      const toHeads = (qkv: Tensor, block: number) => rotaryIntoCaches(qkv, angles, at, heads, caches[block]!);
      return decoderBlocks(x, { config: this.config, parameters, P, angles, position: at, toHeads });
    };
    const parameters = declareParameters(step, this.config);
    const x = throughDoor(this.config, parameters, undefined, ids).slice(1, REACH - 1);
    const logits = layer(rows(step, parameters, x, position), { parameters }, 'head');
    if ('parameters' in this.#from) checkComplete(step, this.#from.parameters);
    const plan = await Plan.compile(step, this.device, {
      keep: [logits],
      ...(this.#base ? { shared: this.#base } : this.#from),
    });
    this.#base ??= plan;
    if (P === 0) return { slots: undefined, prefix: undefined, plan, ids, position, logits };

    const all = new Program();
    const prefix = all.input('prefix', [1, P * this.config.K], 'u32');
    const shared = declareParameters(all, this.config);
    const first = all.constant('position', [1], new Uint32Array(1));
    rows(all, shared, throughDoor(this.config, shared, prefix, undefined), first);
    const slots = await Plan.compile(all, this.device, { shared: plan });
    return { slots, prefix, plan, ids, position, logits };
  }

  /** Free GPU memory; a shared plan keeps its own. The next prompt allocates it again. */
  free(): void {
    for (const { slots, plan } of this.#sessions.values()) {
      slots?.free();
      plan.free();
    }
    this.#sessions.clear();
    this.#base = undefined;
  }
}

function checkOptions(bytes: number, temperature: number, topK: number): void {
  if (!Number.isInteger(bytes) || bytes < 0) throw new InputError(`bytes must be a whole number; got ${bytes}`);
  if (!(temperature >= 0)) throw new InputError(`temperature must be at least 0; got ${temperature}`);
  if (!Number.isInteger(topK) || topK < 0) throw new InputError(`top-k must be a whole number; got ${topK}`);
}

function append(bytes: Uint8Array, id: number): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  longer[bytes.length] = id;
  return longer;
}

/**
 * Draw an id: softmax of logits / temperature over the topK likeliest, by one uniform number. Equal logits are ordered
 * by id, so the same numbers give the same id everywhere.
 *
 *     sample(Float32Array.of(0, 3, 1), 0, 0, 0.5)   // 1, the likeliest
 */
export function sample(logits: Float32Array, temperature: number, topK: number, u: number): number {
  const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (temperature === 0) return order[0]!;
  const kept = topK > 0 ? order.slice(0, topK) : order;
  const weights = kept.map((id) => Math.exp((logits[id]! - logits[order[0]!]!) / temperature));
  let left = u * weights.reduce((sum, w) => sum + w, 0);
  for (const [i, id] of kept.entries()) {
    left -= weights[i]!;
    if (left < 0) return id;
  }
  return kept.at(-1)!;
}
