/** Makes of `www/` what a browser loads: one script, one stylesheet, compressed as well as can be. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './run.js';

/**
 * @typedef {object} Asset
 * @property {string} type
 * @property {Record<'identity' | 'gzip' | 'br', Buffer>} bodies by the encoding
 */

/**
 * Bundles the page.
 *
 * @param {Record<string, string>} attributes of the document, by which the server tells the page about itself
 * @returns {Promise<Record<string, Asset>>} by path
 */
export async function bundlePage(attributes) {
  const { outputFiles } = await build({
    entryPoints: { app: join(root, 'www', 'main.js'), style: join(root, 'www', 'style', 'index.css') },
    outdir: '/',
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2023', 'chrome115', 'firefox121', 'safari17'],
    absWorkingDir: root,
    logLevel: 'warning',
  });
  const told = Object.entries(attributes).map(([name, value]) => ` data-${name}="${value}"`);
  const html = readFileSync(join(root, 'www', 'index.html'), 'utf8')
    .replace('<html', `<html${told.join('')}`)
    // Between lines, white space says nothing.
    .replace(/\n\s+/g, '\n');
  const assets = { '/': asset('text/html; charset=utf-8', html) };
  for (const { path, contents } of outputFiles) {
    assets[path] = asset(`text/${path.endsWith('.css') ? 'css' : 'javascript'}; charset=utf-8`, contents);
  }
  return assets;
}

function asset(type, contents) {
  const identity = Buffer.from(contents);
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
