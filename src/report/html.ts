/**
 * Text escaped for HTML or SVG, between tags or in a quoted attribute; control characters as in `visible`.
 *
 *     escapeHtml('a < "b"') // 'a &lt; &quot;b&quot;'
 */
export function escapeHtml(text: unknown): string {
  return visible(String(text)).replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

/**
 * Text whose control characters are replaced by their pictures, so that none reaches a page, or a terminal that shows
 * its source. Tabs and newlines stay; those above DEL, which have no pictures, become U+FFFD.
 *
 *     visible('a\x1bb\x7f') // 'a␛b␡'
 */
export function visible(text: string): string {
  return text.replace(/(?![\t\n])\p{Cc}/gu, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '␡' : '�';
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * A value as JSON inside a `<script type="application/json">`: a `<` in it can neither close the element nor open
 * another, and it contains no raw control character.
 */
export function jsonForScript(value: unknown): string {
  // JSON escapes the control characters below U+0020; DEL, the ones above it, and `<` are escaped here.
  return JSON.stringify(value).replace(
    /[<\p{Cc}]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
