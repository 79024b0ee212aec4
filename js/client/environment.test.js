/** Where the key comes from outside pages. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pretend } from '../../tests/helpers/fake-page.js';
import { fillFromEnvironment } from './environment.js';

const KEY = 'sk-test-0123456789abcdef';

for (const [state, options] of [
  ['granted', { apiKey: KEY, baseUrl: 'https://api.lemondata.cc' }],
  ['prompt', {}],
  ['denied', {}],
]) {
  test(`a variable is read in Deno without a question to its user: ${state}`, (t) => {
    const asked = [];
    const querySync = (permission) => {
      asked.push(permission);
      return { state };
    };
    pretend(t, {
      Deno: { permissions: { querySync } },
      process: Object.assign(Object.create(process), { env: { LEMONDATA_API_KEY: KEY } }),
    });
    const filled = {};
    fillFromEnvironment(filled);
    assert.deepEqual(filled, options);
    assert.deepEqual(asked[0], { name: 'env', variable: 'LEMONDATA_API_KEY' });
  });
}
