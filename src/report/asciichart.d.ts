/** asciichart 1.5.25 has no types; these are for the part that the terminal chart uses. */
declare module 'asciichart' {
  export function plot(series: readonly number[], config?: { height?: number }): string;
  const asciichart: { plot: typeof plot };
  export default asciichart;
}
