/**
 * Bytes per second converted to channels on one core, compared with a plain copy of the same number of floats. `npx tsx
 * bench/substrate.bench.ts`
 *
 * A row is 27 float32, so 20 MB/s in is 2.2 GB/s out. For large results the operating system's work of allocating new
 * memory outweighs ours; a copy into a fresh array pays it too, so it is measured too, and `out` avoids it. Before
 * timing, the result is checked against the codec.
 */
import { Bench } from 'tinybench';
import { integers } from '../src/common/random.js';
import { encode } from '../src/substrate/codec.js';
import { embed, embedIds } from '../src/substrate/embed.js';
import { zeroInput } from '../src/substrate/slots.js';

for (const length of [2 ** 10, 2 ** 16, 2 ** 20]) {
  const bytes = Uint8Array.from(integers(1, 'bench', length, 256));
  const ids = Uint32Array.from(bytes);
  const { features } = embed(bytes);
  const { boundary } = encode(bytes);
  if (boundary.some((value, t) => value !== features[27 * t + 16])) throw new Error('embed and the codec disagree');

  const bench = new Bench({ time: 500, warmupTime: 300 });
  const out = new Float32Array(features.length);
  bench
    .add('plain copy of the features', () => features.slice())
    .add('plain copy to an existing array', () => out.set(features))
    .add('embed', () => embed(bytes))
    .add('embed to an existing array', () => embed(bytes, { out }))
    .add('embed, bits and momentum', () => embed(bytes, { includeBits: true, momentumPhase: true }))
    .add('embedIds, rows of 256', () => embedIds(ids, { rowLength: 256 }))
    .add('zeroInput, K 8, dim 256', () => zeroInput(bytes, { K: 8, dim: 256 }))
    .add('encode', () => encode(bytes));
  await bench.run();

  console.log(`\n${length} bytes`);
  console.table(
    bench.tasks.map((task) => {
      const { result } = task;
      if (!('latency' in result)) throw new Error(`${task.name}: ${result.state}`);
      const speed = (milliseconds: number) => (length / milliseconds / 1e3).toFixed(1);
      const { p50, min, rme } = result.latency;
      return { task: task.name, 'MB/s median': speed(p50), 'MB/s best': speed(min), 'spread ±%': rme.toFixed(1) };
    }),
  );
}
