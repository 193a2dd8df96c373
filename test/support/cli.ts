import { vi } from 'vitest';
import { main } from '../../src/cli/main.js';

/** Run one command line in this process; what it printed, and its exit code. */
export async function cli(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const text = (chunk: unknown) =>
    typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('latin1');
  const toOut = (more: string) => {
    out += more;
  };
  const toError = (more: string) => {
    error += more;
  };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((line) => toOut(`${line}\n`)),
    vi.spyOn(console, 'error').mockImplementation((line) => toError(`${line}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      toOut(text(chunk));
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      toError(text(chunk));
      return true;
    }),
  ];
  try {
    const code = await main(argv);
    return { code, out, error };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}
