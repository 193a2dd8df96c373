import type { Measures } from '../train/measures.js';

/** Measures in the order of the terminal's output. Only metrics.jsonl has the measures of ends. */
const TITLES: Readonly<Record<string, string>> = {
  text_bpb: 'text',
  video_bpb: 'video',
  caption_bpb: 'captions',
  binding_gap: 'binding gap',
  retrieval: 'retrieval of ten',
};

/** `{ caption_bpb: 2.4871, retrieval: 0.25 }` → `['captions 2.487 bits/byte', 'retrieval of ten 25.0 %']` */
export function measureTexts(measures: Measures): string[] {
  const known = Object.keys(TITLES).filter((name) => name in measures);
  const others = Object.keys(measures).filter((name) => !(name in TITLES) && !/_(end|middle)$/.test(name));
  return [...known, ...others].map((name) => {
    const title = TITLES[name] ?? name.replace(/_bpb$/, '').replaceAll('_', ' ');
    return `${title} ${valueText(name, measures[name]!)}`;
  });
}

/** `validation 3.474 bits/byte` if there is only text, else every measure by its name. */
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
