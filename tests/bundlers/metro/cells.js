/**
 * Metro, the bundler of React Native, which ignored `exports` until version 0.79 and still can. Its bundle runs without
 * what Hermes lacks: WebAssembly above all.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';

/** The tool asks for it. */
export const node = '24';

/** What an app finds in Hermes and React Native, and this package uses. */
const GLOBALS = [
  'AbortController',
  'Blob',
  'clearTimeout',
  'console',
  'fetch',
  'FormData',
  'Headers',
  'performance',
  'setTimeout',
  'TextEncoder',
  'URL',
];

const cell = (usesExports) => ({
  tool: 'metro',
  all: true,
  async run({ path, bin, execute, server, weigh }) {
    mkdirSync(path('out'), { recursive: true });
    const args = [
      'build',
      'app.js',
      '--config=metro.config.cjs',
      '--out=out/app',
      '--platform=ios',
      '--reset-cache',
    ];
    await execute(bin('metro'), args, { PACKAGE_EXPORTS: usesExports ? 'on' : 'off' });
    const code = readFileSync(path('out', 'app.js'), 'utf8');

    const { apiKey, url: baseUrl } = server;
    const context = { settings: { apiKey, baseUrl } };
    for (const name of GLOBALS) context[name] = globalThis[name];
    Object.assign(context, { window: context, global: context, navigator: { product: 'ReactNative' } });
    runInContext(`delete globalThis.WebAssembly; ${code}`, createContext(context));
    assert.equal(typeof context.init, 'function');
    await assert.rejects(context.refused, { kind: 'invalid_request', param: 'apiKey' });
    await assert.rejects(context.aborted, { name: 'AbortError' });
    return { result: await context.result, bytes: weigh('out') };
  },
});

/** Every entry is found, too, where `exports` counts for nothing. */
export const cells = {
  metro: cell(true),
  'metro-no-exports': cell(false),
};
