import { reason } from '../common/atomicWrite.js';
import { printable } from '../train/windows/show.js';

let failure: NodeJS.ErrnoException | undefined;

/**
 * Listen for output that can no longer be written: a closed pipe, a full disk. Without a listener Node would end the
 * process at once, with a stack trace, in the middle of its work.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners('error').includes(note)) stream.on('error', note);
  }
}

/** Wait until a stream has had time to report an error about the last line. */
export function outputSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The reason that output fails; undefined while it works. */
export function outputError(): string | undefined {
  return failure && (failure.code === 'EPIPE' ? 'the output was closed (EPIPE)' : `output: ${reason(failure)}`);
}

function note(error: NodeJS.ErrnoException): void {
  failure ??= error;
}

/** Has the reader closed the output, as `head` does after enough lines? */
export function outputClosed(): boolean {
  return failure?.code === 'EPIPE';
}

/**
 * Makes text that may contain names from files safe for a terminal, which obeys control characters: only line ends
 * stay.
 */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
