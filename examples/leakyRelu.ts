// An op of your own, from kernel to gradient: y = x where x > 0, else slope · x. The recipe is in src/engine/README.md.
import { addShader, type Op, type OpRow, onePerInvocation, type Tensor } from 'byte-to-loss/engine';

const wgsl = /* wgsl */ `
// leakyRelu   y = gain where x > 0, else slope * gain
//   x, gain, y  [n]   gain is x in the forward pass, dY in the backward pass
struct Params { n: u32, slope: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gain: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  y[i] = select(params.slope * gain[i], gain[i], x[i] > 0.0);
}`;
addShader('leakyRelu', wgsl);

/** `y = x` where `x > 0`, else `slope · x`. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return x.program.record(op, [x, x], { slope })[0]!;
}

/**
 * One op is its own gradient: leakyRelu scales x, its gradient scales dY, by 1 or slope, depending on the sign of x.
 */
const op: Op<{ slope: number }> = {
  name: 'leakyRelu',
  formula: 'y = gain where x > 0, else slope · gain',
  inputs: ['x', 'gain'],
  outputs: ['y'],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x, gain], { slope }) => [gain!.data.map((g, i) => (x!.data[i]! > 0 ? g : slope * g))],
  dispatches: ({ tensors, attributes: { slope } }) => [
    onePerInvocation('leakyRelu', tensors.x!.size, tensors, { n: tensors.x!.size, slope }),
  ],
  backward({ inputs: [x, gain], attributes, gradients: [dY], addGradient }) {
    if (gain!.requiresGradient) addGradient(gain!, x!.program.record(op, [x!, dY!], attributes)[0]!);
  },
};

/** The row that registers the op for the contract tests: parity at tile edges, and a gradient check. */
export const leakyReluRow: OpRow = {
  name: 'leakyRelu',
  passes: ['leakyRelu'],
  samples: [
    { name: 'n', inputs: (n) => ({ x: [2, n] }), call: (x) => [leakyRelu(x.x!)] },
    { name: 'n, slope = 0.2', inputs: (n) => ({ x: [2, n] }), call: (x) => [leakyRelu(x.x!, 0.2)] },
  ],
};
