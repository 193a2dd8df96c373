import { useEffect, useState } from 'preact/hooks';
import { DARK, LIGHT, type Palette } from './colour.js';

/** Whether a media query holds, followed as it changes. */
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

/** The palette of the ground the page has now. */
export function usePalette(): Palette {
  return useMedia('(prefers-color-scheme: dark)') ? DARK : LIGHT;
}

/** How the page scrolls to what was asked for. */
export function scrollBehaviour(): ScrollBehavior {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
}
