import { opFile } from '../../src/cli/inspect/opFile.js';

const sources = import.meta.glob<string>('../../src/engine/ops/*.ts', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** The file that defines an op, unchanged. */
export function opSource(op: string): { readonly file: string; readonly text: string } {
  const file = opFile(op);
  return { file, text: sources[`../../${file}`] ?? '' };
}
