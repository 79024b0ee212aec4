/** The page about extensions, in Chromium: with the line of its manifest, and with the core in JavaScript without it. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { ensureChromium } from '../../../scripts/lib/setup.js';

export const samples = { 'manifest.json': 'extensions/manifest', 'background.js': 'extensions/background' };

/** A page of the extension, from which its worker can be called. */
const PAGE = '<!DOCTYPE html><title>Extension</title>';
const RELAY = 'https://relay.example';

/** @param {(code: string, manifest: Record<string, any>) => string} change of the samples */
const cell = (change, act) => ({
  tool: 'chrome-extension MV3',
  async run(project) {
    const { path, bin, execute, relay, site } = project;
    const opened = {};
    // The relay needs the id of the extension, which has the relay's address in it.
    const url = await site('.', { api: (c) => opened.api(c) });
    const at = (text) => text.replaceAll(RELAY, url.slice(0, -1));
    const manifest = JSON.parse(at(readFileSync(path('manifest.json'), 'utf8')));
    const background = change(at(readFileSync(path('background.js'), 'utf8')), manifest);
    writeFileSync(path('source.js'), background);
    await execute(bin('esbuild'), ['source.js', '--bundle', '--format=esm', '--outfile=built/background.js']);
    writeFileSync(path('built', 'manifest.json'), JSON.stringify(manifest));
    writeFileSync(path('built', 'page.html'), PAGE);

    const context = await chromium.launchPersistentContext('', {
      executablePath: ensureChromium().chromium,
      ignoreDefaultArgs: ['--disable-extensions'],
      args: [`--disable-extensions-except=${path('built')}`, `--load-extension=${path('built')}`],
    });
    try {
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
      const origin = new URL('/', worker.url()).href.slice(0, -1);
      opened.api = (await relay(undefined, { allowedOrigins: [origin] })).handle;
      const page = await context.newPage();
      await page.goto(`${origin}/page.html`);
      await act(
        await page.evaluate(() => globalThis.chrome.runtime.sendMessage({ prompt: 'A lemon' })),
        project,
      );
    } finally {
      await context.close();
    }
  },
});

const succeeds = ({ url, error }, { paidOnce }) => {
  assert.equal(error, undefined);
  assert.match(url, /^http/);
  paidOnce();
};
const withoutLine = (code, manifest) => {
  delete manifest.content_security_policy;
  return code;
};

export const cells = {
  'extension-sample': cell((code) => code, succeeds),
  'extension-without-line': cell(withoutLine, ({ error }, { server }) => {
    // The engine names the policy.
    assert.match(
      error,
      /^WebAssembly did not start \(.*content security policy.*\)\. lemondata-wasm\/javascript works without WebAssembly\.$/is,
    );
    assert.equal(server.counts.creates, 0);
  }),
  'extension-javascript': cell(
    (code, manifest) =>
      withoutLine(code.replace("'lemondata-wasm'", "'lemondata-wasm/javascript'"), manifest),
    succeeds,
  ),
};
