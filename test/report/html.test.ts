import { expect, test } from 'vitest';
import { escapeHtml, jsonForScript } from '../../src/report/html.js';

test('no character of a text can begin or end an element, an attribute or an entity', () => {
  expect(escapeHtml(`<a b="c" d='e'>&`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
});

test('no control character of a text lands in a page', () => {
  const all = String.fromCharCode(...Array.from({ length: 32 }, (_, i) => i), 0x7f, 0x9b);
  expect(escapeHtml(all)).toBe('␀␁␂␃␄␅␆␇␈\t\n␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␡�');
  const json = jsonForScript({ [all]: all });
  expect(json).not.toMatch(/\p{Cc}/u);
  expect(JSON.parse(json)).toEqual({ [all]: all });
});

test('nothing in the JSON of a script can end the script', () => {
  expect(jsonForScript({ text: '</script><!--' })).toBe('{"text":"\\u003c/script>\\u003c!--"}');
});
