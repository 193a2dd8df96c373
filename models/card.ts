import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What is known of a shipped decoder: how it was trained, on what, and what it reaches. Bits are bits per byte. */
export interface Card {
  readonly command: string;
  readonly device: string;
  readonly version: string;
  readonly data: { readonly name: string; readonly licence: string; readonly sha256: string };
  readonly parameters: number;
  readonly steps: number;
  /** the file is the checkpoint of this step: the one with the lowest validation loss */
  readonly step: number;
  /** of the first batches, each before its update: to compare a training with this one */
  readonly firstLosses: readonly number[];
  /** loss on held-out windows, by step */
  readonly validation: readonly { readonly step: number; readonly bits: number }[];
  readonly heldOut: {
    readonly windows: number;
    readonly float32: number;
    readonly float16: number;
    /** of the first 8 windows, with the float16 weights: a short test */
    readonly firstWindows: number;
  };
  /** the held-out text by other means */
  readonly baselines: { readonly uniform: number; readonly order0: number; readonly gzip: number };
  readonly file: { readonly name: string; readonly bytes: number; readonly sha256: string };
}

/** The text of a file in this folder. */
export const inModels = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The card of the decoder in this folder. */
export function readCard(): Card {
  return JSON.parse(readFileSync(inModels('moby-dick.json'), 'utf8')) as Card;
}
