/**
 * byte-to-loss: all exports under one name. Importing it opens no GPU; `openDevice` does. The parts can be imported
 * alone: `byte-to-loss/substrate` (pure TypeScript, also in a browser), `/engine`, `/model`, `/train`.
 *
 * @module
 */
export * from './engine.js';
export * from './model/index.js';
export * from './substrate/index.js';
export * from './train/index.js';
