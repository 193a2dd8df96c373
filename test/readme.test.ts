import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { registry } from '../src/engine/ops/index.js';
import { cli } from './support/cli.js';

const FILE = 'README.md';

/**
 * The part of the README between `<!-- name -->` and `<!-- /name -->` must be what a command prints today;
 * `UPDATE_GOLDEN=1` writes it anew.
 */
function expectSection(name: string, text: string): void {
  const readme = readFileSync(FILE, 'utf8');
  const section = new RegExp(`(<!-- ${name} -->\n)([\\s\\S]*?)(<!-- /${name} -->)`);
  expect(section.test(readme), `README.md has a section ${name}`).toBe(true);
  if (process.env.UPDATE_GOLDEN) {
    writeFileSync(
      FILE,
      readme.replace(section, (_, open, __, close) => `${open}${text.trim()}\n${close}`),
    );
  } else {
    expect(section.exec(readme)![2]).toBe(`${text.trim()}\n`);
  }
}

test('the walk in the README is what `npm run walk` prints on the bundled driver', async () => {
  const { out } = await cli('walk');
  expectSection('walk', out);
});

test('the op table in the README is the registry', () => {
  const rows = registry.map(({ name, shaders }) => {
    const files = shaders.map((shader) => `\`${shader}\``).join(', ');
    return `| [${name}](src/engine/ops/${name}.ts) | ${files} |`;
  });
  expectSection('ops', ['| op | kernels |', '|---|---|', ...rows].join('\n'));
});
