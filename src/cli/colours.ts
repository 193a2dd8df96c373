import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
type Paint = (text: string) => string;

const STYLES = { green: 'green', red: 'red', cyan: 'cyan', yellow: 'yellow', bold: 'bold', dim: 'dim' } as const;

/** Ways to colour a text on a stream; each leaves it as it is where there is no terminal, or where NO_COLOR is set. */
export function colours(stream: NodeJS.WriteStream): Record<keyof typeof STYLES, Paint> {
  // styleText would ask its own stream, so it is asked here. A pipe has no hasColors; a terminal answers by TERM, NO_COLOR and FORCE_COLOR.
  const paint = (style: Style): Paint =>
    stream.isTTY && stream.hasColors() ? (text) => styleText(style, text, { validateStream: false }) : String;
  return Object.fromEntries(Object.entries(STYLES).map(([name, style]) => [name, paint(style)])) as ReturnType<
    typeof colours
  >;
}
