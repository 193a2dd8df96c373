import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The commit of this code, stored with each result: 40 hex digits, followed by `+changes` if sources or shaders differ
 * from it. Undefined if the code is not in its own git checkout, as in an installed package.
 */
export function commitOfCode(): string | undefined {
  const root = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));
  const git = (...words: string[]) => {
    const { status, stdout } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  // A package installed inside another checkout would report that checkout's commit.
  if (git('rev-parse', '--show-toplevel') !== root) return undefined;
  const commit = git('rev-parse', 'HEAD');
  const changes = git('status', '--porcelain', '--', 'src', 'shaders', 'package-lock.json');
  return commit && (changes === '' ? commit : `${commit}+changes`);
}
