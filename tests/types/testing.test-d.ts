/** The declarations of `lemondata-wasm/testing`. */

import { expectTypeOf } from 'expect-type';
import { generate, LemonData, toBlob } from 'lemondata-wasm';
import { createRelay } from 'lemondata-wasm/relay';
import { type MockRequest, type MockService, mockService, serve } from 'lemondata-wasm/testing';

const mock = mockService({ taskMs: 0, models: { mine: 'task' }, now: () => 0, apiKey: undefined });
expectTypeOf(mock).toEqualTypeOf<MockService>();
new LemonData({ apiKey: mock.apiKey, fetch: mock.fetch });
generate({ prompt: 'a lemon' }, { apiKey: mock.apiKey, fetch: mock.fetch });
toBlob({ url: 'https://x.test/1.png' }, { fetch: mock.fetch });
createRelay({ apiKey: mock.apiKey, fetch: mock.fetch, secret: 's', authorize: () => 'a', models: 'any' });
expectTypeOf(mock.requests).toEqualTypeOf<readonly MockRequest[]>();
expectTypeOf(mock.advance(1)).toEqualTypeOf<void>();
mock.respondWith('error-429', { on: 'poll', times: 2 });
mock.respondWith({ status: 502, body: '<html>' });
const server = await serve({ port: 8787, cors: ['https://app.example'], log: console.log });
expectTypeOf(server.close()).toEqualTypeOf<Promise<void>>();
server.respondWith({ hang: true });

// @ts-expect-error: a kind of answer
mockService({ models: { mine: 'tasks' } });
// @ts-expect-error: no such option
mockService({ taskMS: 1 });
// @ts-expect-error: the port is that of serve()
mockService({ port: 1 });
// @ts-expect-error: no such kind
mock.respondWith('error-429', { on: 'polls' });
// @ts-expect-error: no field of a reply
mock.respondWith({ code: 502 });
// @ts-expect-error: it is what has arrived
mock.requests.push();
