/** `fallback`: another model serves a create only where the last one can bill nothing. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generate, generateAndWait, InvalidRequestError, LemonDataError } from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { answer } from '../helpers/fake-time.js';

const GUARD = { timeout: 20_000 };
const done = { data: [{ url: 'https://x.test/1.png' }] };
const refused = (status, error) => answer({ error: { message: 'No', ...error } }, { status });

/** Why a create has not made a picture, and whether another model may try. */
const REASONS = {
  'a model that does not exist': [true, () => refused(400, { code: 'model_not_found' })],
  'a model that the key may not use': [true, () => refused(403, { code: 'model_not_allowed' })],
  'a rate limit': [true, () => refused(429, { code: 'rate_limit_exceeded' })],
  'channels that all failed, marked retryable': [
    true,
    () => refused(503, { code: 'all_channels_failed', retryable: true }),
  ],
  'a task that failed': [true, () => answer({ status: 'failed', task_id: 't', error: 'No' })],
  'a request that never left': [
    true,
    () => {
      throw new Error('no network');
    },
  ],
  'channels that all failed, not marked': [false, () => refused(503, { code: 'all_channels_failed' })],
  'a bad request': [false, () => refused(400, { code: 'invalid_request_error' })],
  'a bad key': [false, () => refused(401, { code: 'invalid_api_key' })],
  'an empty account': [false, () => refused(402, { code: 'insufficient_balance' })],
  'a broken server': [false, () => refused(500, {})],
  'a broken server that names the model': [false, () => refused(500, { code: 'model_unavailable' })],
  'a lost connection': [false, () => Promise.reject(new TypeError('reset'))],
  'an answer that breaks off': [false, () => answer('{"data": [')],
  'a cancelled task': [false, () => answer({ status: 'cancelled', task_id: 't' })],
};

/** A service that answers each create in turn, and the options for it. */
function service(...answers) {
  const creates = [];
  const fetch = (url, { method, body, headers }) => {
    if (method === 'GET') return Promise.resolve(answer({ status: 'failed', task_id: 't', error: 'No' }));
    const { model, fallback } = typeof body === 'string' ? JSON.parse(body) : Object.fromEntries(body);
    creates.push({ url, model, fallback, key: headers.get('idempotency-key') });
    return answers[creates.length - 1]?.() ?? answer(done);
  };
  return { creates, options: { apiKey: 'sk-1', fetch, maxRetries: 0, fallback: ['b', 'c'] } };
}

const request = { prompt: 'A lemon', model: 'a' };
const models = (creates) => creates.map(({ model }) => model);
const relay = { relay: true, apiKey: undefined, baseUrl: 'https://relay.test' };

describe('fallback', GUARD, () => {
  for (const [reason, [mayGoOn, make]] of Object.entries(REASONS)) {
    test(`${mayGoOn ? 'asks the next model' : 'asks no other model'} after ${reason}`, async () => {
      const { creates, options } = service(make);
      if (mayGoOn) {
        const generation = await generate(request, options);
        assert.deepEqual(models(creates), ['a', 'b']);
        assert.equal(generation.model, 'b');
        assert.deepEqual(
          generation.skipped_models.map(({ model }) => model),
          ['a'],
        );
        assert.ok(generation.skipped_models[0].error instanceof LemonDataError);
      } else {
        const error = await failure(generate(request, options));
        assert.deepEqual(models(creates), ['a']);
        assert.equal(error.skippedModels, undefined);
      }
    });
  }

  test('never leaves two possible bills, whatever a chain of three meets', async () => {
    for (const [first, [, makeFirst]] of Object.entries(REASONS)) {
      for (const [second, [, makeSecond]] of Object.entries(REASONS)) {
        for (const [third, [, makeThird]] of [...Object.entries(REASONS), ['a picture', []]]) {
          const { creates, options } = service(makeFirst, makeSecond, makeThird);
          const end = await generate(request, options).catch((error) => error);
          const all = [...(end.skipped_models ?? end.skippedModels ?? []).map(({ error }) => error), end];
          const billed = all.filter(({ outcome }) => !['not_sent', 'rejected', 'failed'].includes(outcome));
          assert.ok(billed.length <= 1, `${first}, ${second}, ${third}`);
          assert.equal(all.length, creates.length);
        }
      }
    }
  });

  test('tells of all models where none has made the picture', async () => {
    const [, make] = REASONS['a rate limit'];
    const { creates, options } = service(make, make, make);
    const error = await failure(generate(request, options));
    assert.deepEqual(models(creates), ['a', 'b', 'c']);
    assert.deepEqual(
      error.skippedModels.map(({ model }) => model),
      ['a', 'b'],
    );
    assert.equal(error.status, 429);
  });

  test('turns from a task that failed while it was waited for', async () => {
    const pending = () => answer({ status: 'pending', task_id: 't' });
    const { creates, options } = service(pending);
    const tasks = [];
    const onTask = (task) => tasks.push(task.task_id);
    const pollInterval = { min: 1, max: 1 };
    const generation = await generateAndWait(request, { ...options, onTask, pollInterval });
    assert.deepEqual([models(creates), generation.model, tasks], [['a', 'b'], 'b', ['t']]);
  });

  test('leaves a task that may still complete alone', async () => {
    const { creates, options } = service(() => answer({ status: 'pending', task_id: 't' }));
    const fetch = (url, init) =>
      init.method === 'GET' ? answer({ status: 'pending', task_id: 't' }) : options.fetch(url, init);
    const error = await failure(
      generateAndWait(request, { ...options, fetch, pollInterval: { min: 1, max: 1 }, maxPolls: 1 }),
    );
    assert.deepEqual([models(creates), error.outcome], [['a'], 'accepted']);
  });

  test('gives each model a key of its own at a relay', async () => {
    const [, make] = REASONS['a model that does not exist'];
    const own = service(make, make);
    await generate(request, { ...own.options, ...relay });
    assert.equal(new Set(own.creates.map(({ key }) => key)).size, 3);
    const theirs = service(make, make);
    await generate(request, { ...theirs.options, ...relay, idempotencyKey: 'order-7' });
    assert.deepEqual(
      theirs.creates.map(({ key }) => key),
      ['order-7', 'order-7-1', 'order-7-2'],
    );
  });

  test('names the models that may follow to a relay alone, as JSON and in a form', async () => {
    const [, make] = REASONS['a model that does not exist'];
    const chains = async (more, input = request) => {
      const { creates, options } = service(make, make);
      await generate(input, { ...options, ...more });
      return creates.map(({ fallback }) => fallback);
    };
    assert.deepEqual(await chains({}), [undefined, undefined, undefined]);
    assert.deepEqual(await chains(relay), Array(3).fill(['b', 'c']));
    const image = new Blob(['x']);
    assert.deepEqual(await chains(relay, { ...request, image }), Array(3).fill('b,c'));
    assert.deepEqual(await chains({}, { ...request, image }), [undefined, undefined, undefined]);
  });

  test('leaves the chain to a hub that has been through it', async () => {
    const skipped_models = [{ model: 'b', error: { kind: 'rate_limit', outcome: 'rejected' } }];
    const gone = () => refused(400, { code: 'model_not_found', skipped_models });
    const failed = () => answer({ status: 'failed', task_id: 't', error: { message: 'No', skipped_models } });
    for (const make of [gone, failed]) {
      const { creates, options } = service(make);
      const error = await failure(generate(request, { ...options, ...relay }));
      assert.deepEqual([models(creates), error.skippedModels], [['a'], skipped_models]);
    }
    // The relay itself may have refused the first model, before its hub saw it.
    const [, limited] = REASONS['a rate limit'];
    const made = () => answer({ ...done, model: 'c', skipped_models });
    const { creates, options } = service(limited, made);
    const generation = await generate(request, { ...options, ...relay });
    assert.deepEqual([models(creates), generation.model], [['a', 'b'], 'c']);
    assert.deepEqual(
      generation.skipped_models.map(({ model }) => model),
      ['a', 'b'],
    );
    const again = service(limited, gone);
    const error = await failure(generate(request, { ...again.options, ...relay }));
    assert.deepEqual(
      error.skippedModels.map(({ model }) => model),
      ['a', 'b'],
    );
  });

  test('leaves a generation of the first model as it is', async () => {
    const { options } = service();
    const generation = await generate(request, options);
    assert.deepEqual(Object.keys(generation).sort(), ['data', 'status']);
  });

  for (const fallback of ['b', [''], [7], {}]) {
    test(`refuses ${JSON.stringify(fallback)}`, async () => {
      const { creates, options } = service();
      const error = await failure(generate(request, { ...options, fallback }));
      assert.ok(error instanceof InvalidRequestError);
      assert.match(error.message, /^fallback must be an array of names of models; it is /);
      assert.equal(creates.length, 0);
    });
  }
});
