import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { FileError, InputError } from '../../common/errors.js';
import { readJsonFile, WRITTEN } from '../../common/jsonFile.js';
import { checked, issuesOf } from '../issues.js';
import { RunFolder } from './folder.js';
import { resolveTrainOptions, type TrainOptions, withAbsolutePaths } from './options.js';
import type { RunData } from './train.js';

/** The part of a run's config.json that resuming reads; the rest is for people. */
const schema = z.object({
  options: z.record(z.string(), z.unknown()),
  data_sha256: z.array(z.object({ name: z.string(), sha256: z.string() })).optional(),
  adapter: z.object({ name: z.string(), driver: z.string() }).optional(),
  versions: z.record(z.string(), z.string()).optional(),
});
type Stored = z.output<typeof schema>;

/** The hash of one input of a run. */
export interface DataHash {
  /** its path or name */
  readonly name: string;
  readonly sha256: string;
}

/** Flags of the present machine: they may change when a run is resumed, and the next resume does not take them over. */
const OF_MACHINE = new Set(['device', 'threads']);
/** Flags that may change when a run is resumed: they do not affect the results. `steps` may grow. */
const FREE = new Set([...OF_MACHINE, 'keep', 'skipNonfinite']);

/** An interrupted run: its folder, which the caller releases, and its options with the allowed changes. */
export interface ResumedRun {
  readonly folder: RunFolder;
  readonly options: TrainOptions;
  /** all of config.json, before the changes */
  readonly config: Stored;
  /** the changed options that config.json gets, so that the next resume has them too */
  readonly changes: Readonly<Record<string, unknown>>;
  /** notes for the user before the run continues */
  readonly notes: readonly string[];
}

/**
 * Open a run to resume, and take its lock. Its configuration comes from its folder; flags that contradict it are
 * refused.
 *
 * `steps` may grow. The learning rate depends on it, so the run then follows the longer schedule, and ends with other
 * weights than a run that had it from the start: a note reports this.
 *
 * @param flags as given on the command line, by option name
 * @throws FileError when the folder holds no run, another process uses it, or its config.json cannot be used
 * @throws InputError when a flag contradicts the run
 */
export function openRun(path: string, flags: Readonly<Record<string, unknown>>): ResumedRun {
  const folder = RunFolder.open(path);
  try {
    return { folder, ...configured(path, flags) };
  } catch (error) {
    folder.release();
    throw error;
  }
}

function configured(path: string, flags: Readonly<Record<string, unknown>>): Omit<ResumedRun, 'folder'> {
  const file = join(path, 'config.json');
  const config = readConfig(file);
  const before = withAbsolutePaths(resolveTrainOptions(config.options, file));
  const given = withAbsolutePaths(resolveTrainOptions({ ...before, ...flags }, '--resume'));
  const changed = (Object.keys(flags) as (keyof TrainOptions)[]).flatMap((name) =>
    isDeepStrictEqual(given[name], before[name]) ? [] : [[name, given[name]] as const],
  );
  for (const [name, value] of changed) {
    const now = JSON.stringify(before[name] ?? null);
    if (name === 'steps' ? Number(value) >= before.steps : FREE.has(name)) continue;
    const rule = name === 'steps' ? '--steps can only grow' : `--${flagOf(name)} cannot be changed`;
    throw new InputError(`--resume ${path}: ${rule}; the run has ${now}, got ${JSON.stringify(value)}`);
  }
  const options = resolveTrainOptions({ ...before, ...Object.fromEntries(changed) }, file);
  const notes =
    options.steps > before.steps
      ? [
          `--steps ${before.steps} → ${options.steps}: the learning rate follows the longer schedule from here; ` +
            'the result differs from that of a run that had it from the start',
        ]
      : [];
  const changes = Object.fromEntries(changed.filter(([name]) => !OF_MACHINE.has(name)));
  return { options, config, changes, notes };
}

/** flagOf('evalEvery') // 'eval-every' */
function flagOf(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function readConfig(file: string): Stored {
  const result = checked(schema.loose(), readJsonFile(file, WRITTEN));
  if (!result.success) throw new FileError(`${file}: cannot be used: ${issuesOf(result.error, '')}`);
  return result.data;
}

/**
 * Compare the run with the present machine, version and data.
 *
 * @returns lines with the reasons that bits may differ
 * @throws InputError when the data has changed: the rest of the run would be another experiment
 */
export function differences(run: ResumedRun, now: Pick<Stored, 'data_sha256' | 'adapter' | 'versions'>): string[] {
  const { config, folder } = run;
  // Names are not compared: the same files may be in another folder.
  const before = config.data_sha256 ?? [];
  const changed = (now.data_sha256 ?? []).filter(({ sha256 }, i) => before[i] && before[i].sha256 !== sha256);
  if (changed.length > 0) {
    const names = changed.map(({ name }) => name).join(', ');
    throw new InputError(
      `--resume ${folder.path}: the data has changed since the run began: ${names}. Bring it back, or begin a new run`,
    );
  }
  const lines: string[] = [];
  const differ = 'the run continues, but its bits may differ from those of an uninterrupted one';
  const adapter = config.adapter?.name;
  if (adapter !== now.adapter?.name || config.adapter?.driver !== now.adapter?.driver) {
    lines.push(`begun on ${adapter ?? 'another adapter'}, now on ${now.adapter?.name}: ${differ}`);
  }
  for (const [name, version] of Object.entries(now.versions ?? {})) {
    const before = config.versions?.[name];
    if (before !== version) lines.push(`begun with ${name} ${before}, now ${version}: ${differ}`);
  }
  return lines;
}

/**
 * A hash of each input of a run, in the order of its options: text files, manifests with the
 * recordings or films they name, generators.
 */
export function fingerprint({ validation: sources }: Pick<RunData, 'validation'>): DataHash[] {
  return sources.flatMap(({ contents }) =>
    [...(contents?.() ?? [])].map(({ name, pieces }) => {
      const hash = createHash('sha256');
      for (const piece of pieces) hash.update(`${Buffer.byteLength(piece)}:`).update(piece);
      return { name, sha256: hash.digest('hex') };
    }),
  );
}
