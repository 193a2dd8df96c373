/** Text as it may stand in HTML or SVG, between tags or in a quoted attribute. `escapeHtml('a < "b"') // 'a &lt; &quot;b&quot;'` */
export function escapeHtml(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A value as JSON inside a `<script type="application/json">`: a `<` in it can neither close the element nor open another. */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
