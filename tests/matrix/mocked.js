/** What every runtime has to make of the service in memory. */

import assert from 'node:assert/strict';

/** @param {any} result of `mocked` in `shared/mocked.js` */
export function checkMocked({ type, outcome, requests }) {
  assert.equal(type, 'image/png');
  assert.equal(outcome, 'unknown');
  assert.deepEqual(
    requests.map(([kind, status]) => [kind, status ?? 'none']),
    [
      ['create', 200],
      ['poll', 200],
      ['poll', 200],
      ['poll', 200],
      ['file', 200],
      ['create', 200],
      ['create', 'none'],
    ],
  );
  const [, , { prompt, image }] = requests[5];
  assert.equal(prompt, 'A lime');
  assert.equal(image[0].size, 4);
  assert.equal(image[0].type, 'image/jpeg');
  // The same everywhere: a page without a secure context has no `crypto.subtle`, and this one has.
  assert.match(image[0].sha256, /^[0-9a-f]{64}$/);
}
