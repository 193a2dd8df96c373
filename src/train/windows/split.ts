import type { Split } from './window.js';

/**
 * Is item `index` held out, when every tenth is (share 0.1)? Items at which the running share passes a whole number
 * are: the split is even and fixed, and added items do not change it for earlier ones.
 *
 *     [0 .. 19] at 0.1 // 9 and 19
 */
export function isHeldOut(index: number, share: number): boolean {
  return Math.floor((index + 1) * share) > Math.floor(index * share);
}

/** Are there enough items to hold out whole ones? */
export function canHoldOutWhole(count: number, share: number): boolean {
  return Math.floor(count * share) > 0;
}

/** `count` of `total` places, evenly spaced, each in the middle of its share: the `index`-th. */
export function evenly(index: number, count: number, total: number): number {
  return Math.floor(((index + 0.5) * total) / count);
}

/** The side of item `index` in a list that is split item by item. */
export function splitOf(index: number, share: number): Split {
  return isHeldOut(index, share) ? 'validation' : 'train';
}
