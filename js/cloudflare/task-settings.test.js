import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLog } from './task-settings.js';

test('the console holds no reason that may quote a prompt, and all others', (t) => {
  const errors = t.mock.method(console, 'error', () => {});
  const bills = t.mock.method(console, 'log', () => {});
  const failure = { event: 'upstream_failed', outcome: 'failed', message: 'A lemon is not allowed' };
  defaultLog({ ...failure, kind: 'task_failed' });
  defaultLog({ ...failure, kind: 'invalid_request', outcome: 'rejected' });
  // What was not sent is wrong here.
  defaultLog({ ...failure, kind: 'invalid_request', outcome: 'not_sent' });
  defaultLog({ ...failure, kind: 'server' });
  defaultLog({ event: 'billed', billingTransactionId: 'b1' });
  const reasons = errors.mock.calls.map(({ arguments: [event] }) => event.message);
  assert.deepEqual(reasons, [undefined, undefined, failure.message, failure.message]);
  assert.deepEqual(bills.mock.calls[0].arguments, [{ event: 'billed', billingTransactionId: 'b1' }]);
});
