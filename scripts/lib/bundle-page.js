/** Makes of `www/` what a browser loads: one document with its style, and one script, compressed as well as can be. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './run.js';

/** @satisfies {import('esbuild').BuildOptions} */
const OPTIONS = {
  outdir: '/',
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2023', 'chrome115', 'firefox121', 'safari17'],
  absWorkingDir: root,
  logLevel: 'warning',
};

/**
 * @typedef {object} Asset
 * @property {string} type
 * @property {Record<'identity' | 'gzip' | 'br', Buffer>} bodies by the encoding
 */

/** What is the same for every server of this process, once it has been made. */
let making;

/**
 * Bundles the page.
 *
 * @param {Record<string, string>} attributes of the document, by which the server tells the page about itself
 * @returns {Promise<{ assets: Record<string, Asset>, styleHash: string }>} the files by path, and how a content
 *   security policy names the style in the document: it saves the way back and forth that a file would take
 */
export async function bundlePage(attributes) {
  making ??= bundle();
  const { script, style, parts } = await making;
  const dataset = Object.entries(attributes).map(([name, value]) => ` data-${name}="${value}"`);
  const html = readFileSync(join(root, 'www', 'index.html'), 'utf8')
    .replace('<html', `<html${dataset.join('')}`)
    // Between lines, white space says nothing.
    .replace(/\n\s+/g, '\n')
    .replace('<link rel="stylesheet" href="/style.css">', () => `<style>${style}</style>`);
  return {
    assets: { '/': asset('text/html; charset=utf-8', html), '/app.js': script, ...parts },
    styleHash: `sha256-${createHash('sha256').update(style).digest('base64')}`,
  };
}

/**
 * Bundles `www/`. A module that is imported when it is needed is a file of its own, which a visit does not download. It
 * has its own copy of what it imports.
 */
async function bundle() {
  /** @type {Set<string>} */
  const later = new Set();
  const { outputFiles } = await build({
    ...OPTIONS,
    entryPoints: { app: join(root, 'www', 'main.js'), style: join(root, 'www', 'style', 'index.css') },
    plugins: [
      {
        name: 'later',
        setup({ onResolve }) {
          onResolve({ filter: /^\.\/[\w-]+\.js$/ }, ({ kind, path }) => {
            if (kind !== 'dynamic-import') return undefined;
            later.add(basename(path));
            return { path: `/${basename(path)}`, external: true };
          });
        },
      },
    ],
  });
  const { outputFiles: parts } = await build({
    ...OPTIONS,
    entryPoints: [...later].map((name) => join(root, 'www', name)),
  });
  const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text.trim();
  return {
    script: scriptAsset(text('.js')),
    style: text('.css'),
    parts: Object.fromEntries(
      parts.map(({ path, text: code }) => [`/${basename(path)}`, scriptAsset(code.trim())]),
    ),
  };
}

/** @param {string} text */
const scriptAsset = (text) => asset('text/javascript; charset=utf-8', text);

/** @returns {Asset} */
function asset(type, text) {
  const identity = Buffer.from(text);
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: identity.length };
  return {
    type,
    bodies: {
      identity,
      gzip: gzipSync(identity, { level: 9 }),
      br: brotliCompressSync(identity, { params }),
    },
  };
}
