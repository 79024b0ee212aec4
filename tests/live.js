/**
 * The real service, under each of its addresses: the list of models, an inline generation and a task, the cheap ones of
 * each. `npm run test:live` costs money, so it runs only with a key: LEMONDATA_API_KEY, TOKENLAB_API_KEY, or both.
 */

import assert from 'node:assert/strict';
import { LemonData, listModels } from 'lemondata-wasm';
import { servicesOf } from '../scripts/lib/services.js';

const services = servicesOf(process.env);
if (services.length === 0) {
  console.error('SKIPPED: the live test needs LEMONDATA_API_KEY or TOKENLAB_API_KEY. Nothing was tested.');
  process.exit(0);
}

const prompt = 'A single lemon on a white table';
const REQUESTS = [
  { prompt, model: 'gpt-image-2', quality: 'low' },
  { prompt, model: 'ideogram-v3' },
];

for (const { url, key } of services) {
  console.log(url);
  const models = await listModels({ baseUrl: url, view: 'compact' });
  assert.ok(models.length > 0, 'the list holds models');
  const listed = new Set(models.map(({ id }) => id));

  const client = new LemonData({
    apiKey: key,
    baseUrl: url,
    onTask: (task) => console.log('task', task),
    onUpdate: ({ status, progress }) => console.log(status, progress ?? ''),
    onResponse: ({ method, path, status, durationMs }) =>
      console.log(method, path, status, Math.round(durationMs), 'ms'),
  });
  for (const request of REQUESTS) {
    assert.ok(listed.has(request.model), `${request.model} is in the list`);
    const { status, data } = await client.generateAndWait(request);
    assert.equal(status, 'completed');
    assert.ok(data[0].url || data[0].b64_json, 'the answer holds a picture');
    console.log(`ok: ${request.model}`);
  }
}
