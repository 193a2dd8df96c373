import { EOS, MASK } from '../../substrate/channels.js';

/** Text as it stands, safe inside an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Data inside a script element: nothing in it can end the element. */
export function scriptJson(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** `hexOf(10) // '0a'`; MASK and EOS by name. */
export function hexOf(id: number): string {
  if (id === MASK) return 'MASK';
  return id === EOS ? 'EOS' : id.toString(16).padStart(2, '0');
}

/** An id as one sign: `a`, `␣`, `⏎`, or its hex digits where it is no printable ASCII. */
export function signOf(id: number): string {
  if (id === 32) return '␣';
  if (id === 10) return '⏎';
  return id > 32 && id < 127 ? String.fromCharCode(id) : hexOf(id);
}

/** Whole numbers as they are, others in four significant digits at most: `shortNumber(0.000123456) // '1.23e-4'` */
export function shortNumber(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  if (Number.isInteger(x) && Math.abs(x) < 1e9) return String(x);
  const magnitude = Math.abs(x);
  if (magnitude >= 1e-3 && magnitude < 1e5) return String(Number(x.toPrecision(4)));
  return x.toExponential(2);
}

/** Nanoseconds for a person: `12.3 µs`. */
export function shortTime(nanoseconds: number): string {
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(1)} µs`;
  return nanoseconds < 1e9 ? `${(nanoseconds / 1e6).toFixed(2)} ms` : `${(nanoseconds / 1e9).toFixed(2)} s`;
}

/** A histogram as bars, 72 × 18. */
export function histogramSvg(bins: readonly number[]): string {
  const most = Math.max(1, ...bins);
  const width = 72 / bins.length;
  const bars = bins
    .map((count, i) => ({ x: i * width, height: count === 0 ? 0 : Math.max(1, (count / most) * 18) }))
    .filter(({ height }) => height > 0)
    .map(
      ({ x, height }) => `M${x.toFixed(1)} 18v-${height.toFixed(1)}h${(width - 0.6).toFixed(1)}v${height.toFixed(1)}z`,
    );
  return `<svg class="bars" viewBox="0 0 72 18" width="72" height="18" aria-hidden="true"><path d="${bars.join('')}"/></svg>`;
}
