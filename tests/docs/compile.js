/** Compiles the code that the pages print, as TypeScript and its users see it. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { root } from '../../scripts/lib/run.js';
import { ensureTools } from '../matrix/project.js';

/** What the samples leave to their reader. */
const AMBIENT = join(import.meta.dirname, 'ambient.d.ts');

/** A block of code, the comment in front of it, and the end of the text that introduces it. */
const BLOCK =
  /([^\n]*)\n+(?:<!-- (?:sample: \S+|(before)) -->\n)?```(jsx?|tsx?|vue|svelte|astro)\n([\s\S]*?)```/g;
/** The script of a component. Astro's is TypeScript. */
const SCRIPT = /<script[^>]*?( lang="ts")?>\n([\s\S]*?)<\/script>/;
/** How a text introduces a file: `` `app.js`: ``, with more text around it perhaps. */
const FILE = /`([\w.[\]/-]+\.(?:[cm]?js|jsx|tsx?))`.*:$/;

/**
 * The blocks of code that a page prints.
 *
 * @param {string} page a path in the repository
 * @returns {{ name: string, line: number, code: string, isBefore: boolean }[]} `name` is that of the file which the page
 *   has it stored in, or one of ours. `isBefore` marks code that a page shows only to replace it
 */
export function blocksOf(page) {
  const text = readFileSync(join(root, page), 'utf8');
  const names = new Set();
  return [...text.matchAll(BLOCK)].map((match, index) => {
    const [whole, introduction, before, fence, block] = match;
    const [script, isTyped, inner] = (!/^[jt]sx?$/.test(fence) && SCRIPT.exec(block)) || [];
    const [language, code] = script ? [isTyped || fence === 'astro' ? 'ts' : 'js', inner] : [fence, block];
    const named = basename(FILE.exec(introduction)?.[1] ?? '');
    const name =
      named && !names.has(named) ? named : `${named.replace(/\.\w+$/, '')}block-${index}.${language}`;
    names.add(name);
    const start = text.indexOf('```', match.index + whole.indexOf(introduction) + introduction.length);
    const line = text.slice(0, start + 4 + fence.length + block.indexOf(code)).split('\n').length - 1;
    return { name, line, code, isBefore: before !== undefined };
  });
}

/** Where the types that samples need come from: the packages of each folder of tools. */
const PACKAGES = {
  'tests/docs/types': [
    '@types/bun',
    '@types/deno',
    '@types/express',
    '@types/jest',
    '@types/node',
    '@types/react',
    '@types/react-dom',
  ],
  'tests/telemetry/sdk': ['@opentelemetry/api'],
  'tests/bundlers/angular': ['@angular/core'],
  'tests/bundlers/servers': ['fastify'],
  'tests/bundlers/vitest': ['msw', 'vite', 'vitest'],
  'tests/bundlers/frameworks': ['solid-js', 'vue'],
  'tests/bundlers/playwright': ['@playwright/test'],
  'tests/bundlers/jest': ['jest-environment-jsdom'],
};
/** Those that the repository itself has. */
const OWN_PACKAGES = ['ai', '@cloudflare/workers-types', 'hono', 'openai', 'undici'];

const ES = 'lib.es2022.d.ts';
const DOM = ['lib.dom.d.ts', 'lib.dom.iterable.d.ts'];

/** What a file may use beside the language. */
const ENVIRONMENTS = {
  'Node and pages': { lib: [ES, ...DOM], types: ['node'] },
  'Node alone': { lib: [ES], types: ['node'] },
  'a Cloudflare worker': { lib: [ES], types: ['@cloudflare/workers-types'] },
  Bun: { lib: [ES], types: ['bun'] },
  Deno: { lib: [ES, ...DOM], types: ['deno'] },
  Jest: { lib: [ES, ...DOM], types: ['node', 'jest'] },
};

function environmentOf(page, name, code) {
  if (page === 'docs/bun.md') return 'Bun';
  if (page === 'docs/deno.md') return 'Deno';
  if (page === 'docs/node.md') return 'Node alone';
  if (name.startsWith('worker.') || /cloudflare/i.test(code)) return 'a Cloudflare worker';
  if (page === 'docs/testing.md' && !/'(?:vitest|@playwright\/test)'/.test(code)) return 'Jest';
  return 'Node and pages';
}

/** Pages whose blocks are parts of a file: their reader knows the rest. The parts are checked all the same. */
const SKETCHES = ['docs/hub.md', 'docs/relay.md'];
/** A block that holds an option alone is a part of an object. */
const asFile = (code) => (/^\w+: /.test(code) ? `({ ${code} })` : code);
/** A name that is not declared, and what it makes of the types of its neighbours. */
const OPEN = [2304, 7006, 7031, 18046];

/** Whether code has its types in comments, which count in JavaScript alone. */
const hasTypeComments = (code) => /\/\*\*[^/]*@(?:type|param|typedef|satisfies)/.test(code);

/** Makes a project with the packages that the samples import. */
function openProject() {
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-pages-'));
  const link = (name, place) => {
    const target = join(folder, 'node_modules', name);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(place, name), target);
  };
  for (const [source, names] of Object.entries(PACKAGES)) {
    const tools = ensureTools(join(root, source));
    for (const name of names) link(name, tools);
  }
  for (const name of OWN_PACKAGES) link(name, join(root, 'node_modules'));
  return folder;
}

/**
 * Compiles what the pages print: as it stands there, and JavaScript once more as TypeScript, where a user may paste it.
 *
 * @param {string[]} pages
 * @returns {Map<string, string[]>} the complaints about each page, each with its line
 */
export function compilePages(pages) {
  const folder = openProject();
  try {
    const files = new Map();
    const groups = new Map(Object.keys(ENVIRONMENTS).map((name) => [name, []]));
    const add = (place, page, { name, code, line }) => {
      const file = join(folder, place, basename(page, '.md'), name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, asFile(code));
      files.set(file, { page, line });
      groups.get(environmentOf(page, name, code)).push(file);
    };
    for (const page of pages) {
      for (const block of blocksOf(page)) {
        // An ellipsis makes a sketch of a block, and code that a page replaces is another's.
        if (block.isBefore || block.code.includes('…')) continue;
        add('printed', page, block);
        if (block.name.endsWith('.d.ts')) continue;
        const isPlain = /\.jsx?$/.test(block.name) && !hasTypeComments(block.code);
        add('pasted', page, isPlain ? { ...block, name: block.name.replace(/\.js/, '.ts') } : block);
      }
    }
    const complaints = new Map(pages.map((page) => [page, []]));
    for (const [environment, names] of groups) {
      for (const { code, file, start, messageText } of diagnose(folder, names, ENVIRONMENTS[environment])) {
        const message = ts.flattenDiagnosticMessageText(messageText, '\n');
        if (!file) throw new Error(message);
        const place = files.get(file.fileName);
        if (!place || (SKETCHES.includes(place.page) && OPEN.includes(code))) continue;
        const line = place.line + file.getLineAndCharacterOfPosition(start).line + 1;
        const found = `${place.page}:${line}: ${message}`;
        const list = complaints.get(place.page);
        if (!list.includes(found)) list.push(found);
      }
    }
    return complaints;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The strictest settings that are in common use. */
function diagnose(folder, files, environment) {
  const modules = join(folder, 'node_modules');
  const program = ts.createProgram([...files, AMBIENT], {
    ...environment,
    allowJs: true,
    checkJs: true,
    exactOptionalPropertyTypes: true,
    jsx: ts.JsxEmit.ReactJSX,
    module: ts.ModuleKind.Preserve,
    moduleDetection: ts.ModuleDetectionKind.Force,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noEmit: true,
    noUncheckedIndexedAccess: true,
    paths: {
      'lemondata-wasm': [join(root, 'js/entries/index.d.ts')],
      'lemondata-wasm/javascript': [join(root, 'js/entries/index.d.ts')],
      'lemondata-wasm/slim': [join(root, 'js/entries/slim.d.ts')],
      'lemondata-wasm/relay': [join(root, 'js/relay/index.d.ts')],
      'lemondata-wasm/telemetry': [join(root, 'js/telemetry/index.d.ts')],
      'lemondata-wasm/ai-sdk': [join(root, 'js/ai-sdk/index.d.ts')],
      'lemondata-wasm/cloudflare': [join(root, 'js/cloudflare/index.d.ts')],
      'lemondata-wasm/generations': [join(root, 'js/generations/index.d.ts')],
      'lemondata-wasm/react': [join(root, 'js/react/index.d.ts')],
      'lemondata-wasm/testing': [join(root, 'js/testing/index.d.ts')],
    },
    skipLibCheck: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    typeRoots: [join(modules, '@types'), modules],
  });
  return ts.getPreEmitDiagnostics(program);
}
