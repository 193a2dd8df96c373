import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { experimentCommand } from '../../src/cli/experiment.js';

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/); // an RFC 1123 label
const whole = z.number().int().positive();
const amounts = z.partialRecord(z.enum(['cpu', 'memory', 'nvidia.com/gpu']), z.string().regex(/^\d+(m|[KMG]i)?$/));

/**
 * The parts of a batch/v1 Job that the manifest uses, and no others, so that a misspelt field is found: the API's schema,
 * and its rules for an Indexed Job. A package of the schema would be a quarter of the files that npm installs.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
 */
const job = z.strictObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata: z.strictObject({ name }),
  spec: z.strictObject({
    completionMode: z.literal('Indexed'),
    completions: whole, // an Indexed Job must have them
    parallelism: whole,
    backoffLimitPerIndex: whole, // only with restartPolicy Never
    template: z.strictObject({
      spec: z
        .strictObject({
          restartPolicy: z.literal('Never'),
          terminationGracePeriodSeconds: whole,
          containers: z
            .array(
              z.strictObject({
                name,
                image: z.string().min(1),
                command: z.array(z.string()).min(1),
                args: z.array(z.string()),
                resources: z.strictObject({ requests: amounts, limits: amounts }),
                env: z.array(z.strictObject({ name: z.string().regex(/^[A-Z_]+$/), value: z.string() })),
                volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith('/') })),
              }),
            )
            .min(1),
          volumes: z.array(z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: name }) })),
        })
        .refine(
          ({ containers, volumes }) =>
            containers.every((each) => each.volumeMounts.every((mount) => volumes.some((v) => v.name === mount.name))),
          'a mount names a volume that is not there',
        ),
    }),
  }),
});

it('the Kubernetes manifest is an Indexed Job that runs the shipped grid, a cell to a pod', () => {
  const manifest = parse(readFileSync('cluster/kubernetes-indexed-job.yaml', 'utf8'));
  const { spec } = job.parse(manifest);
  const [container] = spec.template.spec.containers;
  const [program, command, ...flags] = [...container!.command, ...container!.args];
  expect([program, command]).toEqual(['byte-to-loss', 'experiment']);
  const given = experimentCommand().exitOverride();
  given.parseOptions(flags);
  expect(given.opts()).toMatchObject({ cell: true, grid: 'grids/tiny.json' });
  // It insists on a GPU, and asks for one with a driver that has Vulkan.
  const env = Object.fromEntries(container!.env.map(({ name, value }) => [name, value]));
  expect(env).toEqual({ BYTE_TO_LOSS_DEVICE: 'gpu', NVIDIA_DRIVER_CAPABILITIES: expect.stringContaining('graphics') });
  expect(container!.resources.limits).toMatchObject({ 'nvidia.com/gpu': '1' });
  const { arms, seeds } = JSON.parse(readFileSync(given.opts().grid as string, 'utf8'));
  expect(spec.completions).toBe(arms.length * seeds.length);
  expect((given.opts().out as string).startsWith(container!.volumeMounts[0]!.mountPath)).toBe(true);
});

it('the Slurm script runs a cell, or with --collect the report, and is sound bash', () => {
  const { BYTE_TO_LOSS_DEVICE: _, ...rest } = process.env;
  const run = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    // This `srun` replaces Slurm's own: it prints the command that it would run.
    execFileSync(
      'bash',
      ['-c', 'srun() { printf "%s " "$BYTE_TO_LOSS_DEVICE" "$@"; }; . cluster/slurm-array.sh "$@"', '-', ...args],
      {
        encoding: 'utf8',
        env: { ...rest, BYTE_TO_LOSS: 'program', ...more },
      },
    ).trim();
  const grid = ['g.json', 'runs/x'];
  expect(run(grid)).toBe('gpu program experiment --grid g.json --out runs/x --cell');
  expect(run([...grid, '--collect'])).toBe('gpu program experiment --grid g.json --out runs/x --collect');
  expect(run(grid, { BYTE_TO_LOSS_DEVICE: 'cpu' })).toMatch(/^cpu program /);
  for (const script of ['cluster/slurm-array.sh', 'test/cluster/slurm.sh']) execFileSync('bash', ['-n', script]);
});
