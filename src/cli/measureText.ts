import type { Measures } from '../train/measures.js';

/** Measures that a person at a terminal is shown, in this order; the others are in metrics.jsonl. */
const SHOWN: Readonly<Record<string, string>> = {
  text_bpb: 'text',
  video_bpb: 'video',
  caption_bpb: 'captions',
  binding_gap: 'binding gap',
  retrieval: 'retrieval of ten',
};

/** `{ caption_bpb: 2.4871, retrieval: 0.25 }` → `['captions 2.487 bits/byte', 'retrieval of ten 25.0 %']` */
export function measureTexts(measures: Measures): string[] {
  return Object.entries(SHOWN).flatMap(([name, title]) => {
    const value = measures[name];
    return value === undefined ? [] : [`${title} ${valueText(name, value)}`];
  });
}

/** `validation 3.474 bits/byte` where text is all there is, else every measure by its name. */
export function validationText(measures: Measures): string {
  const texts = measureTexts(measures);
  const [only] = texts.length === 1 ? texts : [];
  return only?.startsWith('text ') ? only.replace('text', 'validation') : `validation: ${texts.join(', ')}`;
}

function valueText(name: string, value: number): string {
  if (!Number.isFinite(value)) return 'not finite';
  if (name === 'retrieval') return `${(100 * value).toFixed(1)} %`;
  return `${value.toFixed(3).replace(/^-(0\.0+)$/, '$1')} bits/byte`;
}
