/** Two copies of the package in one process, as an application has them whose dependencies require it. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as imported from 'lemondata-wasm';
import { exercise, print } from './exercise.js';

const required = createRequire(import.meta.url)('lemondata-wasm');
assert.notEqual(imported.generate, required.generate, 'there are two copies');

for (const [one, other] of [
  [imported, required],
  [required, imported],
]) {
  const error = await one.generate({ prompt: '' }, {}).catch((reason) => reason);
  assert.ok(error instanceof one.InvalidRequestError);
  assert.ok(error instanceof other.InvalidRequestError);
  assert.ok(error instanceof other.LemonDataError);
  assert.ok(!(error instanceof other.ServerError));
}

// A task of one copy is waited for by the other.
const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
const { generate } = imported;
const { waitForTask } = required;
print(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
