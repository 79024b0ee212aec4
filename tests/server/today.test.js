/** What the service of 2026 adds: strictness, tasks of other keys, asynchronous creates, and what was billed. */

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AUTH, clock, create, errorOf, get, json, SMALL, start, TASK_MS } from './help.js';
import { TEST_KEY } from './index.js';

const image_url = 'https://x.test/1.png';

describe('a strict server', () => {
  let server;
  before(async () => {
    server = await start({ isStrict: true });
  });

  test('needs a model', async () => {
    const body = await json(await create(server, { prompt: 'x' }), 400);
    assert.equal(body.error.message, 'model: Model is required');
    assert.deepEqual(body.validation_errors, [
      { field: 'model', message: 'Model is required', code: 'required' },
    ]);
  });

  test('refuses a parameter that the model does not take, and says which it takes', async () => {
    for (const [model, param, value] of [
      ['nano-banana', 'quality', 'high'],
      ['dall-e-3', 'async', true],
      ['gpt-image-2', 'style', 'vivid'],
      ['sd3.5-large', 'image_url', image_url],
      ['gpt-image-2', 'colour', 'red'],
    ]) {
      const request = { prompt: 'x', model, [param]: value };
      const error = await errorOf(await create(server, request), 400, 'unsupported_parameter');
      assert.equal(error.param, param);
      assert.ok(error.supported_parameters.includes('prompt') && !error.supported_parameters.includes(param));
      assert.ok(error.supported_operations.includes('text-to-image'));
      assert.equal(error.recommended_request.model, model);
      assert.equal((await create(server, error.recommended_request)).status, 200);
    }
  });

  test('knows what each model allows', async () => {
    for (const [request, param, hint] of [
      [{ model: 'nano-banana-2', aspect_ratio: '7:5' }, 'aspect_ratio', 'allowed_aspect_ratios'],
      [{ model: 'nano-banana-2', resolution: '8K' }, 'resolution', 'allowed_resolutions'],
      [{ model: 'dall-e-3', n: 2 }, 'n'],
      [{ model: 'grok-imagine-image', image_urls: Array(4).fill(image_url) }, 'image'],
      [{ model: 'sd3.5-large', operation: 'image-to-image' }, 'operation', 'supported_operations'],
      [{ model: 'gpt-image-2', background: 'transparent' }, 'background'],
      ...['1000x1000', '3856x1280', '3072x1008', '512x512', '3840x2176'].map((size) => [
        { model: 'gpt-image-2', size },
        'size',
      ]),
    ]) {
      const response = await create(server, { prompt: 'x', ...request });
      const error = await errorOf(response, 400, 'invalid_request_error');
      assert.equal(error.param, param, JSON.stringify(request));
      if (hint) assert.ok(error[hint].length > 0, hint);
    }
    for (const request of [
      { model: 'gpt-image-2', size: 'auto', background: 'opaque' },
      { model: 'gpt-image-2', size: '1024x640', n: 10 },
      { model: 'gpt-image-2', size: '1536x512' },
      { model: 'nano-banana-2', aspect_ratio: '16:9', resolution: '1K' },
      { model: 'grok-imagine-image', image_urls: Array(3).fill(image_url) },
    ]) {
      assert.equal((await create(server, { prompt: 'x', ...request })).status, 200, JSON.stringify(request));
    }
  });

  test('says how long a prompt may be', async () => {
    const error = await errorOf(
      await create(server, { prompt: 'x'.repeat(4001), model: 'gpt-image-2' }),
      400,
      'invalid_request_error',
    );
    assert.equal(error.prompt_max_characters, 4000);
  });

  test('takes every scenario', async () => {
    await errorOf(
      await create(server, { prompt: 'x', model: 'test-error-402' }),
      402,
      'insufficient_balance',
    );
    assert.equal((await create(server, { prompt: 'x', model: 'test-task', colour: 'red' })).status, 200);
  });

  test('says what was billed', async () => {
    const inline = await create(server, { prompt: 'x', model: 'flux-schnell', ...SMALL });
    const { billing_transaction_id, usage } = await json(inline);
    assert.match(billing_transaction_id, /^btx_[0-9a-f]{24}$/);
    assert.equal(inline.headers.get('x-billing-transaction-id'), billing_transaction_id);
    assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);

    const { poll_url } = await json(await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }));
    assert.equal('usage' in (await json(await get(server, poll_url))), false);
    clock.ms += TASK_MS;
    const polled = await get(server, poll_url);
    assert.equal((await json(polled)).billing_transaction_id, polled.headers.get('x-billing-transaction-id'));
  });
});

describe('any server', () => {
  let server;
  before(async () => {
    server = await start({ otherKeys: ['sk-other'], pollPath: 'alias' });
  });

  test('refuses true for stream', async () => {
    const response = await create(server, { prompt: 'x', ...SMALL, stream: true });
    assert.equal((await errorOf(response, 400, 'unsupported_parameter')).param, 'stream');
  });

  test('answers with a task at once where a model can', async () => {
    const statusOf = async (fields) =>
      (await json(await create(server, { prompt: 'x', ...SMALL, ...fields }))).status;
    assert.equal(await statusOf({ model: 'gpt-image-2', async: true }), 'pending');
    assert.equal(await statusOf({ model: 'gpt-image-2', async: false }), undefined);
    assert.equal(await statusOf({ model: 'dall-e-3', async: true }), undefined);
    assert.equal(await statusOf({ model: 'test-slow:1', async: true }), 'pending');
  });

  test('refuses async where the scenario says so', async () => {
    const request = { prompt: 'x', model: 'test-no-async', ...SMALL };
    const refused = await create(server, { ...request, async: true });
    assert.equal((await errorOf(refused, 400, 'unsupported_parameter')).param, 'async');
    assert.equal((await create(server, request)).status, 200);
  });

  test('tells what was billed in its headers, and in bodies on demand', async () => {
    const response = await create(server, { prompt: 'x', ...SMALL });
    assert.match(response.headers.get('x-billing-transaction-id'), /^btx_/);
    assert.deepEqual(Object.keys(await json(response)), ['created', 'data']);
    const billed = await json(await create(server, { prompt: 'x', model: 'test-billing', ...SMALL }));
    assert.match(billed.billing_transaction_id, /^btx_/);
    const { poll_url } = await json(
      await create(server, { prompt: 'x', model: 'test-billing,task', ...SMALL }),
    );
    clock.ms += TASK_MS;
    assert.match((await json(await get(server, poll_url))).billing_transaction_id, /^btx_/);
  });

  test('names the task in its headers', async () => {
    const response = await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL });
    const { task_id, poll_url } = await json(response);
    assert.equal(response.headers.get('x-task-id'), task_id);
    assert.equal((await get(server, poll_url)).headers.get('x-task-id'), task_id);
  });

  test('has tasks polled on the path of images', async () => {
    const { task_id, poll_url } = await json(
      await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }),
    );
    assert.match(task_id, /^ldtask_[0-9a-f]{32}$/);
    assert.equal(poll_url, `/v1/images/${task_id}`);
    assert.equal((await json(await get(server, poll_url))).status, 'pending');
    assert.equal((await json(await get(server, `/v1/tasks/${task_id}`))).status, 'pending');
    await errorOf(await get(server, '/v1/images/ldtask_none'), 404, 'async_task_not_found');
    await errorOf(await get(server, '/v1/images/none'), 404, 'not_found');
  });

  test('keeps the tasks of one key from another', async () => {
    const { poll_url, task_id } = await json(
      await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }),
    );
    const other = { authorization: 'Bearer sk-other' };
    const error = await errorOf(await get(server, poll_url, other), 403, 'task_not_owned');
    assert.equal(error.type, 'permission_error');
    const cancel = await fetch(`${server.url}/v1/tasks/${task_id}`, { method: 'DELETE', headers: other });
    await errorOf(cancel, 403, 'task_not_owned');
    assert.equal((await get(server, poll_url)).status, 200);
    const mine = await json(await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }, other));
    assert.equal((await get(server, mine.poll_url, other)).status, 200);
    assert.equal((await get(server, mine.poll_url, AUTH)).status, 403);
    assert.equal(AUTH.authorization, `Bearer ${TEST_KEY}`);
  });

  test('goes through the words of a dialect', async () => {
    const statuses = [];
    const { poll_url } = await json(
      await create(server, { prompt: 'x', model: 'test-task-queued-succeeded', ...SMALL }),
    );
    for (let third = 0; third < 3; third += 1) {
      statuses.push((await json(await get(server, poll_url))).status);
      clock.ms += TASK_MS / 3;
    }
    statuses.push((await json(await get(server, poll_url))).status);
    assert.deepEqual(statuses, ['queued', 'running', 'running', 'succeeded']);
  });
});
