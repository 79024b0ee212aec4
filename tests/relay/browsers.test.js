/** Pages of three browsers generate through a relay in an edge worker, which is of another origin, and have no key. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';
import { startServer } from '../server/index.js';
import { KEY, SECRET } from './maker.js';
import { startWorkerd } from './places.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 300_000 };

let server;
/** The site whose pages may call, and one whose pages may not. */
let listed;
let other;
let place;
/** Where the relay is. */
let relay;

before(async () => {
  server = await startServer({ apiKey: KEY, taskMs: 200 });
  const site = () => serveSite({ '/pkg/': join(root, 'dist/') }, '<!doctype html><title>A page</title>');
  [listed, other] = [await site(), await site()];
  place = await startWorkerd({
    key: KEY,
    upstream: server.url,
    secret: SECRET,
    page: listed.url,
  });
  relay = `${place.url}/keyed`;
});
after(async () => {
  await place?.close();
  await listed.close();
  await other.close();
  await server.close();
});

/** Runs in the page: generates, and tells what it saw of it. */
async function generate({ relay, model }) {
  const { LemonData } = await import('/pkg/index.js');
  const seen = [];
  const lemon = new LemonData({
    baseUrl: relay,
    relay: true,
    headers: { 'x-user': 'ann' },
    pollInterval: { min: 40, max: 60 },
    maxRetries: 0,
    onResponse: (info) => seen.push(info),
  });
  try {
    const { status, task_id, data } = await lemon.generateAndWait({ prompt: 'A lemon', model });
    const picture = new Image();
    picture.src = data[0].url;
    await picture.decode();
    const [{ requestId, rateLimit }] = seen;
    return { status, task_id, width: picture.naturalWidth, requestId, limit: rateLimit.limit };
  } catch ({ kind, code, outcome }) {
    return { kind, code, outcome };
  }
}

/** Runs in the page: sends a picture as a file, and tells the answer. */
async function sendForm(relay) {
  const form = new FormData();
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0]);
  form.append('image', new Blob([png]), 'a.png');
  form.append('prompt', 'A lemon');
  const headers = { 'x-user': 'ann', 'x-lemondata-client': '1' };
  try {
    const answer = await fetch(`${relay}/v1/images/edits`, { method: 'POST', headers, body: form });
    return { status: answer.status, body: await answer.json() };
  } catch {
    return { status: 0 };
  }
}

for (const name of BROWSERS) {
  describe(name, () => {
    let browser;
    before(async () => {
      browser = await openBrowser(name);
    });
    after(() => browser?.close());
    beforeEach(() => server.reset());

    /** Opens a page of a site, uses it, and closes it. */
    async function on(site, work, argument) {
      const page = await browser.open(site.url);
      try {
        return await page.run(work, argument);
      } finally {
        await page.close();
      }
    }

    test(
      'a page of a listed origin generates inline, and sees the headers that it needs',
      GUARD,
      async () => {
        const seen = await on(listed, generate, { relay, model: 'dall-e-3' });
        assert.deepEqual(seen, {
          status: 'completed',
          width: 1024,
          requestId: server.counts.requests[0].id,
          limit: 1000,
        });
        assert.equal(server.counts.creates, 1);
      },
    );

    test('and with a task', GUARD, async () => {
      const seen = await on(listed, generate, { relay, model: 'flux-pro' });
      assert.equal(seen.status, 'completed', JSON.stringify(seen));
      assert.match(seen.task_id, /^t_/);
      assert.equal(seen.width, 1024);
      assert.equal(server.counts.creates, 1);
      assert.ok(server.counts.polls > 0);
    });

    test('and gets errors of their own classes', GUARD, async () => {
      assert.deepEqual(await on(listed, generate, { relay, model: 'test-error-429' }), {
        kind: 'rate_limit',
        code: 'rate_limit_exceeded',
        outcome: 'rejected',
      });
    });

    test('and edits a picture that it sends as a file, after a preflight', GUARD, async () => {
      const { status } = await on(listed, sendForm, relay);
      assert.notEqual(status, 0, 'the page reads the answer');
      assert.equal(server.counts.requests.length, 1);
      const [{ path, headers }] = server.counts.requests;
      assert.equal(path, '/v1/images/edits');
      assert.match(headers['content-type'], /^multipart\/form-data/);
    });

    test('a page of an origin not listed cannot', GUARD, async () => {
      const seen = await on(other, generate, { relay, model: 'dall-e-3' });
      assert.equal(seen.kind, 'connection', JSON.stringify(seen));
      assert.deepEqual(await on(other, sendForm, relay), { status: 0 });
      assert.deepEqual(server.counts.requests, []);
    });

    test(
      'nor with what needs no preflight, nor can it read a task whose reference it has',
      GUARD,
      async () => {
        const { task_id } = await on(
          listed,
          async (url) => {
            const headers = { 'content-type': 'application/json', 'x-user': 'ann' };
            const body = '{"prompt":"A lemon","model":"flux-pro"}';
            return (await fetch(`${url}/v1/images/generations`, { method: 'POST', headers, body })).json();
          },
          relay,
        );
        server.reset();
        const tried = await on(
          other,
          async ({ url, reference }) => {
            const outcome = (promise) =>
              promise.then(
                ({ type, status }) => `${type} ${status}`,
                () => 'refused',
              );
            const create = `${url}/v1/images/generations`;
            const body = '{"prompt":"A lemon"}';
            const form = new FormData();
            form.set('prompt', 'A lemon');
            return Promise.all([
              outcome(fetch(create, { method: 'POST', body })),
              outcome(fetch(create, { method: 'POST', body, mode: 'no-cors', credentials: 'include' })),
              outcome(fetch(create, { method: 'POST', body: form, mode: 'no-cors' })),
              outcome(fetch(`${url}/v1/images/edits`, { method: 'POST', body: form, mode: 'no-cors' })),
              outcome(
                fetch(create, {
                  method: 'POST',
                  body: new URLSearchParams({ prompt: 'x' }),
                  mode: 'no-cors',
                }),
              ),
              outcome(fetch(`${url}/v1/tasks/${reference}`)),
              outcome(fetch(`${url}/health`)),
              `${navigator.sendBeacon(create, new Blob([body], { type: 'text/plain' }))}`,
            ]);
          },
          { url: relay, reference: task_id },
        );
        assert.deepEqual(tried, [
          'refused',
          'opaque 0',
          'opaque 0',
          'opaque 0',
          'opaque 0',
          'refused',
          'refused',
          // It was sent, which is all that a page learns of a beacon.
          'true',
        ]);
        // Whatever was sent on the way has been answered by now.
        await on(listed, (url) => fetch(`${url}/health`).then(({ status }) => status), relay);
        assert.deepEqual(server.counts.requests, []);
      },
    );
  });
}
