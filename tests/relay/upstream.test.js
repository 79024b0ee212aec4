/** Answers of the service that the relay must not follow or pass on, edits on their way to it, and kept pictures. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createGzip } from 'node:zlib';
import { KEY, PROMPT, SECRET } from './harness.js';
import { PLACES } from './places.js';
import { PICTURE } from './relays.js';

const CREATE = '/v1/images/generations';
const MIB = 1024 * 1024;
/** All of them together need much less: it ends one that would hang. */
const GUARD = { timeout: 300_000 };

/** A service that answers what a test wants, and notes what it was asked. */
async function startService() {
  const service = { asked: [], reply: undefined };
  const http = createServer(async (request, response) => {
    const { method, url, headers } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    service.asked.push({ method, url, headers, body });
    const reply = await service.reply({ method, url });
    if (typeof reply === 'function') return reply(response);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  service.url = `http://127.0.0.1:${http.address().port}`;
  service.close = () => {
    http.closeAllConnections();
    http.close();
  };
  return service;
}

/** An answer that is small on the wire and large in memory. */
const bomb = (bytes) => (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  const gzip = createGzip({ level: 1 });
  gzip.pipe(response);
  const chunk = Buffer.alloc(MIB, ' ');
  let left = bytes / MIB;
  response.on('close', () => {
    left = 0;
  });
  const write = () => {
    while (left > 0) {
      left -= 1;
      if (!gzip.write(chunk)) return gzip.once('drain', write);
    }
    return gzip.end('{}');
  };
  write();
};

for (const [name, start] of Object.entries(PLACES)) {
  describe(name, GUARD, () => {
    let service;
    let place;
    before(async () => {
      service = await startService();
      place = await start({ key: KEY, upstream: service.url, secret: SECRET });
    });
    after(async () => {
      await place?.close();
      service.close();
    });
    beforeEach(() => {
      service.asked.length = 0;
      service.reply = () => ({ task_id: 'img_1', status: 'pending' });
    });

    async function ask(relay, method, path, { user = 'ann', headers, body } = {}) {
      const response = await fetch(`${place.url}/${relay}${path}`, {
        method,
        headers: {
          'x-user': user,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body,
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const text = new TextDecoder().decode(bytes);
      return { status: response.status, headers: response.headers, bytes, text };
    }
    const create = (relay, body = JSON.stringify({ prompt: PROMPT, model: 'flux-pro' })) =>
      ask(relay, 'POST', CREATE, { body });
    const poll = (relay, reference) => ask(relay, 'GET', `/v1/tasks/${reference}`);

    async function startTask(relay, task) {
      service.reply = () => ({ status: 'pending', ...task });
      const { status, text } = await create(relay);
      assert.equal(status, 200, text);
      service.asked.length = 0;
      return JSON.parse(text).task_id;
    }

    describe('fields of any type', () => {
      test('are refused where a text is expected, also those that cannot become one', async () => {
        const nested = `${'['.repeat(20_000)}1${']'.repeat(20_000)}`;
        for (const field of ['size', 'quality', 'style', 'response_format', 'model', 'n', 'prompt']) {
          for (const value of ['{}', '{"toString":1}', '{"length":1}', '["1024x1024"]', 'true', nested]) {
            for (const relay of ['plain', 'strict', 'passing']) {
              const fields = { prompt: `"${PROMPT}"`, [field]: value };
              const pairs = Object.entries(fields).map(([key, text]) => `"${key}":${text}`);
              const { status, text } = await create(relay, `{${pairs}}`);
              assert.equal(status, 400, `${relay} ${field}: ${value.slice(0, 20)} ${text}`);
            }
          }
        }
        assert.deepEqual(service.asked, []);
      });
    });

    describe('what the service names', () => {
      test('a poll URL that leads to no poll route is not called: the id is', async () => {
        for (const poll_url of [
          '/v1/management/balance',
          '/v1/tasks',
          '/v1/tasks/',
          '/v1/tasks/a/b',
          '/v1/images/generations',
          '/v1/tasks/..%2f..%2fmanagement%2fbalance',
          '/v1/tasks/%2e%2e',
          '/v1/tasks/..%5cmanagement',
          '/v1/tasks/../management/balance',
          '/v1/tasks/a%3fb',
          '/v1/tasks/%',
          '/v2/tasks/img_1',
          '/management/v1/tasks/img_1',
          '//127.0.0.1/v1/tasks/img_1',
          'https://evil.example/v1/tasks/img_1',
          `${service.url.replace('127.0.0.1', 'localhost')}/v1/tasks/img_1`,
          'file:///v1/tasks/img_1',
          ' ',
          5,
        ]) {
          const reference = await startTask('plain', { task_id: 'img_1', poll_url });
          const { status, text } = await poll('plain', reference);
          assert.equal(status, 200, `${poll_url}: ${text}`);
          assert.deepEqual(
            service.asked.map(({ url }) => url),
            ['/v1/images/generations/img_1'],
            String(poll_url),
          );
        }
      });

      test('a documented poll URL is called as it is', async () => {
        for (const poll_url of [
          '/v1/tasks/img_1',
          '/v1/images/img_1',
          '/v1/images/generations/img_1?view=full',
          '/v1/tasks/a%20b',
        ]) {
          const reference = await startTask('plain', { task_id: 'img_1', poll_url });
          service.asked.length = 0;
          assert.equal((await poll('plain', reference)).status, 200);
          assert.deepEqual(
            service.asked.map(({ url }) => url),
            [poll_url],
          );
        }
      });

      test('an answer that names another task is not delivered, running, done or failed', async () => {
        const url = 'https://cdn.example/of-another-user.png';
        const reference = await startTask('plain', { task_id: 'img_1' });
        for (const other of [
          { task_id: 'img_2', status: 'processing' },
          { task_id: 'img_2', status: 'completed', data: [{ url }] },
          { id: 'img_2', status: 'completed', data: [{ url }] },
          { poll_url: '/v1/tasks/img_2', status: 'completed', data: [{ url }] },
          { task_id: 'img_2', status: 'failed', error: url },
        ]) {
          service.reply = () => other;
          const { status, text } = await poll('plain', reference);
          assert.equal(status, 502, text);
          assert.match(text, /"code":"upstream_error"/);
          assert.doesNotMatch(text, /img_2|another-user/);
        }
        for (const same of [
          { task_id: 'img_1', status: 'completed', data: [{ url }] },
          { id: 'img_1', status: 'completed', data: [{ url }] },
          { status: 'completed', data: [{ url }] },
        ]) {
          service.reply = () => same;
          assert.equal((await poll('plain', reference)).status, 200, JSON.stringify(same));
        }
      });

      test('a task may have another id where its poll URL leads', async () => {
        const reference = await startTask('plain', { task_id: 'img_1', poll_url: '/v1/tasks/ldtask_2' });
        service.reply = () => ({ task_id: 'ldtask_2', status: 'processing' });
        assert.equal((await poll('plain', reference)).status, 200);
      });

      test('an id that no reference can hold is refused when it comes, and the operator sees it', async () => {
        for (const length of [4000, 5000, 100_000]) {
          service.reply = () => ({ status: 'pending', task_id: `img_${'x'.repeat(length)}` });
          const { status, text } = await create('plain');
          assert.equal(status, 502, text);
          assert.doesNotMatch(text, /img_/);
        }
        const { lines } = await place.inside();
        assert.ok(
          lines.some((line) => line.includes('upstream_failed') && line.includes('no reference can hold')),
        );
        // The longest that fits is good to the end.
        const reference = await startTask('plain', { task_id: `img_${'x'.repeat(2900)}` });
        service.reply = () => ({ status: 'processing' });
        assert.equal((await poll('plain', reference)).status, 200);
      });
    });

    describe('references of relays that share a secret', () => {
      test('are read by those of their kind alone: plain, or with a hub', async () => {
        const plain = await startTask('plain', { task_id: 'img_1' });
        const hubbed = JSON.parse((await create('hubbed')).text).task_id;
        assert.equal((await poll('plain', plain)).status, 200);
        assert.equal((await poll('hubbed', hubbed)).status, 200);
        assert.equal((await poll('plain', hubbed)).status, 404);
        assert.equal((await poll('hubbed', plain)).status, 404);
      });
    });

    describe('an answer of any size', () => {
      test('ends at the cap, and disturbs no other request', async () => {
        let finish;
        const slow = new Promise((resolve) => {
          finish = resolve;
        });
        service.reply = async () => {
          await slow;
          return { data: [{ url: 'https://cdn.example/1.png' }] };
        };
        const others = Array.from({ length: 5 }, () => create('capped'));
        while (service.asked.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
        service.reply = () => bomb(300 * MIB);
        const { status, text } = await create('capped');
        assert.equal(status, 502, text);
        assert.match(text, /"code":"upstream_error"/);
        finish();
        for (const { status: found } of await Promise.all(others)) assert.equal(found, 200);
        const { lines } = await place.inside();
        assert.ok(lines.some((line) => /larger than maxAnswerBytes, 8388608 bytes/.test(line)));
      });

      test('is not even read where it says how long it is', async () => {
        service.reply = () => (response) => {
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 * MIB });
          response.write('{');
        };
        assert.equal((await create('capped')).status, 502);
      });

      test('passes below the cap, whatever it is packed in', async () => {
        const b64_json = 'A'.repeat(5 * MIB);
        service.reply = () => (response) => {
          response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
          const gzip = createGzip({ level: 1 });
          gzip.pipe(response);
          gzip.end(JSON.stringify({ data: [{ b64_json }] }));
        };
        const { status, text } = await create('capped');
        assert.equal(status, 200);
        assert.equal(JSON.parse(text).data[0].b64_json.length, b64_json.length);
      });
    });

    describe('an edit', () => {
      const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('a picture')]);
      const edit = (file, headers) => {
        const body = new FormData();
        body.append('image', new Blob([file], { type: 'text/html' }), 'of-a-visitor.svg');
        body.append('prompt', PROMPT);
        body.append('n', '2');
        return fetch(`${place.url}/plain/v1/images/edits`, {
          method: 'POST',
          headers: { 'x-user': 'ann', ...headers },
          body,
        });
      };

      test('reaches the service as a form of the relay’s own', async () => {
        const response = await edit(PNG, { 'x-lemondata-client': '1' });
        const { task_id } = await response.json();
        assert.match(task_id, /^t_/);
        const [{ method, url, headers, body }] = service.asked;
        assert.equal(`${method} ${url}`, 'POST /v1/images/edits');
        assert.equal(headers.authorization, `Bearer ${KEY}`);
        assert.match(headers['content-type'], /^multipart\/form-data; *boundary=/);
        for (const line of [
          `name="prompt"\r\n\r\n${PROMPT}\r\n`,
          'name="n"\r\n\r\n2\r\n',
          'name="user"\r\n\r\nann\r\n',
          'name="image"; filename="image-0.png"\r\n',
        ]) {
          assert.ok(body.includes(line), `${line} is not in ${body}`);
        }
        assert.match(body, /content-type: image\/png/i);
        assert.doesNotMatch(body, /visitor|text\/html/);
        assert.equal(headers['x-lemondata-client'], undefined);
      });

      test('is refused without its header, and with what is no picture', async () => {
        assert.equal((await edit(PNG)).status, 415);
        assert.equal((await edit('<html>a page</html>', { 'x-lemondata-client': '1' })).status, 400);
        assert.deepEqual(service.asked, []);
      });

      test('is stopped at the cap of a file', async () => {
        const large = Buffer.concat([PNG, Buffer.alloc(11 * MIB)]);
        assert.equal((await edit(large, { 'x-lemondata-client': '1' })).status, 413);
        assert.deepEqual(service.asked, []);
      });
    });

    describe('an upload that is refused', () => {
      const large = Buffer.alloc(12 * MIB);
      const FORM = { 'content-type': 'multipart/form-data; boundary=x' };
      const head = '--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n';
      const signature = Buffer.from('89504e470d0a1a0a', 'hex');
      const picture = Buffer.concat([Buffer.from(head), signature, large]);
      const MARKED = { ...FORM, 'x-lemondata-client': '1' };
      for (const [status, path, headers, body] of [
        [401, 'plain/v1/images/edits', { ...MARKED, 'x-user': '' }, picture],
        [403, 'plain/v1/images/edits', { ...MARKED, origin: 'https://evil.example' }, picture],
        [404, 'plain/v1/images', MARKED, picture],
        [405, 'plain/v1/models', MARKED, picture],
        [415, 'plain/v1/images/edits', FORM, picture],
        [503, 'broken/v1/images/edits', MARKED, picture],
        // These two are read in part.
        [413, 'plain/v1/images/edits', MARKED, picture],
        [400, 'plain/v1/images/edits', MARKED, Buffer.concat([Buffer.from(head), large])],
        [413, `plain${CREATE}`, { 'content-type': 'application/json' }, large],
      ]) {
        test(`before its end gets its answer: ${status} ${path}`, async () => {
          for (let count = 0; count < 5; count += 1) {
            const response = await fetch(`${place.url}/${path}`, {
              method: 'POST',
              headers: { 'x-user': 'ann', ...headers },
              body,
            });
            assert.equal(response.status, status, await response.text());
          }
        });
      }
    });

    describe('what never settles', () => {
      test('ends as a 503 that may be tried again: authorize and the limiter', async () => {
        for (const relay of ['stuck', 'queued']) {
          for (const { status, text } of [await create(relay), await poll(relay, 't_a.b')]) {
            assert.equal(status, 503, text);
            assert.equal(JSON.parse(text).error.retryable, true);
          }
        }
        assert.deepEqual(service.asked, []);
      });
    });

    describe('a kept picture', () => {
      let path;
      before(async () => {
        path = `/v1/tasks/${JSON.parse((await create('hubbed')).text).task_id}/images/0`;
      });
      const get = (headers, method = 'GET') => ask('hubbed', method, path, { headers });

      test('comes whole, with its tag', async () => {
        const { status, headers, bytes } = await get();
        assert.equal(status, 200);
        assert.deepEqual(bytes, PICTURE);
        assert.equal(headers.get('etag'), '"the-tag"');
        assert.equal(headers.get('accept-ranges'), 'bytes');
        assert.equal(headers.get('content-type'), 'image/png');
        assert.match(headers.get('content-security-policy'), /default-src 'none'/);
      });

      test('answers HEAD without its bytes', async () => {
        const { status, headers, bytes } = await get({}, 'HEAD');
        assert.equal(status, 200);
        assert.equal(headers.get('content-length'), String(PICTURE.length));
        assert.equal(bytes.length, 0);
        assert.equal((await ask('hubbed', 'HEAD', path.replace(/0$/, '1'))).status, 404);
      });

      test('is not sent again to one that has it', async () => {
        for (const tags of ['"the-tag"', 'W/"the-tag"', '"x", "the-tag"', '*']) {
          const { status, headers, bytes } = await get({ 'if-none-match': tags });
          assert.equal(status, 304, tags);
          assert.equal(headers.get('etag'), '"the-tag"');
          assert.equal(bytes.length, 0);
        }
        for (const tags of ['"another"', 'the-tag', '""']) {
          assert.equal((await get({ 'if-none-match': tags })).status, 200, tags);
        }
      });

      test('comes in ranges', async () => {
        for (const [range, first, last] of [
          ['bytes=0-0', 0, 0],
          ['bytes=0-299', 0, 299],
          ['bytes=299-301', 299, 301],
          ['bytes=250-', 250, 999],
          ['bytes=900-99999', 900, 999],
          ['bytes=-10', 990, 999],
          ['bytes=-5000', 0, 999],
        ]) {
          const { status, headers, bytes } = await get({ range });
          assert.equal(status, 206, range);
          assert.equal(headers.get('content-range'), `bytes ${first}-${last}/1000`);
          assert.deepEqual(bytes, PICTURE.slice(first, last + 1), range);
        }
      });

      test('comes whole where a range means nothing, or is of another picture', async () => {
        for (const headers of [
          { range: 'bytes=5-2' },
          { range: 'bytes=-' },
          { range: 'bytes=0-1,5-6' },
          { range: 'lines=0-1' },
          { range: 'bytes=0-1', 'if-range': '"another"' },
        ]) {
          const { status, bytes } = await get(headers);
          assert.equal(status, 200, JSON.stringify(headers));
          assert.equal(bytes.length, PICTURE.length);
        }
        assert.equal((await get({ range: 'bytes=0-1', 'if-range': '"the-tag"' })).status, 206);
      });

      test('refuses a range behind its end', async () => {
        for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0']) {
          const { status, headers } = await get({ range });
          assert.equal(status, 416, range);
          assert.equal(headers.get('content-range'), 'bytes */1000');
          // It must not take the place of the picture.
          assert.equal(headers.get('cache-control'), 'no-store');
        }
      });
    });
  });
}
