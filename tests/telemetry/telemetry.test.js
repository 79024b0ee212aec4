/** Calls as spans, with the real SDK of OpenTelemetry. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { WaitTimeoutError } from 'lemondata-wasm';
import { createTracedClient } from 'lemondata-wasm/telemetry';
import { failure } from '../helpers/failure.js';
import { ensureTools } from '../matrix/project.js';
import { startServer } from '../server/index.js';

const GUARD = { timeout: 20_000 };
const load = createRequire(join(ensureTools(join(import.meta.dirname, 'sdk')), 'tests'));
const api = load('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = load('@opentelemetry/context-async-hooks');
const { W3CTraceContextPropagator } = load('@opentelemetry/core');
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = load(
  '@opentelemetry/sdk-trace-base',
);

const exporter = new InMemorySpanExporter();
const request = { model: 'gpt-image-2', prompt: 'A private lemon', n: 2, seed: 7 };
const CALL = 'image_generation gpt-image-2';

let server;
let options;
before(async () => {
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  server = await startServer({ taskMs: 20 });
  options = { apiKey: server.apiKey, baseUrl: server.url, pollInterval: { min: 1, max: 2 } };
});
beforeEach(() => {
  server.reset();
  exporter.reset();
});
after(() => server.close());

const client = (settings) => createTracedClient(options, { api, ...settings });
const spans = (name) => exporter.getFinishedSpans().filter((span) => span.name === name);
const parentOf = (span) => span.parentSpanContext?.spanId;
describe('a traced client', GUARD, () => {
  test('makes a span of a call and of its create', async () => {
    const { status } = await client().generate(request);
    assert.equal(status, 'completed');
    const [call] = spans(CALL);
    const [create] = spans('create');
    assert.equal(call.kind, api.SpanKind.CLIENT);
    assert.deepEqual(call.attributes, {
      'gen_ai.operation.name': 'image_generation',
      'gen_ai.provider.name': 'lemondata',
      'gen_ai.output.type': 'image',
      'gen_ai.request.model': 'gpt-image-2',
      'gen_ai.request.choice.count': 2,
      'gen_ai.request.seed': 7,
      'lemondata.method': 'generate',
      'lemondata.status': 'completed',
    });
    assert.equal(parentOf(create), call.spanContext().spanId);
    assert.deepEqual(create.attributes, {
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'url.full': `${server.url}/v1/images/generations`,
    });
    assert.equal(parentOf(call), undefined);
  });

  test('makes a span of each poll, and names the task', async () => {
    const { task_id } = await client().generateAndWait({ ...request, model: 'flux-2-pro', n: undefined });
    const [call] = spans('image_generation flux-2-pro');
    assert.equal(call.attributes['gen_ai.response.id'], task_id);
    assert.equal(spans('poll').length, server.counts.polls);
    for (const poll of spans('poll')) assert.equal(parentOf(poll), call.spanContext().spanId);
  });

  test('names task, usage and bill', async () => {
    await client().generate({ ...request, model: 'test-billing' });
    const { attributes } = spans('image_generation test-billing')[0];
    assert.equal(typeof attributes['gen_ai.usage.input_tokens'], 'number');
    assert.match(attributes['lemondata.billing_transaction_id'], /./);
  });

  test('makes a span of a wait, and of a look', async () => {
    const lemon = client();
    const task = await lemon.generate({ ...request, model: 'flux-2-pro', n: undefined });
    await lemon.getTask(task);
    await lemon.waitForTask(task);
    const methods = spans('image_generation').map(({ attributes }) => attributes['lemondata.method']);
    assert.deepEqual(methods, ['getTask', 'waitForTask']);
  });

  test('lies below the span of its caller, and above those of callbacks', async () => {
    const tracer = api.trace.getTracer('test');
    let inner;
    await tracer.startActiveSpan('page', async (span) => {
      await client().generateAndWait(
        { ...request, model: 'flux-2-pro', n: undefined },
        { onTask: () => (inner = api.trace.getActiveSpan()) },
      );
      span.end();
    });
    const [page] = spans('page');
    const [call] = spans('image_generation flux-2-pro');
    assert.equal(parentOf(call), page.spanContext().spanId);
    assert.equal(inner.spanContext().spanId, call.spanContext().spanId);
  });

  test('marks what failed with its kind and outcome', async () => {
    const error = await failure(client().generate({ ...request, model: 'test-error-500' }));
    const [call] = spans('image_generation test-error-500');
    assert.equal(call.status.code, api.SpanStatusCode.ERROR);
    assert.equal(call.status.message, error.message);
    assert.equal(call.attributes['error.type'], 'server');
    assert.equal(call.attributes['lemondata.outcome'], 'unknown');
    assert.equal(spans('create')[0].attributes['http.response.status_code'], 500);
    assert.equal(spans('create')[0].status.code, api.SpanStatusCode.ERROR);
  });

  test('names the task of a wait that was too short', async () => {
    const error = await failure(
      client().generateAndWait({ ...request, model: 'flux-2-pro', n: undefined }, { maxWait: 0 }),
    );
    assert.ok(error instanceof WaitTimeoutError);
    const [{ attributes }] = spans('image_generation flux-2-pro');
    assert.equal(attributes['gen_ai.response.id'], error.task.task_id);
  });

  test('ends its spans where no connection is made, and where the caller stops', async () => {
    const nowhere = { baseUrl: 'http://127.0.0.1:1', maxRetries: 0 };
    await failure(client().generate(request, nowhere));
    assert.equal(spans('create')[0].status.code, api.SpanStatusCode.ERROR);
    await failure(client().generate(request, { signal: AbortSignal.abort() }));
    await failure(
      client().generate({ model: 'test-hang', prompt: 'x' }, { signal: AbortSignal.timeout(20) }),
    );
    assert.equal(exporter.getFinishedSpans().length, 5);
  });

  test('counts an option that is undefined as left out, like any client', async () => {
    const left = { apiKey: undefined, baseUrl: undefined, fetch: undefined, signal: undefined, onTask: null };
    assert.equal((await client().generate(request, left)).status, 'completed');
    assert.ok((await client().listModels(left)).length > 0);
  });

  test('ends its spans whatever a transport returns, and leaves the judgement to the client', async () => {
    for (const response of [undefined, null, {}]) {
      const fetch = async () => response;
      assert.equal((await failure(client().generate(request, { fetch }))).kind, 'connection');
    }
    assert.deepEqual([spans('create').length, spans(CALL).length], [3, 3]);
  });

  test('ends its spans where a transport does not heed the signal', async () => {
    const fetch = () => new Promise(() => {});
    await failure(client().generate(request, { fetch, requestTimeout: 20, maxRetries: 0 }));
    await failure(client().generate(request, { fetch, signal: AbortSignal.timeout(20) }));
    assert.deepEqual([spans('create').length, spans(CALL).length], [2, 2]);
    assert.equal(spans('create')[1].status.code, api.SpanStatusCode.ERROR);
  });

  test('has attributes of their own types alone, whatever the server sends', async () => {
    const body = {
      created: 1,
      model: null,
      usage: { input_tokens: '12', output_tokens: {} },
      data: [{ url: 'x' }],
    };
    const fetch = async () => Response.json(body);
    await client().generate(request, { fetch });
    await failure(client().generate({ ...request, n: '2' }));
    for (const { attributes } of spans(CALL)) {
      assert.equal(typeof (attributes['gen_ai.request.choice.count'] ?? 0), 'number');
      for (const name of ['gen_ai.response.model', 'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens'])
        assert.ok(!(name in attributes), name);
    }
    assert.equal(spans(CALL).length, 2);
  });

  test('rejects what cannot be read, like any client', async () => {
    const broken = {
      get model() {
        throw new Error('no model here');
      },
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const lemon = client();
    for (const call of [
      () => lemon.generate(broken),
      () => lemon.generate(proxy),
      () => lemon.generate(request, proxy),
      () => lemon.listModels(proxy),
    ]) {
      const { kind, outcome } = await failure(call());
      assert.deepEqual([kind, outcome], ['invalid_request', 'not_sent']);
    }
    assert.equal(createTracedClient(undefined, { api }).relay, false);
  });

  test('loses no answer to a processor of spans that throws', async (t) => {
    const logged = t.mock.method(console, 'error', () => {});
    const broken = {
      onStart() {},
      onEnd() {
        throw new Error('no room for spans');
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const tracer = new BasicTracerProvider({ spanProcessors: [broken] }).getTracer('broken');
    const { status } = await client({ tracer }).generate(request);
    assert.equal(status, 'completed');
    const error = await failure(client({ tracer }).generate({ ...request, model: 'test-error-500' }));
    assert.equal(error.kind, 'server');
    assert.equal(logged.mock.callCount(), 4);
    assert.equal(server.counts.creates, 2);
  });

  test('sees a transport that throws at once', async () => {
    const fetch = () => {
      throw new Error('no network here');
    };
    const error = await failure(client().generate(request, { fetch, maxRetries: 0 }));
    assert.equal(error.outcome, 'not_sent');
    assert.equal(spans('create')[0].status.message, 'no network here');
  });

  test('holds neither the prompt nor the key', async () => {
    await client().generate(request);
    await failure(client().generate({ ...request, model: 'test-error-401-echo' }));
    const fetch = (_url, { headers }) => Promise.reject(new Error(`no ${headers.get('authorization')} here`));
    await failure(client().generate(request, { fetch, maxRetries: 0 }));
    const texts = exporter
      .getFinishedSpans()
      .map(({ name, attributes, events, status }) => JSON.stringify({ name, attributes, events, status }));
    assert.ok(texts.length >= 6);
    for (const text of texts) assert.ok(!text.includes('private') && !text.includes(server.apiKey), text);
    await client({ recordPrompts: true }).generate(request);
    assert.equal(spans(CALL).at(-1).attributes['lemondata.prompt'], request.prompt);
  });

  test('tells the server of its spans where that is wanted', async () => {
    await client().generate(request);
    assert.equal(server.counts.requests[0].headers.traceparent, undefined);
    await client({ propagate: true }).generate(request);
    const { traceId, spanId } = spans('create').at(-1).spanContext();
    assert.equal(server.counts.requests[1].headers.traceparent, `00-${traceId}-${spanId}-01`);
  });

  test('is the one that names its span, also where fetch is instrumented', async () => {
    // As the instrumentation of undici does it: two values of a header are one that no server can read.
    const instrumented = (url, init) => {
      const span = api.trace.getTracer('fetch').startSpan(init.method);
      const set = (headers, key, value) => headers.append(key, value);
      api.propagation.inject(api.trace.setSpan(api.context.active(), span), init.headers, { set });
      span.end();
      return fetch(url, init);
    };
    for (const [propagate, sender] of [
      [true, 'create'],
      [false, 'POST'],
    ]) {
      exporter.reset();
      server.reset();
      await client({ propagate }).generate(request, { fetch: instrumented });
      const { traceId, spanId } = spans(sender)[0].spanContext();
      assert.equal(server.counts.requests[0].headers.traceparent, `00-${traceId}-${spanId}-01`);
      assert.equal(spans('POST').length, propagate ? 0 : 1);
    }
  });

  test('takes a tracer of its own', async () => {
    const tracer = api.trace.getTracer('mine');
    await client({ tracer }).generate(request);
    assert.equal(spans(CALL)[0].instrumentationScope.name, 'mine');
    assert.equal((await client().listModels()).length > 1, true);
  });
});
