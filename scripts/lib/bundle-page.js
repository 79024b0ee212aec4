/**
 * Makes of `www/` what a browser loads, compressed as well as can be: one document with its style, the script of a
 * visit, and one that is loaded on demand.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { compress } from '../build/measure.js';
import { root } from './run.js';

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
  const { scripts, style } = await making;
  const dataset = Object.entries(attributes).map(([name, value]) => ` data-${name}="${value}"`);
  const html = readFileSync(join(root, 'www', 'index.html'), 'utf8')
    .replace('<html', `<html${dataset.join('')}`)
    // Between lines, white space says nothing.
    .replace(/\n\s+/g, '\n')
    .replace('<link rel="stylesheet" href="/style.css">', () => `<style>${style}</style>`);
  return {
    assets: { '/': asset('text/html; charset=utf-8', html), ...scripts },
    styleHash: `sha256-${createHash('sha256').update(style).digest('base64')}`,
  };
}

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: { app: join(root, 'www', 'main.js'), style: join(root, 'www', 'style', 'index.css') },
    outdir: '/',
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    splitting: true,
    chunkNames: '[name]',
    target: ['es2023', 'chrome115', 'firefox121', 'safari17'],
    absWorkingDir: root,
    logLevel: 'warning',
  });
  // The entry only imports `chunk.js`, which the document loads directly: see `www/extras.js`.
  const isLoaded = ({ path }) => path.endsWith('.js') && path !== '/app.js';
  const scripts = Object.fromEntries(
    outputFiles
      .filter(isLoaded)
      .map(({ path, text }) => [path, asset('text/javascript; charset=utf-8', text.trim())]),
  );
  const style = outputFiles.find(({ path }) => path.endsWith('.css')).text.trim();
  return { scripts, style };
}

/** @returns {Asset} */
function asset(type, text) {
  const identity = Buffer.from(text);
  return {
    type,
    bodies: {
      identity,
      gzip: gzipSync(identity, { level: 9 }),
      br: compress(identity),
    },
  };
}
