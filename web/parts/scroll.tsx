import type { ComponentChildren } from 'preact';

/** A part that may be wider than the screen: it scrolls by itself, also by keyboard. */
export function Scroll({
  label,
  class: name = '',
  children,
}: {
  label: string;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard, WCAG 2.1.1
    <section class={`scroll ${name}`} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
