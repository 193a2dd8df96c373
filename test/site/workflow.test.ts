import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string | number>>;
}

const { jobs } = parse(readFileSync('.github/workflows/site.yml', 'utf8')) as {
  jobs: Record<string, { needs?: string; steps: Step[] }>;
};
const { scripts, engines } = JSON.parse(readFileSync('package.json', 'utf8'));
const step = (action: string) => jobs.build!.steps.find(({ uses }) => uses?.startsWith(`actions/${action}@`))!;

test('the workflow that publishes the site runs what package.json has, in order, on a version of Node that it allows', () => {
  const runs = jobs.build!.steps.flatMap(({ run }) => run ?? []);
  expect(runs).toEqual(['npm ci', 'npm run site']);
  expect(scripts.site).toBe('tsx site/build.ts');
  expect(existsSync('package-lock.json')).toBe(true); // for npm ci, and for the cache of setup-node
  const [, major] = /^>=(\d+)\./.exec(engines.node)!;
  expect(Number(step('setup-node').with!['node-version'])).toBeGreaterThanOrEqual(Number(major));
});

test('it publishes the folder that the build writes', () => {
  const written = /process\.argv\[2\] \?\? '([^']+)'/.exec(readFileSync('site/build.ts', 'utf8'))![1];
  expect(step('upload-pages-artifact').with!.path).toBe(written);
  expect(jobs.publish!.needs).toBe('build');
});
