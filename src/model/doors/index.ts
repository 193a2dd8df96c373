import { projected, zero, zeroScaled } from './channels.js';
import { learned, permuted, random } from './controls.js';
import type { DoorDefinition } from './definition.js';
import { bytes, bytesPrevious, bytesUntied } from './embeddings.js';
import { bits, bitsWithContext } from './rawBits.js';

/**
 * Every door by name.
 *
 * | door                      | slots                                              | stream                       |
 * |---------------------------|----------------------------------------------------|------------------------------|
 * | zero                      | K rows of HSL channels side by side                | one row of HSL channels      |
 * | zero-scaled               | those times a constant: a root mean square of 1    | likewise                     |
 * | projected                 | those of zero through a linear layer               | likewise                     |
 * | learned, random, permuted | as zero, with another table of value columns       | likewise                     |
 * | bytes                     | the first ⌊dim/K⌋ columns of each byte's embedding | its whole embedding          |
 * | bytes-untied              | embeddings of ⌊dim/K⌋ columns, of its own table   | embeddings of another table  |
 * | bytes+previous            | as bytes-untied, plus embeddings of the byte before | likewise                    |
 * | bits                      | K times eight raw bits                             | eight raw bits               |
 * | bits+context              | K times the bits of a byte and its predecessor     | likewise                     |
 */
export const DOORS = {
  zero,
  'zero-scaled': zeroScaled,
  projected,
  bytes,
  'bytes-untied': bytesUntied,
  'bytes+previous': bytesPrevious,
  bits,
  'bits+context': bitsWithContext,
  learned,
  random,
  permuted,
} satisfies Readonly<Record<string, DoorDefinition>>;
