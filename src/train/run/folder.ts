import { appendFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../../engine/errors.js';
import { writeFileAtomic } from '../atomicWrite.js';

/** A line of metrics.jsonl. */
export type Metrics = Readonly<Record<string, number | string>>;

/**
 * Everything a run leaves behind:
 *
 *     config.json           the resolved configuration, with versions, seed and adapter
 *     metrics.jsonl         a line per step, and per validation
 *     checkpoints/          step-000100.safetensors, and beside it the optimiser's moments
 *     sample.txt            what the decoder writes at the end
 */
export class RunFolder {
  private constructor(readonly path: string) {}

  /**
   * Make a new run folder.
   *
   * @throws FileError when it holds a run already, or cannot be written
   */
  static create(path: string): RunFolder {
    if (existsSync(join(path, 'config.json')) || existsSync(join(path, 'checkpoints'))) {
      throw new FileError(`${path}: holds a run already; name another folder with --out, or remove this one`);
    }
    try {
      mkdirSync(join(path, 'checkpoints'), { recursive: true });
    } catch (error) {
      throw new FileError(
        `${path}: cannot be made a run folder (${(error as Error).message}); name another with --out`,
      );
    }
    return new RunFolder(path);
  }

  writeConfig(config: object): void {
    writeFileAtomic(join(this.path, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  log(metrics: Metrics): void {
    try {
      appendFileSync(join(this.path, 'metrics.jsonl'), `${JSON.stringify(metrics)}\n`);
    } catch (error) {
      throw new FileError(`${join(this.path, 'metrics.jsonl')}: cannot be written: ${(error as Error).message}`);
    }
  }

  /** `checkpoints/step-000100.safetensors` */
  checkpointPath(step: number): string {
    return join(this.path, 'checkpoints', `step-${String(step).padStart(6, '0')}.safetensors`);
  }

  writeSample(text: string | Uint8Array): void {
    writeFileAtomic(join(this.path, 'sample.txt'), text);
  }

  /** Checkpoints with weights, newest last. */
  checkpoints(): string[] {
    return readdirSync(join(this.path, 'checkpoints'))
      .filter((name) => /^step-\d+\.safetensors$/.test(name))
      .sort()
      .map((name) => join(this.path, 'checkpoints', name));
  }
}

/** `runs/2026-11-23T18-04-11-tiny-zero` */
export function defaultRunPath(size: string, door: string, now = new Date()): string {
  return join('runs', `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-${size}-${door}`);
}
