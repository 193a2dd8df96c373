import { useEffect, useState } from 'preact/hooks';
import { DARK, LIGHT, type Palette } from './colour.js';
import { isDark, themeChanges } from './theme.js';

/** The palette for the present background of the page. Updates when that changes. */
export function usePalette(): Palette {
  const [dark, setDark] = useState(isDark);
  useEffect(() => {
    const listen = () => setDark(isDark());
    listen(); // it may have changed since the first drawing
    themeChanges.addEventListener('change', listen);
    return () => themeChanges.removeEventListener('change', listen);
  }, []);
  return dark ? DARK : LIGHT;
}

/** The scroll behaviour of the page. */
export function scrollBehaviour(): ScrollBehavior {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
}
