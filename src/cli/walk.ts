import { Command } from 'commander';
import { colours } from './colours.js';
import { type DeviceFlags, onDevice, withDevice } from './device.js';
import { entriesOf, type Inspection, inspect, tensorOf } from './inspect/inspection.js';
import { textWindow } from './inspect/window.js';
import { chosenWeights } from './weights.js';

/** The string that the walk follows: its first half is one slot of a tiny decoder, its second half is predicted. */
const TEXT = 'Hi, byte';

/** `byte-to-loss walk`: one short string from byte to loss to first gradient. The README shows its output. */
export function walkCommand(): Command {
  return withDevice(
    new Command('walk').description('follow one short string from byte to loss to first gradient, in eight stops'),
  ).action(async (flags: DeviceFlags) => {
    const { config, parameters } = chosenWeights(undefined, undefined);
    const subject = { config, parameters, origin: '' };
    const window = textWindow(TEXT, { prefix: 4, stream: 4, K: config.K });
    const inspection = await onDevice(flags, (device) => inspect(device, subject, window));
    console.log(process.stdout.isTTY ? terminalText(inspection) : walkText(inspection));
  });
}

/** A stop of the walk: its title, shape, a few of its numbers, and links. */
interface Stop {
  readonly title: string;
  readonly shape: string;
  readonly lines: readonly string[];
  readonly files: readonly string[];
}

const OPENING =
  `The string \`${TEXT}\` goes through the decoder of models/ (trained on Moby-Dick; dim 128, 2 blocks, 4 heads): its first four bytes as ` +
  'one slot, its last four as the stream to predict.';

/** The walk as Markdown, for a file or a pipe. */
export function walkText(inspection: Inspection): string {
  const stops = stopsOf(inspection).map(({ title, shape, lines, files }, i) =>
    [
      `${i + 1}. **${title}** \`${shape}\``,
      '',
      '   ```',
      ...indented(lines),
      '   ```',
      '',
      `   ${files.map((file) => `[${file.split('/').at(-1)}](${file})`).join(' · ')}`,
    ].join('\n'),
  );
  return [OPENING, ...stops].join('\n\n');
}

/** The walk for a terminal: the same stops without Markdown, and the paths of files. */
export function terminalText(inspection: Inspection): string {
  const { bold, dim } = colours(process.stdout);
  const stops = stopsOf(inspection).map(({ title, shape, lines, files }, i) =>
    [`${i + 1}. ${bold(title)}  ${shape}`, '', ...indented(lines), '', ...indented(files).map(dim)].join('\n'),
  );
  return [OPENING.replaceAll('`', '"'), ...stops].join('\n\n');
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `   ${line}`);
}

function stopsOf(inspection: Inspection): Stop[] {
  return [
    bytes(),
    channels(inspection),
    door(inspection),
    queries(inspection),
    attention(inspection),
    residual(inspection),
    loss(inspection),
    gradient(inspection),
  ];
}

/** Three decimals, and no -0. */
function decimals(values: ArrayLike<number>, digits = 3): string {
  return Array.from(values, (x) =>
    (Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x).toFixed(digits).padStart(digits + 3),
  ).join(' ');
}

function bytes(): Stop {
  const ids = [...new TextEncoder().encode(TEXT)];
  const H = ids[0]!;
  return {
    title: 'Bytes',
    shape: '[8]',
    lines: [
      `"${TEXT}" = ${ids.slice(0, 4).join(' ')} | ${ids.slice(4).join(' ')}   slot | stream`,
      `"H" = ${H} = 0x${H.toString(16)} = ${H.toString(2).padStart(8, '0')}`,
    ],
    files: ['src/train/windows/window.ts', 'src/model/forward.ts'],
  };
}

function channels({ channels: grid }: Inspection): Stop {
  const row = grid!.data.subarray(0, grid!.columns);
  return {
    title: '27 signal channels per byte',
    shape: '[1, 4, 27] and [1, 4, 27]',
    lines: [
      `"H": dxor     ${row.slice(0, 8).join(' ')}   each bit XOR the bit before it`,
      `     d2xor    ${row.slice(8, 16).join(' ')}   dxor XOR dxor of the previous byte; "H" is the first`,
      `     boundary ${decimals(row.slice(16, 17)).trim()}`,
      `     Fourier  ${decimals(row.slice(17, 25))}   Re of waves 0 to 4, Im of 1 to 3`,
      `     phase    ${decimals(row.slice(25, 27))}   cos and sin of 2π · 72/256`,
    ],
    files: [
      'src/substrate/channels.ts',
      'src/engine/ops/hslFeatures.ts',
      'shaders/hslFeatures.forward.wgsl',
      'test/substrate/golden.test.ts',
    ],
  };
}

function door({ x0 }: Inspection): Stop {
  const C = x0.columns;
  const norm = (s: number) => Math.hypot(...x0.data.subarray(s * C, (s + 1) * C));
  const filled = (s: number) => x0.data.subarray(s * C, (s + 1) * C).filter((x) => x !== 0).length;
  return {
    title: 'The door: slots above stream, nothing learned',
    shape: '[1, 5, 128]',
    lines: [
      `slot 0    "Hi, "   bytes at columns 0, 27, 54, 81   ${filled(0)} of 128 not zero   ‖x‖ = ${norm(0).toFixed(3)}`,
      `stream 0  nothing  before the first byte            ${String(filled(1)).padStart(2)} of 128 not zero   ‖x‖ = ${norm(1).toFixed(3)}`,
      `stream 1  "b"      columns 0 to 26                  ${filled(2)} of 128 not zero   ‖x‖ = ${norm(2).toFixed(3)}`,
    ],
    files: [
      'src/model/doors/channels.ts',
      'src/model/doors/definition.ts',
      'src/engine/ops/concatPad.ts',
      'shaders/concatPad.forward.wgsl',
      'test/substrate/door.test.ts',
    ],
  };
}

function queries({ trace }: Inspection): Stop {
  const first = (op: string, name: string, at: number) =>
    trace.value(tensorOf(entriesOf(trace, op)[0]!, name)).data.subarray(at, at + 6);
  const at = 2 * 32; // head 0, position 2: stream 1
  return {
    title: 'Block 0: normalise, project, rotate by position',
    shape: '[1, 5, 128] → q, k, v [1, 4, 5, 32]',
    lines: [
      `norm1 of stream 1   ${decimals(first('layerNorm.forward', 'y', 2 * 128))} …`,
      `q of head 0         ${decimals(first('rotary.forward', 'q', at))} …`,
      `k of head 0         ${decimals(first('rotary.forward', 'k', at))} …`,
    ],
    files: [
      'src/model/blocks.ts',
      'src/engine/ops/layerNorm.ts',
      'shaders/layerNorm.forward.wgsl',
      'src/engine/ops/linear.ts',
      'shaders/matmul.wgsl',
      'src/engine/ops/rotary.ts',
      'shaders/rotary.forward.wgsl',
    ],
  };
}

function attention({ attention: [head] }: Inspection): Stop {
  const { data } = head!.probabilities;
  const row = (name: string, s: number) => `${name.padEnd(14)}${decimals(data.subarray(s * 5, s * 5 + 5))}`;
  const names = ['slot 0', 'none', '"b"', '"y"', '"t"'].map((name) => name.padStart(6)).join(' ');
  return {
    title: 'Attention: every position sees the slots, only later positions see the stream',
    shape: '[4, 5, 5]',
    lines: [`head 0 sees   ${names}`, row('slot 0', 0), row('stream 1 "b"', 2), row('stream 3 "t"', 4)],
    files: ['src/engine/ops/attention.ts', 'shaders/attention.forward.wgsl'],
  };
}

function residual({ residual: stages }: Inspection): Stop {
  return {
    title: 'Each block adds to the residual stream, first attention, then the MLP',
    shape: '[1, 5, 128]',
    lines: stages.map(({ scope, norms }) => {
      // After the last attention only the stream is read.
      const slots = norms.length < 5 ? '   –   ' : '';
      const where = scope === 'x0' ? 'from the door' : `before ${scope}`;
      return `‖x‖ ${where.padEnd(22)} ${slots}${decimals(norms)}`;
    }),
    files: [
      'src/model/blocks.ts',
      'src/engine/ops/addLayerNorm.ts',
      'src/engine/ops/gelu.ts',
      'shaders/gelu.forward.wgsl',
    ],
  };
}

function loss({ predictions, bitsPerByte }: Inspection): Stop {
  const rows = predictions.map(({ target, nats, bits }) => {
    const p = Math.exp(-nats).toFixed(5);
    return `"${String.fromCharCode(target)}"  p = ${p}   −ln p = ${nats.toFixed(3)} nats = ${bits.toFixed(3)} bits`;
  });
  const nats = predictions.reduce((sum, each) => sum + each.nats, 0) / predictions.length;
  return {
    title: 'Logits over 258 ids, and the loss',
    shape: '[1, 4, 258] → [1]',
    lines: [
      ...rows,
      `mean ${nats.toFixed(3)} nats = ${bitsPerByte.toFixed(3)} bits per byte; a uniform guess costs ${Math.log2(258).toFixed(3)}`,
    ],
    files: ['src/engine/ops/crossEntropy.ts', 'shaders/crossEntropy.forward.wgsl', 'test/model/golden.test.ts'],
  };
}

function gradient({ trace, predictions, attribution, gradients, pass }: Inspection): Stop {
  const target = predictions[0]!.target;
  const dLogits = trace.value(pass.program.gradientOf(pass.logits)!).data;
  const p = Math.exp(-predictions[0]!.nats);
  const norm = (name: string) => gradients.find((each) => each.name === name)!.gradient.toFixed(4);
  return {
    title: 'The first gradient, and backward to every parameter',
    shape: '[1, 4, 258] → every parameter',
    lines: [
      `d loss / d logit of "b" = (p − 1) / 4 = (${p.toFixed(5)} − 1) / 4 = ${dLogits[target]!.toFixed(5)}`,
      `‖d head.weight‖ = ${norm('head.weight')}, ‖d blocks.0.attention.qkv.weight‖ = ${norm('blocks.0.attention.qkv.weight')}`,
      `d loss / d dxor of "H" = ${Array.from(attribution!.data.subarray(0, 4), (x) => x.toFixed(4)).join(' ')} …`,
    ],
    files: [
      'src/engine/program.ts',
      'shaders/crossEntropy.forward.wgsl',
      'src/engine/ops/adamW.ts',
      'shaders/adamW.wgsl',
    ],
  };
}
