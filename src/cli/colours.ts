import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
type Paint = (text: string) => string;

const STYLES = { green: 'green', red: 'red', cyan: 'cyan', yellow: 'yellow', bold: 'bold', dim: 'dim' } as const;

/** Functions that colour a text for a stream. They return it unchanged without a terminal, or if NO_COLOR is set. */
export function colours(stream: NodeJS.WriteStream): Record<keyof typeof STYLES, Paint> {
  // styleText would check its own stream, so this function checks the given one. A pipe has no hasColors; a terminal
  // answers by TERM, NO_COLOR and FORCE_COLOR.
  const paint = (style: Style): Paint =>
    stream.isTTY && stream.hasColors() ? (text) => styleText(style, text, { validateStream: false }) : String;
  return Object.fromEntries(Object.entries(STYLES).map(([name, style]) => [name, paint(style)])) as ReturnType<
    typeof colours
  >;
}
