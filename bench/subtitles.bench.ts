/**
 * Parsing time of subtitles whose tags never close, at three lengths: a linear reader takes ten times as long for ten
 * times as many. `npx tsx bench/subtitles.bench.ts`
 */
import { Bench } from 'tinybench';
import { Skipped } from '../src/train/data/skipped.js';
import { parseSrt } from '../src/train/data/srt.js';
import { rowsOf } from './suite.js';

const bench = new Bench({ time: 500, warmupTime: 100 });
for (const length of [1e4, 1e5, 1e6]) {
  const bytes = new TextEncoder().encode(`1\n00:00:01,000 --> 00:00:02,000\n${'<'.repeat(length)}`);
  bench.add(`${length} open tags`, () => {
    const [cue] = parseSrt(bytes, 'bench.srt', new Skipped());
    if (cue?.text.length !== length) throw new Error('the tags were not read as text');
  });
}
await bench.run();
console.table(rowsOf(bench));
