import type { Device } from '../device/device.js';
import type { Plan, ReplayOptions } from './plan.js';

/** Runs the replays of plans in its own way, to look at them: `DEBUG` and `PARITY` are one, in src/inspect/debug.ts. */
export type Observer = (plan: Plan, options: ReplayOptions) => Promise<void>;

const observers = new WeakMap<Device, Observer>();

/** Hand in an observer of every replay on a device; without one, replays run unobserved again. */
export function observe(device: Device, observer?: Observer): void {
  if (observer === undefined) observers.delete(device);
  else observers.set(device, observer);
}

/** The observer of a device, if there is one. */
export function observerOf(device: Device): Observer | undefined {
  return observers.get(device);
}
