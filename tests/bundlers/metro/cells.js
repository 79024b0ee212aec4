/**
 * Metro, the bundler of React Native, which ignored `exports` until version 0.79 and still can. Its bundle runs against
 * the server without what Hermes lacks, WebAssembly above all, and in Hermes itself.
 */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
];

/** React Native has a URL whose parts cannot be read. */
class NativeUrl {
  get origin() {
    throw new Error('URL.origin is not implemented');
  }
}

/** Bundles the app. */
async function bundle({ path, bin, execute }, name, env) {
  mkdirSync(path('out'), { recursive: true });
  const args = [
    'build',
    'app.js',
    '--config=metro.config.cjs',
    `--out=out/${name}`,
    '--platform=ios',
    '--reset-cache',
  ];
  await execute(bin('metro'), args, { PACKAGE_EXPORTS: 'on', ...env });
  return readFileSync(path('out', `${name}.js`), 'utf8');
}

const cell = (usesExports) => ({
  tool: 'metro',
  all: true,
  async run(project) {
    const { server, weigh } = project;
    const code = await bundle(project, 'app', { PACKAGE_EXPORTS: usesExports ? 'on' : 'off' });

    const { apiKey, url: baseUrl } = server;
    const context = { settings: { apiKey, baseUrl } };
    for (const name of GLOBALS) context[name] = globalThis[name];
    Object.assign(context, {
      window: context,
      global: context,
      navigator: { product: 'ReactNative' },
      URL: NativeUrl,
    });
    runInContext(`delete globalThis.WebAssembly; ${code}`, createContext(context));
    assert.equal(typeof context.init, 'function');
    await assert.rejects(context.refused, { kind: 'invalid_request', param: 'apiKey' });
    await assert.rejects(context.aborted, { name: 'AbortError' });
    return { result: await context.result, bytes: weigh('out') };
  },
});

/**
 * Hermes itself. Its compiler of today takes the bundle. The last engine that npm has for a computer runs it, in older
 * syntax; that engine has no network, so `hermes/globals.js` has a service, beside what React Native adds.
 */
const hermes = {
  tool: 'hermes-engine-cli',
  all: true,
  async run(project) {
    const { path, execute } = project;
    const [compiler, engine] = [
      'hermes-compiler/hermesc/linux64-bin/hermesc',
      'hermes-engine-cli/linux64-bin/hermes',
    ].map((file) => path('node_modules', ...file.split('/')));
    for (const file of [compiler, engine]) chmodSync(file, 0o755);
    await bundle(project, 'app');
    await execute(compiler, ['-O', '-emit-binary', '-out', 'out/app.hbc', 'out/app.js']);

    const parts = [
      readFileSync(path('hermes', 'globals.js'), 'utf8'),
      await bundle(project, 'old', { TRANSFORM_PROFILE: 'default' }),
      readFileSync(path('hermes', 'report.js'), 'utf8'),
    ];
    writeFileSync(path('out', 'run.js'), parts.join('\n'));
    const printed = await execute(engine, ['out/run.js']);
    const { result, refused, aborted, requests, engine: internal } = project.read(printed);
    assert.equal(internal, 'object', 'it is Hermes');
    assert.deepEqual([refused, aborted], ['apiKey', 'AbortError']);
    const url = 'https://api.test/v1/images/generations';
    const key = 'Bearer sk-hermes';
    assert.deepEqual(requests, [
      `POST ${url} ${key}`,
      `POST ${url} ${key}`,
      `GET ${url}/img_1 ${key}`,
      `GET ${url}/img_1 ${key}`,
    ]);
    assert.equal(result.inline.data[0].url, 'https://files.test/1.png');
    assert.equal(result.task.status, 'pending');
    assert.equal(result.done.data[0].url, 'https://files.test/2.png');
  },
};

/** Every entry is found, too, where `exports` counts for nothing. */
export const cells = {
  metro: cell(true),
  'metro-no-exports': cell(false),
  'metro-hermes': hermes,
};
