/**
 * The beginnings of a new user, from the packed package and with the documents' own lines: each ends with its
 * picture. Keys, addresses and ports are all that is filled in.
 *
 * It prints how long each takes: to install the package into a project that has its tools, and from the first command
 * to the picture.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { root } from '../../scripts/lib/run.js';
import { pack } from '../helpers/pack.js';
import { sample } from '../helpers/samples.js';
import { closeBrowsers, openPage } from '../matrix/page.js';
import { freePort, listening } from '../matrix/ports.js';
import { openProject } from '../matrix/project.js';
import { startServer } from '../server/index.js';
import { commands } from './documents.js';

const packed = mkdtempSync(join(tmpdir(), 'lemondata-wasm-first-hour-'));
const rows = [['beginning', 'install', 'to the picture']];
let server;
let tarball;

before(async () => {
  server = await startServer();
  ({ tarball } = pack(packed));
  // The user's browser is open already.
  await (await openPage('chromium', 'about:blank')).close();
});
beforeEach(() => server.reset());
after(async () => {
  await closeBrowsers();
  await server?.close();
  rmSync(packed, { recursive: true, force: true });
  console.log(
    rows
      .map(([name, ...times]) => name.padEnd(16) + times.map((time) => time.padStart(16)).join(''))
      .join('\n'),
  );
});

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/**
 * @param {string} name
 * @param {Omit<import('../matrix/matrix.js').Suite, 'cells' | 'source'> & { source: string }} suite its `source` is a
 *   folder of the matrix, for the tools that the documents have their reader install
 * @param {(project: import('../matrix/project.js').Project) => Promise<void>} walk
 */
function beginning(name, { source, ...suite }, walk) {
  test(name, async () => {
    const installing = performance.now();
    const project = openProject(
      { ...suite, source: join(root, 'tests', source), cells: [] },
      { tarball, server },
    );
    const install = seconds(installing);
    const walking = performance.now();
    try {
      await walk(project);
      rows.push([name, install, seconds(walking)]);
    } finally {
      await project.close();
    }
  });
}

const script = (text) => ['-ec', text.replaceAll('sk-…', server.apiKey)];

/** Checks that a file is a picture that was paid for once. */
function checkFile(project, ...path) {
  assert.ok(PNG.sync.read(readFileSync(project.path(...path))).width > 0);
  project.paidOnce();
}

describe('a new user gets a picture', { timeout: 600_000 }, () => {
  beginning(
    'Node',
    { source: 'runtimes/node', samples: { 'sample/lemon.mjs': 'README/node' } },
    async (project) => {
      const [key] = commands('README.md', 'Get a key');
      const [, run] = readFileSync(join(root, 'README.md'), 'utf8').match(/Save this as .* run `(node .*)`/);
      await project.execute('sh', script(`${key}\n${run}`), {}, 'sample');
      checkFile(project, 'sample', 'lemon.png');
    },
  );

  const express = {
    source: 'bundlers/express',
    samples: {
      'sample/server.js': 'express/server',
      'sample/index.html': 'express/html',
      'sample/app.js': 'express/app',
      'sample/vite.config.js': 'express/vite',
    },
  };
  beginning('Vite and Express', express, async (project) => {
    const [run] = commands('docs/express.md', 'Run it');
    const port = await freePort();
    const env = { PORT: String(port), RELAY_URL: `http://localhost:${port}` };
    const [url] = await project.serve('sh', script(run), /http:\/\/localhost:\d+\//, env, 'sample');
    await listening(port, new Promise(() => {}));
    await project.shows(url);
  });

  const react = {
    source: 'bundlers/react',
    samples: {
      'sample/generations.ts': 'react/store',
      'sample/Picture.tsx': 'react/picture',
      'sample/App.tsx': 'react/app',
      'sample/main.tsx': 'react/main',
      'sample/vite.config.js': 'browser/proxy',
    },
  };
  beginning('React', react, async (project) => {
    const [, run] = readFileSync(join(root, 'docs', 'react.md'), 'utf8').match(
      /`(npx lemondata-wasm relay .*?)`/,
    );
    const port = await freePort();
    await project.serve('sh', script(`${run} --port=${port}`), port);
    const RELAY_URL = `http://127.0.0.1:${port}`;
    const [url] = await project.serve('sh', script('npx vite'), /http:\/\/localhost:\d+\//, { RELAY_URL });
    const page = await project.open(url);
    try {
      await page.until(() => document.querySelector('form') && true);
      await page.run(() => document.querySelector('form').requestSubmit());
      await page.until(() => document.querySelector('img')?.naturalWidth || undefined);
    } finally {
      await page.close();
    }
    assert.equal(server.counts.creates, 0, 'the relay of the page bills nothing');
  });

  const worker = {
    source: 'bundlers/wrangler',
    samples: {
      'sample/worker.js': 'cloudflare-workers/worker',
      'sample/wrangler.json': 'cloudflare-workers/config',
    },
    node: '24',
  };
  beginning('worker', worker, async (project) => {
    const [secrets, run] = commands('docs/cloudflare-workers.md', 'Run it locally');
    const [dev, download] = run.trim().split('\n');
    const port = await freePort();
    const env = { WRANGLER_SEND_METRICS: 'false' };
    await project.execute('sh', script(secrets), {}, 'sample');
    await project.serve('sh', script(`${dev} --port=${port}`), port, env, 'sample');
    await project.execute('sh', script(download.replace('8787', port)), {}, 'sample');
    checkFile(project, 'sample', 'lemon.png');
  });

  const next = {
    source: 'bundlers/next',
    samples: {
      'app/api/lemondata/[...path]/route.js': 'nextjs/relay',
      'app/picture/page.jsx': 'nextjs/page',
    },
  };
  beginning('Next.js', next, async (project) => {
    const [run] = commands('docs/nextjs.md', 'Run it');
    const port = await freePort();
    const settings = sample('nextjs/environment')
      .replace('sk-…', server.apiKey)
      .replace('…', 'a-secret-of-the-tests-with-32-characters')
      .replace('3000', port);
    writeFileSync(project.path('.env.local'), settings);
    const env = { PORT: String(port), NEXT_TELEMETRY_DISABLED: '1' };
    await project.serve('sh', script(run), /Ready in/, env);
    const page = await project.open(`http://localhost:${port}/picture`);
    try {
      // A click does nothing before React has taken over.
      await page.until(() => {
        if (document.querySelector('p')?.textContent === '') document.querySelector('button').click();
        return document.querySelector('img')?.naturalWidth || undefined;
      });
    } finally {
      await page.close();
    }
    project.paidOnce();
  });

  const vitest = {
    source: 'bundlers/vitest',
    samples: { 'sample/cover.js': 'testing/code', 'sample/cover.test.js': 'testing/vitest' },
    node: '24',
  };
  beginning('unit tests', vitest, async (project) => {
    const [run] = commands('docs/testing.md', 'Vitest');
    assert.match(await project.execute('sh', script(run), {}, 'sample'), /Tests +2 passed/);
  });
});
