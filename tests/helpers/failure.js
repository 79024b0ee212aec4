import assert from 'node:assert/strict';
import { inspect } from 'node:util';

/** The error that a promise rejects with. */
export const failure = (promise) =>
  promise.then(
    (value) => assert.fail(`it resolved with ${inspect(value)}`),
    (error) => error,
  );
