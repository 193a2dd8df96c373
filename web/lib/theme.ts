/*
 * Light or dark. The page follows the system, and inside a page of the site the button of that page. Two pages opened from disk may not
 * read each other, so they exchange messages: this one asks, the page around it answers, then and after each press.
 */
import { THEME_QUESTION } from '../../src/report/script.js';

/** Sends `change` when the theme may have changed. */
export const themeChanges = /* @__PURE__ */ new EventTarget();

/** Follow the system and, in a frame, the page around this one. */
export function followTheme(): void {
  const changed = () => themeChanges.dispatchEvent(new Event('change'));
  system().addEventListener('change', changed);
  if (parent === window) return;
  addEventListener('message', ({ source, data }: MessageEvent<{ theme?: unknown } | null>) => {
    const theme = data?.theme;
    if (source !== parent || (theme !== 'light' && theme !== 'dark')) return;
    document.documentElement.dataset.theme = theme;
    changed();
  });
  parent.postMessage(THEME_QUESTION, '*');
}

/** The present theme. */
export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? system().matches : theme === 'dark';
}

let found: MediaQueryList | undefined;
/** One object, since a browser may drop the listener of an object that nothing holds. */
function system(): MediaQueryList {
  found ??= matchMedia('(prefers-color-scheme: dark)');
  return found;
}
