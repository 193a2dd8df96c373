import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The commit of this code, so that a result says what it was computed with: 40 hex digits, with `+changes` behind them where
 * sources or shaders differ from it. Undefined where the code is not in a git checkout of its own, as in an installed package.
 */
export function commitOfCode(): string | undefined {
  const root = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));
  const git = (...words: string[]) => {
    const { status, stdout } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  // A package installed inside of somebody's checkout has that checkout's commit, which says nothing of it.
  if (git('rev-parse', '--show-toplevel') !== root) return undefined;
  const commit = git('rev-parse', 'HEAD');
  const changes = git('status', '--porcelain', '--', 'src', 'shaders', 'package-lock.json');
  return commit && (changes === '' ? commit : `${commit}+changes`);
}
