import { useEffect, useState } from 'preact/hooks';
import { DARK, LIGHT, type Palette } from './colour.js';

/** Does a media query match? Updates when it changes. */
function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const listen = () => setHolds(media.matches);
    media.addEventListener('change', listen);
    return () => media.removeEventListener('change', listen);
  }, [query]);
  return holds;
}

/** The palette for the present background of the page. */
export function usePalette(): Palette {
  return useMedia('(prefers-color-scheme: dark)') ? DARK : LIGHT;
}

/** The scroll behaviour of the page. */
export function scrollBehaviour(): ScrollBehavior {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
}
