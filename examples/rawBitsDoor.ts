// A door of your own: each byte is its eight raw bits, and nothing else. The recipe is in src/model/README.md.
// Trainer.create takes it as `door`, with config.door 'own'.
import { type DoorBuilder, hslFeatures } from 'byte-to-loss';

/** The eight bit columns are the first of the 35; the others stay zero, at their own addresses. */
const bits = { includeBits: true, columns: [0, 1, 2, 3, 4, 5, 6, 7] };

/** Slots are K rows side by side; stream rows are narrower than dim, and are padded with zeros. */
export const rawBitsDoor: DoorBuilder = ({ K }) => ({
  slots: (ids) => {
    const rows = hslFeatures(ids, bits); // [B, P·K, 35]
    const [B, bytes, width] = rows.shape as [number, number, number];
    return rows.reshape([B, bytes / K, K * width]);
  },
  stream: (ids) => hslFeatures(ids, bits), // [B, T, 35]
});
