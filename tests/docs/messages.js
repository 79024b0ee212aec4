/** The messages that the package has for its users: the texts of errors and of logs, as they stand in the code. */

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import ts from 'typescript';
import { root } from '../../scripts/lib/run.js';

const FOLDERS = [
  'src/core',
  'src/shell',
  'js/client',
  'js/entries',
  'js/places',
  'js/relay',
  'js/cloudflare',
  'js/generations',
  'js/react',
];
/** Files whose texts no user sees: a build for tests, and one that the build writes. */
const OTHERS = ['trap.rs', 'abi.rs', 'abi.gen.js'];

/** Two words that follow one another. */
const WORDS = /[A-Za-z']{2,}[,:;]? [a-z'`]{2,}/;
/** Three of them at least. */
const SENTENCE = /(?:[\w'`()]+[,:;]? ){2}[\w'`()]+/;
/** A text that begins or ends like a sentence, or says what has to be. Others only fill a gap, such as "a list of sizes". */
const LIKE_SENTENCE = /^[A-Z ,.:;]|[.:?] ?$| must | takes | needs /;

const isMessage = (text) => SENTENCE.test(text) && LIKE_SENTENCE.test(text);

/** A text as it may stand in a page: in one line, without the marks of code. */
export const plain = (text) => text.replaceAll('`', '').replaceAll('\\|', '|').replace(/\s+/g, ' ').trim();

/**
 * @returns {{ file: string, text: string, isRequired: boolean }[]} every text of two words or more; each part of a
 *   template by itself. `isRequired`: it is a message, or a part of one
 */
export function messages() {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => /\.(?:rs|js)$/.test(name) && !name.endsWith('.test.js'))
      .filter((name) => !OTHERS.some((other) => name.endsWith(other)))
      .flatMap((name) => {
        const file = join(folder, name);
        const code = readFileSync(join(root, file), 'utf8');
        const texts = extname(name) === '.rs' ? textsOfRust(code) : textsOfJavaScript(code);
        return texts
          .filter((text) => WORDS.test(text))
          .map((text) => ({ file, text: plain(text), isRequired: isMessage(text) }));
      }),
  );
}

/** The strings of a Rust file, without those of its comments and attributes. */
function textsOfRust(code) {
  const tokens = code.matchAll(/\/\/[^\n]*|#!?\[[^\]]*\]|"((?:[^"\\]|\\[\s\S])*)"/g);
  return [...tokens]
    .map(([, text]) => text)
    .filter((text) => text !== undefined)
    .map((text) => text.replace(/\\\n\s*/g, '').replace(/\\(.)/g, '$1'));
}

function textsOfJavaScript(code) {
  const texts = [];
  const visit = (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      texts.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('', code, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS));
  return texts;
}
