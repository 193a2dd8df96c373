import { expect } from 'vitest';

/** True for two arrays of one type and the same bits; undefined leaves the question to the comparison of each number. */
function equalArrays(a: unknown, b: unknown): true | undefined {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return undefined;
  const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b)) ? true : undefined;
}

// To compare two arrays of a million numbers one by one takes seconds. Imported for this, once in a process.
expect.addEqualityTesters([equalArrays]);
