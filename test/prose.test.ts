import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';

/*
 * Docs, comments and messages are plain technical English: one plain verb where older texts of this project had a figure of
 * speech. CONTRIBUTING.md has the rules that no regular expression can check.
 */

/** A banned word, and the plain word to write in its place. */
const BANNED: [banned: RegExp, plain: string][] = [
  [/\b(?:go|goes|going|gone|went) on\b/i, 'continue, resume'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix, repair'],
  [/\bhand(?:s|ed|ing)? on\b/i, 'pass'],
  [/\b(?:stands?|stood|standing)\b(?!-)/i, 'is, is stored, is written, represents'],
  [/\b(?:meets?|met|meeting)\b/i, 'encounter, see, satisfy'],
  [/\b(?:lies?|lying|lain)\b/i, 'is, are'],
  [/\banew\b/i, 'again'],
  [/\blet(?:s|ting)? go\b/i, 'release, free'],
  [/\bbeside\b/i, 'next to, with, besides'],
  [/\bdear(?:er|est)?\b/i, 'expensive, slow'],
  [/\b(?:take|takes|taken|taking|took) up\b/i, 'resume, start'],
  [/\bwhatever\b/i, 'any, everything that'],
  [/(?:^|[.!?:] |\/\*\* |\* |\/\/ |\| )(?:Of|Whoever) [a-z]/, 'the subject first'],
];

/** Files that are not checked: the registered protocol, whose text stays, and a quotation. */
const QUOTED = ['results/PROTOCOL.md', 'web/lib/defaultText.ts'];
const KINDS = /\.(?:md|tsx?|wgsl|html|py|sh)$|^package\.json$/;

/** Lines that need a banned word: part of the line, and why. */
const EXCEPTIONS: [part: string, reason: string][] = [
  ['standing still', 'a caption of synthetic scenes: another text would be other training data'],
];

/** Each banned word in a text: `bannedIn('It goes on.') // ['1: "goes on": write continue, resume']` */
function bannedIn(text: string): string[] {
  return text.split('\n').flatMap((line, i) => {
    const rest = EXCEPTIONS.reduce((left, [part]) => left.replaceAll(part, ''), line);
    return BANNED.flatMap(([banned, plain]) => {
      const found = banned.exec(rest)?.[0].trim();
      return found === undefined ? [] : [`${i + 1}: "${found}": write ${plain}`];
    });
  });
}

/**
 * A TypeScript file with a blank for each letter of its identifiers: comments, strings and the text of elements are
 * left.
 */
function withoutIdentifiers(file: string, text: string): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const parts: string[] = [];
  let end = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      parts.push(text.slice(end, node.getStart()), ' '.repeat(node.getWidth()));
      end = node.getEnd();
    } else ts.forEachChild(node, visit);
  };
  visit(source);
  return parts.join('') + text.slice(end);
}

/** The prose of a file: all of it, but for the identifiers of TypeScript. */
function proseOf(file: string): string {
  const text = readFileSync(file, 'utf8');
  return /\.tsx?$/.test(file) ? withoutIdentifiers(file, text) : text;
}

const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');

test('docs, comments and messages have no banned word', () => {
  // This file names the words, and a report's page embeds a library's code.
  const files = tracked.filter(
    (file) =>
      KINDS.test(file) && ![...QUOTED, 'test/prose.test.ts'].includes(file) && !/^results\/.*\.html$/.test(file),
  );
  expect(files.length).toBeGreaterThan(400);
  const found = files.flatMap((file) => bannedIn(proseOf(file)).map((line) => `${file}:${line}`));
  expect(found).toEqual([]);
});

test('a banned word is found in each of its forms, and only as a word of its own', () => {
  const planted = [
    'The run goes on with step 7.',
    '// This mends it:',
    '/** The loader handed on the bytes. */',
    '`params.D` stands for the head width.',
    "throw new Error('an id meets no row');",
    '# the file lies in a folder',
    'writes the table anew',
    'a buffer is let go',
    'tests beside the code',
    'a dearer kernel',
    'takes up a run',
    'Whatever is left is padding.',
    ' * Rows are sorted. Of equal rows, the first stays.',
  ];
  expect(planted.flatMap(bannedIn)).toHaveLength(BANNED.length);
  expect(planted.map((line) => bannedIn(line).length)).toEqual(planted.map(() => 1));
  const code = 'const meet = (beside: number) => beside; // It lies.\nmeet(1);';
  expect(bannedIn(withoutIdentifiers('code.ts', code))).toEqual(['1: "lies": write is, are']);
  const plain = 'An amendment to the standard library; we understand a stand-in, a metre, a client and a belief.';
  expect(bannedIn(plain)).toEqual([]);
});
