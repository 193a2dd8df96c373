import type { Device } from '../device/device.js';
import type { Plan, ReplayOptions } from './plan.js';

/** Runs the replays of plans itself in order to observe them: `DEBUG` and `PARITY` use one, in src/inspect/debug.ts. */
export type Observer = (plan: Plan, options: ReplayOptions) => Promise<void>;

const observers = new WeakMap<Device, Observer>();

/** Set the observer of every replay on a device; undefined removes it. */
export function observe(device: Device, observer?: Observer): void {
  if (observer === undefined) observers.delete(device);
  else observers.set(device, observer);
}

/** The observer of a device, if there is one. */
export function observerOf(device: Device): Observer | undefined {
  return observers.get(device);
}
