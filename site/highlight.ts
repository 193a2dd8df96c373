import {
  bundledLanguages,
  bundledThemes,
  codeToTokensWithThemes,
  createOnigurumaEngine,
  createShikiInternal,
  loadBuiltinWasm,
} from '@gerrit0/mini-shiki';

const LANGUAGES = ['ts', 'tsx', 'js', 'wgsl', 'wat', 'json', 'sh', 'python', 'html', 'diff', 'yaml'] as const;
const SAME_AS: Readonly<Record<string, string>> = { mjs: 'js', py: 'python', bash: 'sh', wat: 'wasm', yml: 'yaml' };
const THEMES = { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' } as const;

/** Code as HTML: coloured spans, one line each, for a light and a dark page. */
export type Highlight = (code: string, language: string) => string;

/** Load grammars and themes once; the same that TypeDoc uses for the API reference. */
export async function createHighlighter(): Promise<Highlight> {
  await loadBuiltinWasm();
  const shiki = await createShikiInternal({
    engine: await createOnigurumaEngine(),
    langs: LANGUAGES.map((name) => bundledLanguages[(SAME_AS[name] ?? name) as keyof typeof bundledLanguages]),
    themes: Object.values(THEMES).map((name) => bundledThemes[name]),
  });
  const known = new Set(shiki.getLoadedLanguages());
  // Without tokenizeTimeLimit 0, a line that takes long on a busy machine would stay without colours.
  return (code, language) => {
    const lang = SAME_AS[language] ?? language;
    if (!known.has(lang)) return escapeHtml(code);
    return codeToTokensWithThemes(shiki, code, { lang, themes: THEMES, tokenizeTimeLimit: 0 })
      .map((line) =>
        line
          .map(({ content, variants: { light, dark } }) => {
            const text = escapeHtml(content);
            if (content.trim() === '') return text;
            return `<span style="--l:${light!.color};--d:${dark!.color}">${text}</span>`;
          })
          .join(''),
      )
      .join('\n');
  };
}

/** Text that stays text between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
