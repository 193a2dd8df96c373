import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from './report.js';
import { ended, hashes, metricsOf, start, TINY_RUN } from './runs.js';

/** The same seeded run again and again, each in a process of its own: weights, moments and metrics must have one hash. */
export async function determinism(runs = 20): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-determinism-'));
  const flags = [...TINY_RUN, '--steps', '50', '--save-every', '25', '--eval-every', '10', '--accumulate', '2'];
  const found = new Map<string, number>();
  const broken: string[] = [];
  let adapter = '';
  for (let i = 0; i < runs; i++) {
    const run = join(folder, `${i}`);
    const { code, error } = await ended(start(['train', ...flags, '--out', run]));
    if (code !== 0) broken.push(`run ${i}: exit ${code}: ${error.slice(-300)}`);
    const hash = createHash('sha256').update(JSON.stringify([...hashes(run)]));
    const hex = hash.update(metricsOf(run).join('\n')).digest('hex').slice(0, 16);
    found.set(hex, (found.get(hex) ?? 0) + 1);
    adapter = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')).adapter.name;
    rmSync(run, { recursive: true });
  }
  rmSync(folder, { recursive: true });
  if (found.size > 1) broken.push(`hashes and how often: ${JSON.stringify(Object.fromEntries(found))}`);
  return {
    promise: 'the same seed gives the same checkpoints and metrics, to the bit',
    counts: { runs, 'different hashes': found.size },
    adapter,
    broken,
  };
}
