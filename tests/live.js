/**
 * One cheap inline and one task generation against the real service: `npm run test:live`. It costs money, so
 * it runs only when it is asked to, with LEMONDATA_API_KEY.
 */

import assert from 'node:assert/strict';
import { LemonData } from 'lemondata-wasm';

const apiKey = process.env.LEMONDATA_API_KEY;
if (!apiKey) {
  console.error('SKIPPED: the live test needs LEMONDATA_API_KEY. Nothing was tested.');
  process.exit(0);
}

const client = new LemonData({
  apiKey,
  onTask: (task) => console.log('task', task),
  onUpdate: ({ status, progress }) => console.log(status, progress ?? ''),
  onResponse: ({ method, path, status, durationMs }) =>
    console.log(method, path, status, Math.round(durationMs), 'ms'),
});

const prompt = 'A single lemon on a white table';
for (const request of [
  { prompt, model: 'dall-e-2', size: '512x512' },
  { prompt, model: 'flux-pro' },
]) {
  const { status, data } = await client.generateAndWait(request);
  assert.equal(status, 'completed');
  assert.ok(data[0].url || data[0].b64_json, 'the answer holds a picture');
  console.log(`ok: ${request.model}`);
}
