import type { Device } from '../device/device.js';
import type { Precision } from '../engine/kernel.js';
import { matrixUnitsOf } from '../engine/tiling.js';

/** A row of a table: text, or unformatted numbers. */
export type Row = Readonly<Record<string, string | number | boolean>>;

/** Rows under one heading. */
export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Numbers by step: a line of a chart. */
export interface Curve {
  readonly label: string;
  readonly values: readonly number[];
}

/** The findings of a part. */
export interface Findings {
  /** one line for the terminal */
  readonly summary: string;
  /** the faults of this device, a line for each */
  readonly faults: readonly string[];
  /** parts left out for lack of time, or by `--quick`, a line for each */
  readonly leftOut: readonly string[];
  /** missing features and other notes that are not faults */
  readonly notes?: readonly string[];
  readonly tables?: readonly Table[];
  readonly curves?: readonly Curve[];
}

/** The context of a part. */
export interface Context {
  /** the device under test */
  readonly device: Device;
  /** opens the CPU device, with which results are compared; the part closes it */
  readonly openCpu: () => Promise<Device>;
  /** milliseconds until the part should end: 0 or less after that */
  readonly left: () => number;
  /** small sizes: for tests, and for a first look */
  readonly isQuick: boolean;
  /** progress of the part, for the status line */
  readonly progress: (text: string) => void;
}

/** One part of an examination by `doctor`. */
export interface Part {
  readonly name: string;
  /** its question, for a reader of the page */
  readonly what: string;
  /** its share of the remaining time, relative to the parts after it */
  readonly weight: number;
  readonly run: (context: Context) => Promise<Findings>;
}

/** The precisions to examine: mixed needs subgroup matrices of f16 with f32 sums. */
export function precisionsOf(device: Device): readonly Precision[] {
  return device.f16 && matrixUnitsOf(device) !== undefined ? ['full', 'mixed'] : ['full'];
}

/** `some(3, 'fault') // '3 faults'` */
export function some(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** The message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
