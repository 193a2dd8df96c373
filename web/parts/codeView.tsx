import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';

const TOKENS =
  /(\/\/.*$)|\b(fn|let|var|const|override|struct|return|if|else|for|while|loop|switch|case|default|break|continue|enable|true|false)\b|(@\w+)/g;

/** A line of WGSL: comments soft, keywords strong. */
function coloured(line: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let from = 0;
  for (const match of line.matchAll(TOKENS)) {
    parts.push(line.slice(from, match.index));
    const [all, comment, keyword] = match;
    parts.push(<span class={comment ? 'comment' : keyword ? 'keyword' : 'attribute'}>{all}</span>);
    from = match.index + all.length;
  }
  return [...parts, line.slice(from)];
}

interface Props {
  readonly text: string;
  readonly label: string;
  /** the line that the chosen lane is at */
  readonly current: number | undefined;
  /** how many lanes are at each line */
  readonly lanes: ReadonlyMap<number, number>;
  /** lines to mark as faulty */
  readonly faults?: ReadonlySet<number>;
}

/** A kernel's text, its current line kept in sight, with the number of lanes at each line. */
export function CodeView({ text, label, current, lanes, faults }: Props) {
  const box = useRef<HTMLElement>(null);
  const lines = useMemo(() => text.replace(/\n$/, '').split('\n').map(coloured), [text]);
  useEffect(() => {
    const line = box.current?.querySelector<HTMLElement>('[aria-current]');
    // Within the box only: the page stays where it is.
    if (line) box.current!.scrollTo({ top: line.offsetTop - box.current!.clientHeight / 2.5 });
  }, [current, text]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard, WCAG 2.1.1
    <section class="code" tabIndex={0} aria-label={label} ref={box}>
      <ol>
        {lines.map((line, i) => {
          const count = lanes.get(i + 1);
          return (
            <li
              key={i}
              aria-current={current === i + 1 ? 'step' : undefined}
              class={`${count ? 'here' : ''}${faults?.has(i + 1) ? ' fault' : ''}`}
            >
              <span class="number">{i + 1}</span>
              <span class="count" title={count ? `${count} lanes are here` : undefined}>
                {count ?? ''}
              </span>
              <code>{line}</code>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
