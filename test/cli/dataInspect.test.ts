import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { dataCommand } from '../../src/cli/dataInspect.js';

const folder = mkdtempSync(join(tmpdir(), 'inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What `data inspect` prints; errors of commander are thrown instead of ending the process. */
function inspect(...args: string[]): string {
  const command = dataCommand();
  const quiet = (each: Command) => {
    each.exitOverride().configureOutput({ writeErr: () => undefined });
    each.commands.forEach(quiet);
  };
  quiet(command);
  let printed = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  try {
    command.parse(['inspect', ...args], { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return printed;
}

describe('data inspect', () => {
  it('shows the default text, made sounds and made scenes', () => {
    const printed = inspect();
    expect(printed).toMatch(/^text: Moby Dick: 1,0\d\d,\d{3} bytes to train on/);
    expect(printed).toContain(
      'audio: made sounds: 2,048 combinations, 1,043 of them held out whole, 1,005 to train on\n',
    );
    expect(printed).toContain(
      'video: made scenes: 2,380 combinations, 1,210 of them held out whole, 1,170 to train on\n',
    );
    expect(printed).toMatch(/\n {4}│.*[▒█].*│\n/);
    expect(inspect()).toBe(printed);
    expect(inspect('--window', '1')).not.toBe(printed);
    expect(inspect('--split', 'train', '--seed', '3')).not.toBe(inspect('--split', 'train', '--seed', '4'));
  });

  it('counts and names what was left out', () => {
    const path = join(folder, 'docs.jsonl');
    writeFileSync(path, `${'{"text":"some words to show"}\n'.repeat(20)}${'no\n'.repeat(12)}`);
    const printed = inspect('--text', path, '--prefix', '8', '--stream', '8');
    expect(printed).toContain('left out: 12\n');
    expect(printed.match(/ {2}left out: .*docs.jsonl:\d+: not JSON/g)?.length).toBe(10);
    expect(printed).toContain('  left out: 2 more');
    expect(printed).not.toContain('made');
    expect(() => inspect('--text', path, '--strict')).toThrow('docs.jsonl:21: not JSON');
  });

  it('refuses wrong values and flags', () => {
    expect(() => inspect('--window', '64', '--made', 'both')).toThrow(
      'made sounds: --window must be below 64, the number of held-out windows; got 64',
    );
    expect(() => inspect('--prefix', '0')).toThrow('It must be at least 1.');
    expect(() => inspect('--seed', '-1')).toThrow('It must be a whole number.');
    expect(() => inspect('--validation', '1')).toThrow('It must be between 0 and 1.');
    expect(() => inspect('--split', 'test')).toThrow('Allowed choices are train, validation');
    expect(() => inspect('--vidoe', 'x')).toThrow("unknown option '--vidoe'");
  });
});
