/** The filter of all that a client learns of an error of the service. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { publicCode, publicError, publicFailure, publicGeneration, publicText } from './public-error.js';

/** Texts for the operator alone. */
const PRIVATE = /ops@|3\.12|balance|acct_|org_|billing|txn_|10\.0\.0\.1/i;
const ACCOUNT = 'Insufficient balance: account ops@company.example has $3.12 left';

const refusal = (status, error, more) => ({ status, outcome: 'rejected', body: { error }, ...more });

describe('the account stays with the operator', () => {
  for (const status of [401, 402, 403]) {
    test(`of a ${status} a client learns that the operator can see why`, () => {
      const found = publicError(
        refusal(status, { message: ACCOUNT, code: 'insufficient_balance', hint: ACCOUNT }),
      );
      assert.equal(found.status, 403);
      assert.equal(found.body.error.code, 'upstream_refused');
      assert.doesNotMatch(JSON.stringify(found), PRIVATE);
    });
  }

  test('also where the status is another one', () => {
    for (const status of [400, 422, 429, 500, 503]) {
      for (const error of [
        { message: ACCOUNT, type: 'invalid_request_error', hint: ACCOUNT, did_you_mean: ACCOUNT },
        { message: 'No.', code: 'insufficient_balance' },
        { message: 'No.', type: 'billing_hard_limit' },
        undefined,
        { message: 'No.', balance_usd: 3.12, account: 'acct_1', organization: 'org_1', details: ACCOUNT },
        { message: 'No.', code: 'acct_1 has $3.12', param: 'ops@company.example', type: '<b>billing</b>' },
        {
          message: 'No.',
          alternatives: [{ id: 'a', balance_usd: 3.12, note: ACCOUNT, deep: [[[ACCOUNT]]] }],
        },
      ]) {
        const found = publicError(refusal(status, error, { message: ACCOUNT, balanceUsd: 3.12 }));
        assert.doesNotMatch(JSON.stringify(found), PRIVATE, `${status} ${JSON.stringify(error)}`);
      }
    }
  });

  test('also in the body of a failed task', () => {
    for (const error of [
      ACCOUNT,
      { message: ACCOUNT, code: 'upstream_error' },
      { message: 'No.', code: 'insufficient_balance', account: 'acct_1' },
    ]) {
      const body = {
        task_id: 't',
        status: 'failed',
        error,
        balance_usd: 3.12,
        billing_transaction_id: 'txn_1',
      };
      const found = publicFailure({ ...body, metadata: { account: 'acct_1' } });
      assert.doesNotMatch(JSON.stringify(found), PRIVATE);
      assert.equal(found.task_id, 't');
      assert.equal(found.status, 'failed');
    }
  });

  test('also in a generation, which otherwise passes as it is', () => {
    const data = [{ url: 'https://x.example/balance/1.png', revised_prompt: 'A balance' }];
    const found = publicGeneration({
      created: 5,
      status: 'completed',
      seed: 7,
      usage: { total_tokens: 5 },
      data,
      billing_transaction_id: 'txn_1',
      balance_usd: 3.12,
      estimated_cost_usd: 0.1,
    });
    assert.deepEqual(found, { created: 5, status: 'completed', seed: 7, data });
    const partial = publicGeneration({ data: [data[0], { error: { message: ACCOUNT, code: 'x' } }] });
    assert.doesNotMatch(JSON.stringify(partial.data[1]), PRIVATE);
  });

  test('but for its costs, where the operator shows them', () => {
    const costs = { billing_transaction_id: 'txn_1', usage: { total_tokens: 5 } };
    const body = { ...costs, balance_usd: 3.12, status: 'completed', data: [] };
    assert.deepEqual(publicGeneration(body, true), { ...costs, status: 'completed', data: [] });
    assert.deepEqual(publicFailure({ ...costs, status: 'failed', error: 'No lemons' }, false, true), {
      ...costs,
      status: 'failed',
      data: [],
      error: 'No lemons',
    });
  });

  test('also in the words of other gateways', () => {
    for (const text of [
      '用户额度不足, 剩余额度: ＄-0.000002',
      '预扣费额度失败, 用户剩余额度: ¥0.230000, 需要预扣费额度: ¥0.290000',
      '餘額不足，請充值',
      '该令牌无权访问模型',
      '账户已欠费',
      'token quota is not enough, token remain quota: 0.1, need quota: 0.2',
      'Budget has been exceeded! Current cost: 0.00015, Max budget: 0.0001',
      'You have reached your spending limit.',
      'Insufficient funds',
      'The workspace is in arrears.',
    ]) {
      assert.equal(publicText(text), undefined, text);
    }
    for (const code of ['budget_exceeded', 'Arrearage', 'insufficient_funds']) {
      const { status, body } = publicError(refusal(400, { message: 'No.', code }));
      assert.deepEqual([status, body.error.code], [403, 'upstream_refused'], code);
    }
    for (const text of [
      '提示词违反了内容政策',
      '当前分组上游负载已饱和，请稍后再试',
      'The task was suspended.',
      'A funded film',
    ]) {
      assert.equal(publicText(text), text);
    }
  });

  test('e-mail addresses and amounts are cut out of texts that may pass', () => {
    assert.equal(
      publicText('Ask ops@company.example, it costs $3.12 or 5 USD.'),
      'Ask [e-mail], it costs [amount] or [amount].',
    );
    assert.equal(
      publicText('It costs ＄0.230000, ￥-2, $-0.01, 5 CNY or 0.5元.'),
      'It costs [amount] [amount] [amount] [amount] or [amount].',
    );
    assert.equal(publicText(ACCOUNT), undefined);
    assert.equal(publicText(''), undefined);
    assert.equal(publicText(5), undefined);
  });
});

describe('what helps a client passes', () => {
  test('the reason of a 4xx, wherever it stands', () => {
    for (const body of [
      { error: { message: 'Bad size' } },
      { error: 'Bad size' },
      { message: 'Bad size' },
      { detail: 'Bad size' },
      { detail: [{ msg: 'Bad size' }] },
      { errors: ['Bad size'] },
      { errors: [{ message: 'Bad size' }] },
      { error: {}, errors: [{ detail: 'Bad size' }] },
    ]) {
      const found = publicError({ status: 422, outcome: 'rejected', body });
      assert.equal(found.status, 422);
      assert.equal(found.body.error.message, 'Bad size', JSON.stringify(body));
    }
    const fastApi = { detail: [{ loc: ['body', 'size'], msg: 'Bad size' }] };
    assert.equal(publicError({ status: 422, body: fastApi }).body.error.message, 'body.size: Bad size');
  });

  test('validation errors, field by field', () => {
    const validation_errors = [{ field: 'size', message: 'Bad size', code: 'invalid', value: ACCOUNT }];
    const { body } = publicError({ status: 400, body: { error: { message: 'No.' }, validation_errors } });
    assert.deepEqual(body.validation_errors, [{ field: 'size', message: 'Bad size', code: 'invalid' }]);
  });

  test('codes, hints and alternatives', () => {
    const error = {
      message: 'Try another one',
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
      hint: 'Look it up',
      did_you_mean: 'flux-pro',
      suggestions: [{ id: 'flux-pro' }],
      alternatives: [{ id: 'a', status: 'available', tags: [] }],
      allowed_resolutions: ['1024x1024'],
      prompt_max_characters: 4000,
      supported_parameters: ['size', 'n'],
      supported_operations: ['image-edit'],
      allowed_aspect_ratios: ['1:1', '16:9'],
      request_id: 'req_1',
      recommended_request: { model: 'a', n: 1 },
      retryable: false,
      retry_after: 7,
    };
    assert.deepEqual(publicError(refusal(400, error)).body, { error });
  });

  test('a request id that could be anything does not', () => {
    for (const request_id of [5, '', 'a b', 'x'.repeat(201), {}]) {
      assert.equal(publicError(refusal(400, { request_id })).body.error.request_id, undefined);
    }
  });

  test('a model that the account may not use is named as such: another one may do', () => {
    for (const names of [{ code: 'model_not_allowed' }, { type: 'model_not_allowed' }]) {
      const found = publicError(refusal(403, { message: ACCOUNT, ...names }));
      assert.deepEqual([found.status, found.body.error.code], [403, 'model_not_allowed']);
      assert.doesNotMatch(JSON.stringify(found), PRIVATE);
    }
  });

  test('a redirect is the operator’s to mend: nothing was carried out, and a wait need not go on', () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const found = publicError({ status, outcome: 'rejected', body: undefined });
      assert.deepEqual([found.status, found.body.error.code], [403, 'upstream_refused']);
    }
    assert.equal(publicError({ status: 304, outcome: 'unknown' }).status, 502);
  });

  test('a success that is none says why, and whether asking again can help', () => {
    for (const retryable of [false, undefined]) {
      const found = publicError({
        status: 200,
        outcome: 'accepted',
        body: { error: { message: 'No', retryable } },
      });
      assert.deepEqual([found.status, found.body.error.retryable], [502, retryable]);
      assert.equal(found.body.error.message, 'The service gave no answer that can be used: No');
    }
  });

  test('a task of another key is the affair of its task, not of the account', () => {
    for (const names of [{ code: 'task_not_owned' }, { type: 'task_not_owned' }]) {
      const error = { message: 'This task belongs to API key sk-abc of account acct_1', ...names };
      const found = publicError(refusal(403, error));
      assert.equal(found.status, 403);
      assert.deepEqual(found.body.error, {
        ...names,
        message: 'The task belongs to another account of the service.',
        hint: 'The relay created it with a key of that account.',
      });
    }
    assert.equal(publicError(refusal(401, { code: 'task_not_owned' })).body.error.code, 'upstream_refused');
  });

  test('the reason of a failed task, as a text or an object, under the documented status', () => {
    const failed = { task_id: 't', status: 'failed', data: [] };
    assert.deepEqual(publicFailure({ task_id: 't', status: 'failed', error: 'No lemons' }), {
      ...failed,
      error: 'No lemons',
    });
    const error = { message: 'Filtered', code: 'content_policy' };
    assert.deepEqual(publicFailure({ task_id: 't', status: 'completed', data: [], error }), {
      ...failed,
      provider_status: 'completed',
      error,
    });
    assert.deepEqual(publicFailure({ task_id: 't', status: 'failed', data: [null, { error }] }), {
      ...failed,
      error: { message: 'Filtered' },
    });
    assert.deepEqual(publicFailure({ task_id: 't', status: 'canceled' }, true), {
      ...failed,
      provider_status: 'canceled',
      cancelled: true,
      error: { message: 'The service could not carry the task out.' },
    });
    assert.equal(publicFailure(undefined).error.message, 'The service could not carry the task out.');
  });

  test('request id and pause, where a header can hold them', () => {
    const found = publicError(refusal(429, {}, { requestId: 'req_1', retryAfterMs: 7000 }));
    assert.deepEqual([found.requestId, found.retryAfterMs], ['req_1', 7000]);
    assert.equal(publicError(refusal(429, {}, { requestId: 'a\r\nb' })).requestId, undefined);
  });
});

describe('what breaks inside the service is for its own people', () => {
  test('texts of 5xx stay, codes pass', () => {
    const internal = 'connect ECONNREFUSED 10.0.0.1';
    for (const status of [500, 502, 503, 520, 599]) {
      const error = { message: internal, hint: internal, code: 'server_error', retryable: true };
      const found = publicError(refusal(status, error, { outcome: 'unknown' }));
      assert.equal(found.status, status);
      assert.doesNotMatch(JSON.stringify(found), PRIVATE);
      assert.equal(found.body.error.code, 'server_error');
      assert.equal(found.body.error.retryable, true);
    }
  });

  test('no answer, or one that cannot be used, is a 502', () => {
    for (const status of [undefined, 0, 200, 304, 600, 999]) {
      const found = publicError({ status, outcome: 'unknown', message: 'GET http://10.0.0.1/ …' });
      assert.equal(found.status, 502);
      assert.equal(found.body.error.code, 'upstream_error');
      assert.doesNotMatch(JSON.stringify(found), PRIVATE);
    }
  });

  test('what was never sent is a 503 that may be tried again', () => {
    const found = publicError({ outcome: 'not_sent', message: ACCOUNT });
    assert.equal(found.status, 503);
    assert.equal(found.body.error.retryable, true);
    assert.doesNotMatch(JSON.stringify(found), PRIVATE);
  });
});

describe('the answer of the service is bounded', () => {
  test('long texts, long lists and deep values are cut', () => {
    let deep = 'x';
    for (let level = 0; level < 10_000; level += 1) deep = [deep];
    const error = {
      message: 'x'.repeat(1_000_000),
      hint: 'a@'.repeat(500_000),
      suggestions: Array.from({ length: 100_000 }, (_, index) => ({ id: `${index}` })),
      alternatives: deep,
    };
    const text = JSON.stringify(publicError(refusal(400, error)));
    assert.ok(text.length < 10_000, `${text.length} characters`);
  });

  test('a code is cut to the alphabet of codes', () => {
    assert.equal(publicCode('all_channels_failed'), 'all_channels_failed');
    for (const value of [
      'a b',
      'a\nb',
      '<script>',
      'x'.repeat(65),
      '',
      5,
      null,
      undefined,
      { toString: 1 },
    ]) {
      assert.equal(publicCode(value), undefined);
    }
  });

  test('any JSON is an error without throwing', () => {
    for (const body of [
      null,
      undefined,
      5,
      'x',
      [],
      { error: null },
      { error: [] },
      { error: { message: {} } },
      { errors: [null] },
      { detail: { a: 1 } },
      { validation_errors: [null, 5] },
    ]) {
      assert.equal(publicError({ status: 400, body }).status, 400);
      assert.equal(publicFailure(body).status, 'failed');
    }
  });
});
