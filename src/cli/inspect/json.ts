import type { EntryTrace, Trace } from '../../inspect/trace.js';
import type { Grid, Inspection } from './inspection.js';
import { opFile } from './opFile.js';

/** Maximum size of a tensor that is written in full. */
const WHOLE = 64;

/**
 * An inspection as data: the content of the page. The text of each kernel and each reference is stored once, under its
 * name.
 */
export function inspectionJson(inspection: Inspection) {
  const { subject, device, window, sizes, trace, channels, attribution, residual, predictions } = inspection;
  const texts = kernelTexts(trace);
  const ops = new Map(trace.entries.map(({ op }) => [op.name, op]));
  return {
    origin: subject.origin,
    config: subject.config,
    device,
    window: { ...sizes, K: subject.config.K, prefix: [...window.prefix], targets: [...window.targets] },
    bits_per_byte: inspection.bitsPerByte,
    channels: channels && { names: channels.names, ...rowsOf(channels) },
    attribution: attribution && rowsOf(attribution),
    residual,
    attention: inspection.attention.map(({ block, head, probabilities }) => ({
      block,
      head,
      ...rowsOf(probabilities),
    })),
    predictions,
    gradients: inspection.gradients,
    ops: [...ops.values()].map((op) => ({ name: op.name, formula: op.formula, file: opFile(op.name) })),
    kernels: [...texts].map(([text, shader]) => ({ shader, text })),
    entries: trace.entries.map((entry) => entryJson(entry, [...texts.keys()])),
    tensors: trace.tensors.map((tensor) => ({
      ...tensor,
      ...(tensor.statistics.count <= WHOLE && { values: [...trace.value(tensor.id).data] }),
    })),
  };
}

/** The kernels of a run by their text, constants included, in the order of their first dispatch. */
export function kernelTexts(trace: Trace): Map<string, string> {
  return new Map(trace.entries.flatMap(({ dispatches }) => dispatches.map(({ text, shader }) => [text, shader])));
}

function entryJson({ op, dispatches, ...entry }: EntryTrace, texts: readonly string[]) {
  return {
    op: op.name,
    ...entry,
    dispatches: dispatches.map(({ text, ...dispatch }) => ({ ...dispatch, kernel: texts.indexOf(text) })),
  };
}

function rowsOf({ rows, columns, data }: Grid) {
  return { rows: Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]) };
}
