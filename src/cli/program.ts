import { basename, dirname, join } from 'node:path';

/**
 * The command that starts this program from any folder: that of this process, in a form that does not depend on the
 * working folder. A source checkout starts through npm, a package through its own command.
 *
 * @param entry the script that Node runs
 */
export function programCommand(entry = process.argv[1] ?? 'byte-to-loss'): string {
  if (entry.endsWith('.ts')) {
    const checkout = join(dirname(entry), '..');
    return `npm --prefix ${shellWord(checkout)} run --silent byte-to-loss --`;
  }
  if (basename(entry) !== 'byte-to-loss') return `node ${shellWord(entry)}`;
  // A command in node_modules/.bin is only on the PATH of npx and npm scripts.
  return entry.includes('node_modules') ? shellWord(entry) : 'byte-to-loss';
}

/** A word as a POSIX shell reads it back. `shellWord("it's") // "'it'\\''s'"` */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
