/**
 * Writes `AGENTS.md` and `llms.txt`, what a coding agent needs to use the package: `npm run agents`. The functions and the
 * outcomes come from the declarations, the entries from `package.json`, the guides from `docs/README.md`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { SOURCES } from './build/declarations.js';
import { root } from './lib/run.js';

const read = (path) => readFileSync(join(root, path), 'utf8');

const SUMMARY =
  'A client of the LemonData image API (also TokenLab) for web pages, edge workers, Node, Deno and Bun. One call makes a ' +
  'picture, waits if the service answers with a task, and never pays twice.';

/** The mistakes that code makes which was written without the guides. */
const RULES = [
  'Call `generateAndWait({ model, prompt }, options)`. The picture is `data[0].url` or `data[0].b64_json`. Name a `model` that `listModels()` or `npx lemondata-wasm models` lists; do not invent one.',
  'Never put a key into a page. There, pass `{ baseUrl: "/api/lemondata", relay: true }`, and run `createRelay` of `lemondata-wasm/relay` on a server. On servers the key is read from `LEMONDATA_API_KEY` or `TOKENLAB_API_KEY` if there is no `apiKey`.',
  'Do not retry a create yourself, in a loop or by a library. The package repeats what costs nothing. After `error.outcome === "unknown"` a second create may be a second bill.',
  'Do not poll yourself. `waitForTask(task)` keeps the cadence of the service, survives lost connections, and goes on with a task that was stored.',
  'Store the task in `onTask` before it is waited for. After a restart or an error with `error.task`, call `waitForTask` with it instead of a new create.',
  'Read the answer, not the name of the model: any model may answer with a picture or with a task. `generate` alone returns either; `status` tells.',
  'Options are camelCase (`maxWait`, `pollInterval`, `signal`), fields of requests and answers are snake_case (`aspect_ratio`, `task_id`). Unknown options are refused, unknown fields pass through. Times are milliseconds.',
  'Catch `LemonDataError`, and decide by `instanceof`, `kind` and `outcome`, never by the text. Aborting a `signal` rejects with its own reason, and the task goes on.',
  'URLs of pictures expire. Download with `toBlob(image)`, which never sends the key, and keep a copy. If that fails, call `toBlob` again: the picture is paid for, so its `outcome` is no reason to repeat the create.',
  'Test with `mockService()` of `lemondata-wasm/testing`: pass its `apiKey` and `fetch`, and `pollInterval: { min: 1, max: 2 }`. Do not write mocks of answers, and do not call the service from tests.',
];

/** The first sentence of a comment, in one line and without tags. */
const sentenceOf = (comment) =>
  comment
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .match(/^.*?\.(?= [A-Z]|$)|^.*$/)[0]
    .trim();

/** The comment of a declaration without its tags. */
const commentOf = (node) => ts.getTextOfJSDocComment(ts.getJSDocCommentsAndTags(node).at(-1).comment) ?? '';

/** The functions that an entry declares: each with its parameters, its result, and the first sentence about it. */
function functionsOf(path) {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.ESNext, true);
  return source.statements.filter(ts.isFunctionDeclaration).map((node) => {
    const parameters = node.parameters.map(
      ({ name, questionToken }) => `${name.getText()}${questionToken ? '?' : ''}`,
    );
    const result = node.type
      .getText()
      .replace(/<Fields>| & Fields/g, '')
      .replace('(Model)', 'Model');
    return `- \`${node.name.text}(${parameters.join(', ')}): ${result}\` ${sentenceOf(commentOf(node))}`;
  });
}

/** The entries whose declarations are those of another one. */
const SAME_DECLARATIONS = {
  './javascript': '`lemondata-wasm` with its core as JavaScript, for places that run no WebAssembly.',
};

/** The first sentence about an entry, from the comment of its module. */
function entryOf([path, target]) {
  const { types } = target.default?.types ? target.default : target;
  if (!types) return [];
  const [, name] = types.match(/([\w-]+)\.d\.ts$/);
  const [, comment] = read(SOURCES[name]).match(/^\/\*\*\n([\s\S]*?)\*\//);
  const [text] = comment.replace(/^ \* ?/gm, '').split(/^@/m);
  return [`- \`lemondata-wasm${path.slice(1)}\`: ${SAME_DECLARATIONS[path] ?? sentenceOf(text.trim())}`];
}

/** What the declarations say of each outcome. */
function outcomes() {
  const [, list] = read('js/entries/index.d.ts').match(
    /((?: \* - `\w+`: [^\n]*\n(?: \* {3}[^\n]*\n)*)+)(?: \*[^\n]*\n)* ?\*\/\nexport type Outcome/,
  );
  return list
    .replace(/^ \* /gm, '')
    .replace(/\n {2,}/g, ' ')
    .trimEnd();
}

/** The tables of the guides as lists, below the same headings. */
const guides = () =>
  read('docs/README.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title] = section.split('\n');
      const links = [...section.matchAll(/^\| (.+?) \| \[(.+?)\]\((.+?)\) \|$/gm)];
      return `## ${title}\n\n${links.map(([, topic, name, path]) => `- [${name}](docs/${path}): ${topic}`).join('\n')}`;
    })
    .join('\n\n');

const rules = () => RULES.map((rule, index) => `${index + 1}. ${rule}`).join('\n');

/** @returns {Record<string, string>} the files by name */
export function agentFiles() {
  const { exports } = JSON.parse(read('package.json'));
  const [, sample] = read('README.md').match(/<!-- sample: node -->\n(```js\n[\s\S]*?```)/);
  return {
    'AGENTS.md': `# lemondata-wasm for coding agents

${SUMMARY}

To work on the package itself, read \`CONTRIBUTING.md\` of the repository. To use it:

## Ten rules

${rules()}

## A first program

${sample}

## Entries

${Object.entries(exports).flatMap(entryOf).join('\n')}

## Functions of \`lemondata-wasm\`

${functionsOf('js/entries/index.d.ts').join('\n')}

\`new LemonData(options)\` takes the options of every call, and has all of these but \`toBlob\` as methods.

## \`error.outcome\`

${outcomes()}

The guides are listed in [llms.txt](llms.txt), the types in the [reference](docs/api/README.md).
`,
    'llms.txt': `# lemondata-wasm

> ${SUMMARY}

${rules()}

${guides()}
`,
  };
}

if (import.meta.filename === process.argv[1]) {
  for (const [name, text] of Object.entries(agentFiles())) writeFileSync(join(root, name), text);
}
