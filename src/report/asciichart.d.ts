/** asciichart 1.5.25 brings no types; this is what the terminal chart uses of it. */
declare module 'asciichart' {
  export function plot(series: readonly number[], config?: { height?: number }): string;
  const asciichart: { plot: typeof plot };
  export default asciichart;
}
