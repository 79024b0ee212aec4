/** The key in what the service repeats: in any spelling, and no innocent text with it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedactor } from './redactor.js';

const KEY = 'sk-0123456789abcdefghijklmnopqrs';

test('half of a long key is taken out of an error, and no half of a short one, which may be a word', () => {
  const redactor = createRedactor();
  redactor.learn(KEY);
  redactor.learn('sk-word-windowsill99');
  for (const half of [KEY.slice(0, 16), KEY.slice(-16)]) {
    assert.equal(redactor.redact(`a key such as ${half}…`, true), 'a key such as [key]…');
  }
  assert.equal(redactor.redact('a lemon on a windowsill99', true), 'a lemon on a windowsill99');
});

test('the last four keys are known, and none before them', () => {
  const redactor = createRedactor();
  const keys = [1, 2, 3, 4, 5].map((number) => `${KEY}-${number}-of-the-operator`);
  for (const key of keys) redactor.learn(key);
  const [first, ...others] = keys.map((key) => redactor.redact(JSON.stringify({ key }), false));
  assert.equal(first, JSON.stringify({ key: keys[0] }));
  for (const text of others) assert.equal(text, '{"key":"[key]"}');
});
