import type { Device } from '../device/device.js';
import type { Plan, ReplayOptions } from './plan.js';

/** Runs the replays of plans itself in order to observe them: `DEBUG` and `PARITY` use one, in src/inspect/debug.ts. */
export type Observer = (plan: Plan, options: ReplayOptions) => Promise<void>;

/** The observer of every replay on a device, if it has one. */
export const observers = new WeakMap<Device, Observer>();
