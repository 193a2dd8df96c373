import { expect, test } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { uniform } from '../../src/common/random.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import type { DoorKind } from '../../src/model/config.js';
import { Decoder } from '../../src/model/decoder.js';
import { recordForward, toFeeds } from '../../src/model/forward.js';
import { Generator, sample } from '../../src/model/generate.js';
import { initialParameters } from '../../src/model/parameters.js';
import { TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';

const WINDOW = { prefix: 8, stream: 6 };

/** Large weights, so that an untrained decoder has something to say. */
function loud(config: typeof TINY): Map<string, Float32Array> {
  const parameters = initialParameters(config, 5);
  for (const [name, values] of parameters)
    if (name.endsWith('weight'))
      parameters.set(
        name,
        values.map((x) => x * 4),
      );
  return parameters;
}

/** Logits after the last byte of a stream, by a whole forward pass. */
async function recomputed(
  config: typeof TINY,
  parameters: Map<string, Float32Array>,
  prefix: number[],
  stream: number[],
) {
  const size = { B: 1, L: prefix.length, T: stream.length + 1 };
  const program = new Program();
  const pass = recordForward(program, config, size);
  const plan = await Plan.compile(program, await testDevice(), { keep: [pass.logits], parameters });
  const batch = {
    prefix: Uint32Array.from(prefix),
    targets: Uint32Array.from([...stream, 0]),
    weights: new Float32Array(size.T).fill(1),
  };
  for (const [tensor, data] of toFeeds(pass, batch)) plan.write(tensor, data);
  const [logits] = await plan.replayAndRead([pass.logits]);
  plan.free();
  return logits!.slice(-258);
}

test.each<DoorKind>(['zero', 'bytes', 'projected', 'bytes+previous', 'bits+context'])(
  'the %s decoder writes the same bytes through its cache as by recomputing everything',
  async (door) => {
    const config = { ...TINY, door };
    const parameters = loud(config);
    const generator = new Generator(await testDevice(), config, parameters, WINDOW);
    const prompt = [...new TextEncoder().encode('call me I')]; // 9 bytes: two slots, and no rest behind 8
    const options = { bytes: 14, temperature: 1, topK: 50, seed: 3 };
    const written: number[] = [];
    for await (const byte of generator.generate(Uint8Array.from(prompt), options)) written.push(byte);
    generator.free();
    expect(written.length).toBe(14); // over two windows: 6 bytes each

    const text = [...prompt];
    let stream: number[] = [];
    let prefix = text.slice(-WINDOW.prefix);
    for (const [i, byte] of written.entries()) {
      if (stream.length === WINDOW.stream) {
        prefix = text.slice(-WINDOW.prefix);
        stream = [];
      }
      const logits = await recomputed(config, parameters, prefix, stream);
      expect(sample(logits, 1, 50, uniform(3, 'generate', i)), `byte ${i}`).toBe(byte);
      text.push(byte);
      stream.push(byte);
    }
  },
);

test('a short prompt fills whole slots, and its rest begins the stream', async () => {
  const parameters = loud(TINY);
  const generator = new Generator(await testDevice(), TINY, parameters, WINDOW);
  const prompt = [72, 101, 108, 108, 111, 33]; // one slot of four bytes, two bytes of stream
  const [first] = await collect(generator.generate(Uint8Array.from(prompt), { bytes: 1, temperature: 0 }));
  generator.free();
  const logits = await recomputed(TINY, parameters, prompt.slice(0, 4), prompt.slice(4));
  expect(first).toBe(sample(logits, 0, 0, 0));
});

test('a stream shorter than a slot: of a prompt that leaves more behind its last slot, the last bytes are read', async () => {
  const window = { prefix: 8, stream: 2 };
  const generator = new Generator(await testDevice(), TINY, loud(TINY), window);
  const prompt = Uint8Array.of(1, 2, 3, 4, 5, 6, 7); // a slot of four, and three bytes that a stream of two cannot hold
  const written = await collect(generator.generate(prompt, { bytes: 3, temperature: 0 }));
  const shorter = await collect(generator.generate(prompt.subarray(2), { bytes: 1, temperature: 0 }));
  generator.free();
  expect(written).toHaveLength(3);
  expect(written[0]).toBe(shorter[0]); // 3 4 5 6 | 7, either way
});

test('the same seed gives the same bytes, another seed others', async () => {
  const generator = new Generator(await testDevice(), TINY, loud(TINY), WINDOW);
  const write = (seed: number) => collect(generator.generate(Uint8Array.of(1, 2, 3, 4), { bytes: 8, seed }));
  const first = await write(1);
  expect(await write(1)).toEqual(first);
  expect(await write(2)).not.toEqual(first);
  generator.free();
});

test('one text at a time: a second is refused until the first ends, is returned, or fails', async () => {
  const decoder = new Decoder(await testDevice(), TINY, { parameters: loud(TINY), window: WINDOW });
  const write = (bytes = 4) => decoder.generate(Uint8Array.of(1, 2, 3, 4), { bytes, seed: 2 });
  const whole = await collect(write());
  const first = write();
  const begun = [(await first.next()).value];
  await expect(write().next()).rejects.toThrow(InputError);
  expect([...begun, ...(await collect(first))]).toEqual(whole);
  for await (const byte of write()) if (byte === whole[0]) break;
  await expect(collect(write(-1))).rejects.toThrow('bytes must be a whole number');
  expect(await collect(write())).toEqual(whole);
  decoder.free();
});

test('it stops at EOS', async () => {
  const parameters = initialParameters(TINY, 0);
  parameters.get('head.bias')![257] = 100;
  const generator = new Generator(await testDevice(), TINY, parameters, WINDOW);
  expect(await collect(generator.generate(new Uint8Array(), { bytes: 5 }))).toEqual([]);
  generator.free();
});

test('sample keeps the k likeliest and takes the likeliest at temperature 0', () => {
  const logits = Float32Array.of(0, 3, 1, 3);
  expect(sample(logits, 0, 0, 0.99)).toBe(1);
  const drawn = new Set(Array.from({ length: 200 }, (_, i) => sample(logits, 1, 3, i / 200)));
  expect(drawn).toEqual(new Set([1, 3, 2]));
  // e³ : e³ : e¹ : 1, so the first of the two likeliest has 45.7 %
  expect(sample(logits, 1, 0, 0.45)).toBe(1);
  expect(sample(logits, 1, 0, 0.46)).toBe(3);
});

async function collect(bytes: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const byte of bytes) all.push(byte);
  return all;
}
