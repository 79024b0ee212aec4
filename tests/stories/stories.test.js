/**
 * The stories of pictures, in Node, in an edge worker and in three browsers: straight to the service, and through a relay
 * in Node and in an edge worker. The service has to get the very bytes and texts, once.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { installPacked } from '../helpers/pack.js';
import { KEY, SECRET } from '../relay/maker.js';
import { PLACES } from '../relay/places.js';
import { startServer } from '../server/index.js';
import { RUNTIMES, servePages } from './runtimes.js';
import { STORIES } from './stories.js';
import { bytesOf } from './story.js';

/** No story needs this long: it ends one that would hang. */
const GUARD = { timeout: 300_000 };
const PATHS = { edit: '/v1/images/edits', generate: '/v1/images/generations' };

/** A promise, and what resolves it. */
function later() {
  const made = {};
  made.promise = new Promise((resolve) => {
    made.resolve = resolve;
  });
  return made;
}

let server;
/** Resolves once the service has a create. */
let arrival = later();
let site;
let project;
const relays = {};

before(async () => {
  server = await startServer({
    apiKey: KEY,
    cors: true,
    taskMs: 60,
    onRequest: ({ method }) => method === 'POST' && arrival.resolve(),
  });
  site = await servePages(async (c) => {
    await arrival.promise;
    return c.text('');
  });
  project = installPacked();
  const env = { key: KEY, upstream: server.url, secret: SECRET, page: site.url };
  for (const [name, start] of Object.entries(PLACES)) relays[name] = await start(env);
});
after(async () => {
  for (const relay of Object.values(relays)) await relay.close();
  project?.remove();
  await site?.close();
  await server?.close();
});

/** The ways to the service: the options of the client, and whether the relay writes the request itself. */
const WAYS = {
  'straight to the service': () => ({ apiKey: KEY, baseUrl: server.url }),
  'through a relay in Node': () => relayOptions(relays.node),
  'through a relay in workerd': () => relayOptions(relays.workerd),
};
const relayOptions = ({ url }) => ({
  relay: true,
  baseUrl: `${url}/roomy`,
  headers: { 'x-user': 'ann' },
});

/** A file as the service notes it. */
const noted = (filename, { size }) => ({
  filename,
  type: 'image/png',
  size,
  sha256: createHash('sha256').update(bytesOf(size)).digest('hex'),
});

/**
 * The body that the service has to get. A relay sets `n` and the user, and names the files itself. The platform names a
 * Blob that has no name.
 */
function bodyOf({ request, images, mask }, isRelayed, runtime) {
  const all = isRelayed ? { n: 1, ...request, user: 'ann' } : request;
  const fields = Object.entries(all).filter(([, value]) => value !== null);
  if (!images) return Object.fromEntries(fields);
  const nameOf = (field, index, { name = runtime === 'workerd' ? field : 'blob' }) =>
    isRelayed ? `${field}-${index}.png` : name;
  return {
    ...Object.fromEntries(fields.map(([name, value]) => [name, String(value)])),
    image: images.map((file, index) => noted(nameOf('image', index, file), file)),
    ...(mask && { mask: [noted(nameOf('mask', images.length, mask), mask)] }),
  };
}

for (const [name, open] of Object.entries(RUNTIMES)) {
  describe(name, () => {
    let runtime;
    before(async () => {
      runtime = await open(site, project.folder);
    });
    after(() => runtime?.close());

    for (const [way, optionsOf] of Object.entries(WAYS)) {
      describe(way, () => {
        for (const story of STORIES) {
          test(story.name, GUARD, async () => {
            server.reset();
            arrival = later();
            const options = optionsOf();
            const arrived = `${site.url}/api/lemondata/arrived`;
            const found = await runtime.tell({ story, options, arrived });

            for (const [field, value] of Object.entries(story.ends)) {
              assert.deepEqual(found[field], value, JSON.stringify(found).slice(0, 2000));
            }
            const creates = server.counts.requests.filter(({ method }) => method === 'POST');
            assert.equal(creates.length, 1, 'the service gets one create');
            const [{ path, headers, body }] = creates;
            assert.equal(path, PATHS[story.call.replace('AndWait', '')]);
            assert.equal(headers.authorization, `Bearer ${KEY}`);
            assert.deepEqual(body, bodyOf(story, options.relay, name));
            assert.equal(server.counts.creates, 1);
            assert.equal(found.tasks.length, story.tasks ?? 0);
            assert.equal(found.grewBy, 0, 'the module holds nothing of a file');
            if (found.url) {
              const picture = Buffer.from(await (await fetch(found.url)).arrayBuffer());
              assert.equal(picture.toString('latin1', 1, 4), 'PNG');
            }
            assert.equal(found.seen.includes(KEY), false, 'no answer and no error shows the key');
            if (options.relay) {
              for (const headers of found.sent)
                assert.equal('authorization' in Object.fromEntries(headers), false);
            }
          });
        }
      });
    }
  });
}
