import MarkdownIt from 'markdown-it';
import { escapeHtml, type Highlight } from './highlight.js';

type Token = ReturnType<MarkdownIt['parse']>[number];

/** A part of a page between two headings, for the search. */
export interface Passage {
  /** `''` for the page's beginning */
  readonly anchor: string;
  readonly heading: string;
  readonly level: number;
  readonly text: string;
}

/** A Markdown file as a page. */
export interface Rendered {
  readonly title: string;
  readonly html: string;
  readonly passages: readonly Passage[];
}

/** Facts about the rest of the site for rendering. */
export interface Surroundings {
  /** the address of what a relative link leads to */
  readonly link: (href: string) => string;
  /** whether a relative path leads to a file */
  readonly exists: (path: string) => boolean;
  /** the text of an SVG file that an image names */
  readonly picture: (href: string) => string;
  /** a live figure, from what the comment `<!-- live: … -->` says */
  readonly live: (words: string) => string;
}

/** As GitHub makes anchors: `What it reads` becomes `what-it-reads`. */
function slugOf(heading: string): string {
  const kept = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
  return kept.trim().replace(/\s/g, '-');
}

/** A function from Markdown to pages. */
export function createRenderer(highlight: Highlight): (text: string, surroundings: Surroundings) => Rendered {
  const markdown = new MarkdownIt({ html: true });
  const { rules } = markdown.renderer;
  rules.table_open = () => '<div class="scroll"><table>\n';
  rules.table_close = () => '</table></div>\n';
  rules.heading_open = (tokens, i) => `<${tokens[i]!.tag} id="${tokens[i]!.attrGet('id')}">`;
  rules.heading_close = (tokens, i) => {
    const { tag, meta } = tokens[i]!;
    return `${tag === 'h1' ? '' : ` <a class="anchor" href="#${meta}" aria-label="link to this section">#</a>`}</${tag}>\n`;
  };
  rules.code_block = (tokens, i) => `<pre class="formula"><code>${escapeHtml(tokens[i]!.content)}</code></pre>\n`;
  rules.fence = (tokens, i, _options, { surroundings }: { surroundings: Surroundings }) => {
    const { content, info } = tokens[i]!;
    const [language = '', file = ''] = info.trim().split(/\s+/);
    const code = `<pre class="code" tabindex="0"><code>${highlight(content.trimEnd(), language)}\n</code></pre>`;
    if (file === '' || language === 'diff') return `${code}\n`;
    const name = file.replace(/^(\.\.?\/)+/, '');
    // A recipe names files that the reader is going to write.
    const caption = surroundings.exists(file) ? `<a href="${surroundings.link(file)}">${name}</a>` : name;
    return `<figure class="quote"><figcaption>${caption}</figcaption>${code}</figure>\n`;
  };
  rules.html_block = (tokens, i, _options, { surroundings }: { surroundings: Surroundings }) => {
    const { content } = tokens[i]!;
    const live = /^<!-- live: ([\s\S]*?) -->\s*$/.exec(content);
    return live ? surroundings.live(live[1]!) : content.replace(/<!--[\s\S]*?-->\n?/g, '');
  };
  rules.image = (tokens, i, _options, { surroundings }: { surroundings: Surroundings }) => {
    const { attrs, content } = tokens[i]!;
    const href = new Map(attrs).get('src')!;
    const alt = escapeHtml(content);
    if (!href.endsWith('.svg')) return `<img src="${surroundings.link(href)}" alt="${alt}" loading="lazy">`;
    return `<span class="figure" role="img" aria-label="${alt}">${surroundings.picture(href)}</span>`;
  };

  return (text, surroundings) => {
    const tokens = markdown.parse(text, {});
    const passages = passagesOf(tokens);
    for (const token of tokens.flatMap((each) => each.children ?? [])) {
      if (token.type !== 'link_open') continue;
      const href = token.attrGet('href')!;
      if (/^[a-z]+:/.test(href)) token.attrSet('rel', 'noreferrer');
      else if (!href.startsWith('#')) token.attrSet('href', surroundings.link(href));
    }
    const html = markdown.renderer.render(tokens, markdown.options, { surroundings });
    return { title: passages[0]!.heading, html, passages };
  };
}

/** Give every heading an anchor, and cut the page there. */
function passagesOf(tokens: readonly Token[]): Passage[] {
  const passages: { anchor: string; heading: string; level: number; text: string }[] = [];
  const seen = new Map<string, number>();
  for (const [i, token] of tokens.entries()) {
    if (token.type === 'heading_open') {
      const heading = plain(tokens[i + 1]!);
      const slug = slugOf(heading);
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      const anchor = count === 0 ? slug : `${slug}-${count}`;
      token.attrSet('id', anchor);
      tokens[i + 2]!.meta = anchor;
      passages.push({
        anchor: passages.length === 0 ? '' : anchor,
        heading,
        level: Number(token.tag.slice(1)),
        text: '',
      });
    } else if (tokens[i - 1]?.type !== 'heading_open' && passages.length > 0) {
      const words = token.type === 'inline' ? plain(token) : token.type === 'fence' ? token.content : '';
      if (words !== '') passages.at(-1)!.text += `${words.replace(/\s+/g, ' ')} `;
    }
  }
  return passages;
}

/** Text without marks. */
function plain({ children }: Token): string {
  return (children ?? [])
    .map(({ type, content }) => (type === 'softbreak' ? ' ' : type === 'html_inline' ? '' : content))
    .join('');
}
