import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/*
 * A busy machine is slow, not wrong: tests expect nothing of a clock. Speed is measured by bench/ and recorded in
 * bench/RECORD.md. The time limit of a test only stops one that hangs, and vitest.config.ts sets it for all.
 */

/** Reading a clock. A time that only dates a file, `new Date(Date.now() - age)`, is not measured and not listed here. */
const CLOCK =
  /\bperformance\b|\bhrtime\b|console\.time|process\.(?:uptime|cpuUsage|resourceUsage)|new Date\(\)|(?<!new Date\()Date\.now\b/;
/** A time limit of one test, one hook, or one child process. */
const LIMIT = /\btimeout: *\d|^\}, *[\d_]+\);$/;

/** The lines of a test that read a clock or set a time limit. `clocksIn('const t = Date.now();') // ['const t = Date.now();']` */
function clocksIn(text: string): string[] {
  return text.split('\n').filter((line) => CLOCK.test(line) || LIMIT.test(line));
}

test('no test reads a clock or sets a time limit of its own', () => {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'test/**.ts'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    // The reliability tools are run on purpose, on a quiet machine, and report times.
    .filter((file) => file !== 'test/clocks.test.ts' && !/^test\/reliability\/\w+\.ts$/.test(file));
  expect(files.length).toBeGreaterThan(80);
  expect(files).toContain('test/reliability/quick.test.ts');
  expect(
    files.flatMap((file) => clocksIn(readFileSync(file, 'utf8')).map((line) => `${file}: ${line.trim()}`)),
  ).toEqual([]);
});

test('a clock is found in each of its forms', () => {
  const planted = [
    'const start = performance.now();',
    "import { performance } from 'node:perf_hooks';",
    'const { now } = performance;',
    'expect(process.hrtime.bigint() - start).toBeLessThan(3n);',
    'const started = Date.now();',
    'expect(+new Date() - started).toBeLessThan(1000);',
    'const { user } = process.cpuUsage(start);',
    '}, 20_000);',
    '      timeout: 30_000,',
  ];
  expect(clocksIn(planted.join('\n'))).toEqual(planted);
  expect(clocksIn('const then = new Date(Date.now() - 180_000);\n  }, 5);')).toEqual([]);
});
