import { formatShape } from '../common/shape.js';
import type { Plan } from '../engine/plan.js';

/** A plan as readable text: dispatches with their constants, memory, and the tensors that share each buffer. */
export function describe(plan: Plan): string {
  const { bytes } = plan;
  const mib = (n: number) => `${(n / 2 ** 20).toFixed(2)} MiB`;
  const pipelines = new Set(plan.dispatches.map(({ pipeline }) => pipeline)).size;
  const lines = [
    `${plan.program.entries.length} entries, ${plan.dispatches.length} dispatches, ${pipelines} pipelines, 1 submit a replay`,
    `memory ${mib(bytes.total)}: parameters, gradients and moments ${mib(bytes.flat)}, activations ${mib(bytes.activations)}` +
      ` (unshared ${mib(bytes.unshared)}), inputs and constants ${mib(bytes.fixed)}`,
    '',
  ];
  for (const { entry, dispatch } of plan.dispatches) {
    const constants = Object.entries(dispatch.constants ?? {}).map(([name, value]) => `${name}=${value}`);
    const outputs = entry.outputs.map((output) => formatShape(output.shape)).join(' ');
    lines.push(
      `${String(entry.index).padStart(4)} ${entry.phase.padEnd(6)} ${entry.scope.padEnd(20)} ` +
        `${dispatch.shader.padEnd(30)} ${dispatch.workgroups.join('×').padEnd(12)} ${outputs} ${constants.join(' ')}`,
    );
  }
  lines.push('', 'buffers shared by liveness (entry of first write .. entry of last read):');
  plan.memory.forEach(({ size, allocations }, i) => {
    const users = allocations.map(({ of, from, to }) => `${of.label} ${from}..${to === Infinity ? 'kept' : to}`);
    lines.push(`${String(i).padStart(4)} ${mib(size).padStart(11)}  ${users.join(' | ')}`);
  });
  return lines.join('\n');
}
