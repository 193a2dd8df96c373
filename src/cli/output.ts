import { reason } from '../common/atomicWrite.js';
import { printable } from '../train/windows/show.js';

let failure: NodeJS.ErrnoException | undefined;

/**
 * Listen for output that cannot be written any more: a closed pipe, a full disk. Without a listener Node would end the
 * process on the spot, with a stack trace, in the middle of whatever it does.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners('error').includes(note)) stream.on('error', note);
  }
}

/** Wait until a stream has had its turn to complain about the last line. */
export function outputSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Why nothing can be printed any more; undefined as long as everything could. */
export function outputError(): string | undefined {
  return failure && (failure.code === 'EPIPE' ? 'the output was closed (EPIPE)' : `output: ${reason(failure)}`);
}

function note(error: NodeJS.ErrnoException): void {
  failure ??= error;
}

/** Has the reader closed the output, as `head` does once it has read enough? */
export function outputClosed(): boolean {
  return failure?.code === 'EPIPE';
}

/** Words that may hold names from files, for a terminal: it obeys control characters, and only ends of lines are wanted. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
