import { EOS, MASK } from '../../substrate/channels.js';

/** `hexOf(10) // '0a'`; MASK and EOS by name. */
export function hexOf(id: number): string {
  if (id === MASK) return 'MASK';
  return id === EOS ? 'EOS' : id.toString(16).padStart(2, '0');
}

const SIGNS: Readonly<Record<number, string>> = { 9: '»', 10: '¶', 32: '·' };

/** An id for display: printable ASCII unchanged, `·` for a space, `¶` for a line's end, `»` for a tab, else as `hexOf`. */
export function signOf(id: number): string {
  return SIGNS[id] ?? (id > 32 && id < 127 ? String.fromCharCode(id) : hexOf(id));
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
