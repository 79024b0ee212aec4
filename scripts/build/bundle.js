/** Bundles the JavaScript of each entry with the glue, and puts the package together. */

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../lib/run.js';
import { writeDeclarations } from './declarations.js';
import { forJavaScript } from './javascript.js';
import { makeDecoder, toText } from './module-text.js';

/** @typedef {import('./cache.js').BoundModule} BoundModule */

/** The source of each entry of the package and its formats. A client has a file of `js/places` as well. */
const ENTRIES = {
  index: { source: 'entries/index', place: 'default', formats: ['esm', 'cjs'] },
  workerd: { source: 'entries/index', place: 'workerd', formats: ['esm'] },
  'edge-light': { source: 'entries/index', place: 'edge-light', formats: ['esm'] },
  javascript: {
    source: 'entries/index',
    place: 'javascript',
    formats: ['esm', 'cjs'],
    inject: ['js/client/shims.js'],
  },
  'react-server': { source: 'entries/index', place: 'react-server', formats: ['esm'] },
  slim: { source: 'entries/slim', place: 'slim', formats: ['esm', 'cjs'] },
  relay: { source: 'relay/index', formats: ['esm', 'cjs'] },
  'ai-sdk': { source: 'ai-sdk/index', formats: ['esm', 'cjs'] },
  telemetry: { source: 'telemetry/index', formats: ['esm', 'cjs'] },
  cloudflare: { source: 'cloudflare/index', formats: ['esm'] },
  generations: { source: 'generations/index', formats: ['esm', 'cjs'] },
  react: { source: 'react/index', formats: ['esm', 'cjs'] },
  testing: { source: 'testing/index', formats: ['esm', 'cjs'] },
  cli: { source: 'cli/index', formats: ['esm'] },
};

/** Resolves what the sources import from the build, and what a client needs in its place. */
const virtualFiles = (files, place) => ({
  name: 'lemondata',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^lemondata:place$/ }, () => ({ path: join(root, 'js', 'places', `${place}.js`) }));
    onResolve({ filter: /^lemondata:/ }, ({ path }) => ({ path, namespace: 'lemondata' }));
    onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => ({ path, external: true }));
    // Where wasm-bindgen would have a copy of a file of ours.
    onResolve({ filter: /^\.\/snippets\// }, ({ path }) => ({
      path: path.replace(/^\.\/snippets\/[^/]*/, root),
    }));
    onLoad({ filter: /^/, namespace: 'lemondata' }, ({ path }) => ({ ...files[path](), resolveDir: root }));
  },
});

/**
 * @param {BoundModule} client
 * @param {BoundModule | undefined} hub the module of `lemondata-wasm/cloudflare`, where that is built
 * @param {string} folder gets the package, once all of it is there
 */
export async function bundle(client, hub, folder) {
  const fresh = join(root, 'target', 'package');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, 'lemondata.wasm'), client.wasm);
  if (hub) writeFileSync(join(fresh, 'hub.wasm'), hub.wasm);
  const decoder = await makeDecoder();
  const text = toText(decoder, client.wasm);
  const files = {
    'lemondata:glue': () => ({ contents: client.glue }),
    'lemondata:hub-glue': () => ({ contents: hub.glue }),
    'lemondata:javascript-glue': () => ({ contents: forJavaScript(client.glue) }),
    'lemondata:javascript': () => ({ contents: client.javascript }),
    'lemondata:decoder': () => ({ contents: JSON.stringify(decoder), loader: 'json' }),
    'lemondata:wasm': () => ({ contents: JSON.stringify(text), loader: 'json' }),
  };
  // Imports and exports have the names that `wasm-opt` has given them.
  const minifyNames = {
    mangleProps: new RegExp(`^(${Object.keys(client.names).join('|')})$`),
    mangleQuoted: true,
    mangleCache: client.names,
    // The module frees each closure by itself.
    define: { FinalizationRegistry: 'undefined' },
  };
  const entries = Object.entries(ENTRIES).filter(([name]) => hub || name !== 'cloudflare');
  const builds = entries.flatMap(([name, { source, place, formats, inject = [] }]) =>
    formats.map((format) =>
      build({
        entryPoints: [join(root, 'js', `${source}.js`)],
        bundle: true,
        format: /** @type {'esm' | 'cjs'} */ (format),
        minify: true,
        // An uncaught error prints the line that threw it: a line without end would fill the terminal.
        lineLimit: 160,
        target: 'es2022',
        platform: 'neutral',
        outfile: join(fresh, `${name}.${format === 'cjs' ? 'cjs' : 'js'}`),
        plugins: [virtualFiles(files, place)],
        inject: inject.map((file) => join(root, file)),
        ...(place && minifyNames),
        // The relay is a client itself, of the kind that its runtime gets.
        external: ['lemondata-wasm', 'cloudflare:*', 'node:*', 'react'],
        logLevel: 'warning',
      }),
    ),
  );
  await Promise.all(builds);
  writeDeclarations(fresh);
  // A build that fails leaves the last good one in place.
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}
