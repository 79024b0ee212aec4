/** Measures what users download. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { root } from '../lib/run.js';

/** Compresses bytes as well as a server can. */
export const compress = (bytes) =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });

/** What a page downloads of an entry, where its author bundles and minifies it. */
async function bundled(names, entry) {
  const contents = `export { ${names} } from './dist/${entry}';`;
  const options = /** @type {const} */ ({
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    external: /** @type {string[]} */ (['react']),
  });
  const { outputFiles } = await build({ stdin: { contents, resolveDir: root }, ...options });
  return Buffer.from(outputFiles[0].contents);
}

/** @returns {Promise<Record<string, { raw: number, brotli: number }>>} bytes */
export async function measure() {
  /** @type {Record<string, { raw: number, brotli: number }>} */
  const sizes = {};
  const add = (name, bytes) => {
    sizes[name] = { raw: bytes.length, brotli: compress(bytes).length };
  };
  for (const file of ['lemondata.wasm', 'hub.wasm', 'workerd.js', 'index.js', 'ai-sdk.js', 'telemetry.js'])
    add(file, readFileSync(join(root, 'dist', file)));
  add('generate + waitForTask, bundled', await bundled('generate, waitForTask', 'index.js'));
  add('the same of javascript', await bundled('generate, waitForTask', 'javascript.js'));
  add('the same of slim', await bundled('init, generate, waitForTask', 'slim.js'));
  add('generations, bundled', await bundled('createGenerations', 'generations.js'));
  add('react, bundled', await bundled('GenerationsProvider, useGeneration, useGenerations', 'react.js'));
  for (const unit of ['raw', 'brotli']) sizes['the same of slim'][unit] += sizes['lemondata.wasm'][unit];
  for (const file of ['testing.js', 'cli.js']) add(file, readFileSync(join(root, 'dist', file)));
  return sizes;
}
