/**
 * byte-to-loss: everything, from one name. Importing it touches no GPU; `openDevice` does. The parts stand alone too:
 * `byte-to-loss/substrate` (pure TypeScript, also in a browser), `/engine`, `/model`, `/train`.
 */
export * from './engine.js';
export * from './model/index.js';
export * from './substrate/index.js';
export * from './train/index.js';
