/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Colours between which values are drawn; text on them keeps a contrast of at least 4.5 : 1, see `inkOn`. */
export interface Palette {
  readonly zero: Rgb;
  readonly positive: Rgb;
  readonly negative: Rgb;
  /** empty cells: pairs that attention may not see */
  readonly nothing: Rgb;
  /** text and lines of a plot: `--soft` and `--line` of `style.css` */
  readonly axis: Rgb;
  readonly grid: Rgb;
  /** marks on pictures of memory: `--read`, `--written` and `--ink` */
  readonly read: Rgb;
  readonly written: Rgb;
  readonly ink: Rgb;
}

/** On a light page. */
export const LIGHT: Palette = {
  zero: [247, 245, 239],
  positive: [9, 98, 108],
  negative: [184, 74, 14],
  nothing: [228, 225, 216],
  axis: [95, 92, 85],
  grid: [222, 218, 209],
  read: [91, 79, 214],
  written: [224, 168, 0],
  ink: [31, 30, 27],
};
/** On a dark page. */
export const DARK: Palette = {
  zero: [33, 35, 40],
  positive: [124, 211, 214],
  negative: [246, 168, 110],
  nothing: [22, 23, 26],
  axis: [169, 165, 155],
  grid: [55, 57, 63],
  read: [167, 155, 255],
  written: [255, 216, 77],
  ink: [233, 230, 223],
};

function between(a: Rgb, b: Rgb, share: number): Rgb {
  const t = Math.max(0, Math.min(1, share));
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * t)) as unknown as Rgb;
}

/** -1 .. 1 to negative .. zero .. positive. */
export function diverging({ zero, positive, negative }: Palette, value: number): Rgb {
  return value < 0 ? between(zero, negative, -value) : between(zero, positive, value);
}

/** 0 .. 1 to zero .. positive. */
export function sequential({ zero, positive }: Palette, value: number): Rgb {
  return between(zero, positive, value);
}

/** 0 .. 1 to zero .. negative: the loss of a byte. */
export function cost({ zero, negative }: Palette, value: number): Rgb {
  return between(zero, negative, value);
}

/** `css([1, 2, 3]) // 'rgb(1 2 3)'` */
export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`;
}

/** Black or white, the one with more contrast on a background. @see WCAG 2.2, relative luminance */
export function inkOn(ground: Rgb): string {
  const [r, g, b] = ground.map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return luminance > 0.179 ? '#000' : '#fff';
}
