import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from './view.js';

test('a create that waited in vain for its turn says so, and when to come back', () => {
  const error = { kind: 'rate_limit', outcome: 'not_sent', message: 'Not admitted.', retryAfterMs: 1500 };
  const names = { reference: 't_a.b', base: 'https://app.example', showCosts: false };
  assert.deepEqual(JSON.parse(failureOf({ error, generation: {} }, names)), {
    status: 'failed',
    data: [],
    error: { code: 'rate_limit_exceeded', message: 'Not admitted.', retry_after: 2 },
    task_id: 't_a.b',
    poll_url: '/v1/tasks/t_a.b',
  });
});
