import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/**
 * Links of a built site that end in nothing, as `page: address`: they lead to no file, to no anchor of a page, or out of the
 * folder. Addresses of other sites are not looked up.
 *
 * @param folder the site
 * @param missing beginnings of paths that were not built, such as `api/`; links there are passed over
 */
export function brokenLinks(folder: string, missing: readonly string[] = []): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  const files = new Set(names);
  const texts = new Map(
    names.filter((name) => /\.(html|svg)$/.test(name)).map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]),
  );
  const anchors = new Map([...texts].map(([name, text]) => [name, anchorsOf(text)]));
  const leads = (page: string, address: string): boolean => {
    const [path = '', anchor = ''] = decodeURIComponent(address.replace(/&amp;/g, '&')).split('#');
    const target = posix.join(posix.dirname(page), path.replace(/\?.*$/, '') || posix.basename(page));
    if (path.startsWith('/') || target.startsWith('..')) return false;
    if (missing.some((start) => target.startsWith(start))) return true;
    return files.has(target) && (anchor === '' || anchors.get(target)?.has(anchor) === true);
  };
  return [...texts].flatMap(([page, text]) =>
    addressesOf(text)
      .filter((address) => !/^(https?|data|mailto):/.test(address) && !leads(page, address))
      .map((address) => `${page}: ${address}`),
  );
}

/** What links, frames, scripts and pictures of a page lead to. The text of its scripts is none of it. */
function addressesOf(html: string): string[] {
  const text = html.replace(/(<script[^>]*>)[\s\S]*?<\/script>/g, '$1');
  return [...text.matchAll(/<[^>]+ (?:href|(?:data-)?src)="([^"]*)"/g)].map((match) => match[1]!);
}

/** In the explorer, whose script makes its elements, those of the script's text. */
function anchorsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/ id="([^"]+)"|\bid:[`'"]([\w-]+)[`'"]/g)].map((match) => match[1] ?? match[2]!));
}
