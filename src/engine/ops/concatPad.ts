import { ShapeError } from '../../common/errors.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import { type OpRow, samplesOf } from '../registry.js';
import type { Tensor } from '../tensor.js';

interface ConcatPadSizes extends Record<string, number> {
  B: number;
  P: number;
  T: number;
  slotWidth: number;
  streamWidth: number;
  C: number;
}

/**
 * The decoder's input: slots above stream, each row padded with zeros on the right to C columns.
 *
 * x[b, i, c] = slots[b, i, c] for i < P, stream[b, i - P, c] else; 0 where c is past the row's width
 *
 * @param slots [B, P, slotWidth]   @param stream [B, T, streamWidth]   @param C columns of x, at least either width
 * @returns [B, P + T, C], a new tensor
 * @throws ShapeError when the batches differ or a row is wider than C
 */
export function concatPad(slots: Tensor, stream: Tensor, C: number): Tensor {
  const [B, P, slotWidth] = slots.shape;
  const [streamB, T, streamWidth] = stream.shape;
  if (slots.shape.length !== 3 || stream.shape.length !== 3 || B !== streamB || slotWidth! > C || streamWidth! > C) {
    throw new ShapeError('concatPad', `slots must be [B, P, ≤ ${C}] and stream [B, T, ≤ ${C}]`, { slots, stream });
  }
  const sizes = { B: B!, P: P!, T: T!, slotWidth: slotWidth!, streamWidth: streamWidth!, C };
  return slots.program.record(concatPadForward, [slots, stream], sizes)[0]!;
}

/** Visit every copied element of x: its index in x, and in slots or stream. */
function visitJoined(
  { B, P, T, slotWidth, streamWidth, C }: ConcatPadSizes,
  visit: (part: 0 | 1, from: number, to: number) => void,
): void {
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < P + T; i++) {
      const to = (b * (P + T) + i) * C; // x[b, i, 0]
      if (i < P) for (let c = 0; c < slotWidth; c++) visit(0, (b * P + i) * slotWidth + c, to + c);
      else for (let c = 0; c < streamWidth; c++) visit(1, (b * T + i - P) * streamWidth + c, to + c);
    }
  }
}

/** Elements of x. */
function sizeOf({ B, P, T, C }: ConcatPadSizes): number {
  return B * (P + T) * C;
}

const concatPadForward: Op<ConcatPadSizes> = {
  name: 'concatPad.forward',
  formula: 'x = slots above stream, rows padded with zeros to C columns',
  inputs: ['slots', 'stream'],
  outputs: ['x'],
  shape: (_, { B, P, T, C }) => [{ shape: [B, P + T, C] }],
  reference(inputs: readonly Value[], sizes) {
    const x = new Float64Array(sizes.B * (sizes.P + sizes.T) * sizes.C);
    visitJoined(sizes, (part, from, to) => {
      x[to] = inputs[part]!.data[from]!;
    });
    return [x];
  },
  dispatches: ({ tensors, attributes: sizes }) => [
    onePerInvocation('concatPad.forward', sizeOf(sizes), tensors, sizes),
  ],
  backward({ inputs: [slots, stream], attributes, gradients: [dX], addGradient }) {
    if (!slots!.requiresGradient && !stream!.requiresGradient) return;
    const [dSlots, dStream] = slots!.program.record(concatPadBackward, [dX!], attributes);
    if (slots!.requiresGradient) addGradient(slots!, dSlots!);
    if (stream!.requiresGradient) addGradient(stream!, dStream!);
  },
};

const concatPadBackward: Op<ConcatPadSizes> = {
  name: 'concatPad.backward',
  formula: 'dSlots, dStream = the parts of dX they filled',
  inputs: ['dX'],
  outputs: ['dSlots', 'dStream'],
  shape: (_, { B, P, T, slotWidth, streamWidth }) => [{ shape: [B, P, slotWidth] }, { shape: [B, T, streamWidth] }],
  reference([dX], sizes) {
    const parts = [
      new Float64Array(sizes.B * sizes.P * sizes.slotWidth),
      new Float64Array(sizes.B * sizes.T * sizes.streamWidth),
    ];
    visitJoined(sizes, (part, from, to) => {
      parts[part]![from] = dX!.data[to]!;
    });
    return parts;
  },
  dispatches: ({ tensors, attributes: sizes }) => [
    onePerInvocation('concatPad.backward', sizeOf(sizes), tensors, sizes),
  ],
};

export const concatPadRow: OpRow = {
  name: 'concatPad',
  passes: ['concatPad.forward', 'concatPad.backward'],
  samples: [
    {
      name: 'C = n + 5',
      inputs: (n) => ({ slots: [2, 3, n + 5], stream: [2, 4, n] }),
      call: (x, n) => [concatPad(x.slots!, x.stream!, n + 5)],
    },
    ...samplesOf((x) => [concatPad(x.slots!, x.stream!, 11)], {
      'P = n': (n) => ({ slots: [2, n, 6], stream: [2, 3, 9] }),
      'no slots': (n) => ({ slots: [3, 0, 6], stream: [3, n, 9] }),
    }),
  ],
};
