import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../common/json.js';
import { readJsonLines } from '../common/jsonl.js';
import type { Measures } from '../train/measures.js';

/** A line of metrics.jsonl for an update. */
export interface StepLine {
  readonly step: number;
  readonly kind: string;
  readonly bits_per_byte: number;
  readonly milliseconds: number;
}

/** A line for a validation. */
export interface ValidationLine {
  readonly step: number;
  readonly measures: Measures;
}

/**
 * A run's metrics.jsonl: updates and validations, each step once (its last line counts). Incomplete lines, from a
 * killed process, are skipped.
 */
export function readMetrics(runFolder: string): { steps: StepLine[]; validations: ValidationLine[] } {
  const path = join(runFolder, 'metrics.jsonl');
  const steps = new Map<number, StepLine>();
  const validations = new Map<number, ValidationLine>();
  for (const { value: line } of existsSync(path) ? readJsonLines(path) : []) {
    if (!isRecord(line) || typeof line.step !== 'number') continue;
    if (typeof line.kind === 'string' && typeof line.bits_per_byte === 'number') {
      steps.set(line.step, line as unknown as StepLine);
    } else if (line.kind === undefined) {
      const { step, ...measures } = line;
      const numbers = Object.entries(measures).filter(([, value]) => typeof value === 'number');
      if (numbers.length > 0)
        validations.set(line.step, { step: line.step, measures: Object.fromEntries(numbers) as Measures });
    }
  }
  return { steps: [...steps.values()], validations: [...validations.values()] };
}
