/** Bundles the route as Vercel does, and runs it: a module that is imported is handed in, compiled. */

import { readFile } from 'node:fs/promises';
import { EdgeRuntime } from 'edge-runtime';
import { build } from 'esbuild';

const modules = {};
const bundle = await build({
  entryPoints: [process.argv[2] ?? 'route.js'],
  bundle: true,
  format: 'iife',
  conditions: ['edge-light'],
  write: false,
  plugins: [
    {
      name: 'wasm',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
          path: new URL(path.replace('?module', ''), `file://${resolveDir}/`).pathname,
          namespace: 'module',
        }));
        onLoad({ filter: /.*/, namespace: 'module' }, async ({ path }) => {
          modules.wasm_0 = await WebAssembly.compile(await readFile(path));
          return { contents: 'export default wasm_0;' };
        });
      },
    },
  ],
});
const { LEMONDATA_API_KEY, LEMONDATA_BASE_URL } = process.env;
const runtime = new EdgeRuntime({
  initialCode: bundle.outputFiles[0].text,
  extend: (context) =>
    Object.assign(context, modules, { process: { env: { LEMONDATA_API_KEY, LEMONDATA_BASE_URL } } }),
});
if (!modules.wasm_0) throw new Error('the bundle imports no module');
const response = await runtime.dispatchFetch('http://route/');
console.log(`RESULT ${await response.text()}`);
