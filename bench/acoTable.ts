/* Print the tables of `aco.sh`, a chip each. Arguments: paths of the recorded statistics without `.txt`. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fits, readStatistics, table } from './acoStats.js';

for (const path of process.argv.slice(2)) {
  const rows = readStatistics(readFileSync(`${path}.txt`, 'utf8'));
  const bad = rows.filter((row) => !fits(row)).length;
  console.log(`\n${basename(path)}: ${rows.length} pipelines, ${bad} with spills or scratch\n${table(rows)}`);
  if (bad > 0) process.exitCode = 1;
}
