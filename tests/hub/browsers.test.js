/** Pages of three browsers watch a hub's task: the client by server-sent events, and by a WebSocket of their own. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';
import { startServer } from '../server/index.js';
import { startHub } from './place.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };

let server;
let site;
let hub;

before(async () => {
  server = await startServer({ taskMs: 300 });
  site = await serveSite({ '/pkg/': join(root, 'dist/') }, '<!doctype html><title>A page</title>');
  hub = await startHub(server, { PAGE: site.url, KEEPS: true });
}, GUARD);
after(async () => {
  await hub?.close();
  await site.close();
  await server.close();
});

/** Runs in the page: generates, and returns what it saw. */
async function generate(url) {
  const { LemonData, toBlob } = await import('/pkg/index.js');
  const requests = [];
  const updates = [];
  const lemon = new LemonData({
    baseUrl: `${url}/hub`,
    relay: true,
    headers: { 'x-user': 'ann' },
    onResponse: ({ method }) => requests.push(method),
    onUpdate: ({ status }) => updates.push(status),
  });
  const { status, data } = await lemon.generateAndWait(
    { prompt: 'A lemon', model: 'flux-pro' },
    { pollInterval: { min: 10, max: 20 } },
  );
  const { size } = await toBlob(data[0], { fetch: (at, init) => fetch(`${at}?user=ann`, init) });
  return { status, requests, updates, size };
}

/** Runs in the page: watches a task by a WebSocket, to its end. */
async function watch(url) {
  const headers = { 'content-type': 'application/json', 'x-user': 'ann' };
  const body = '{"prompt":"A lemon","model":"flux-pro"}';
  const created = await fetch(`${url}/hub/v1/images/generations`, { method: 'POST', headers, body });
  const { task_id } = await created.json();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/hub/v1/tasks/${task_id}?user=ann`);
  const states = [];
  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => states.push(JSON.parse(data));
    socket.onclose = () => resolve(states.map((state) => [state.task_id === task_id, state.status]));
    socket.onerror = () => reject(new Error('the socket failed'));
  });
}

for (const name of BROWSERS) {
  describe(name, () => {
    let browser;
    let page;
    before(async () => {
      browser = await openBrowser(name);
    });
    beforeEach(async () => {
      server.reset();
      page = await browser.open(site.url);
    });
    after(() => browser?.close());

    test('the client reads all states from one answer, and the picture from the relay', GUARD, async () => {
      const { status, requests, updates, size } = await page.run(generate, hub.url);
      assert.equal(status, 'completed');
      assert.deepEqual(requests, ['POST', 'GET']);
      assert.equal(updates.at(-1), 'completed');
      assert.ok(updates.length > 1, `${updates}`);
      assert.ok(size > 100);
      assert.equal(server.counts.creates, 1);
      assert.equal(server.counts.keyLeaks, 0);
      await page.close();
    });

    test('a WebSocket brings every state, and closes after the last', GUARD, async () => {
      const states = await page.run(watch, hub.url);
      assert.ok(states.length > 1);
      assert.ok(states.every(([isOurs]) => isOurs));
      assert.equal(states.at(-1)[1], 'completed');
      await page.close();
    });
  });
}
