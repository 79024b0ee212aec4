/**
 * The real service, under each of its addresses: the list of models, an inline generation, a task and an edit, the cheap
 * ones of each. `npm run test:live` costs money, so it runs only with a key: LEMONDATA_API_KEY, TOKENLAB_API_KEY, or both.
 */

import assert from 'node:assert/strict';
import { LemonData, listModels, toBlob } from 'lemondata-wasm';
import { servicesOf } from '../js/cli/services.js';

const services = servicesOf(process.env);
if (services.length === 0) {
  console.error('SKIPPED: the live test needs LEMONDATA_API_KEY or TOKENLAB_API_KEY. Nothing was tested.');
  process.exit(0);
}

const prompt = 'A single lemon on a white table';
const EDITOR = { model: 'gpt-image-2', quality: 'low' };
const REQUESTS = [
  { prompt, ...EDITOR },
  { prompt, model: 'ideogram-v3' },
];

function check({ status, data }, name) {
  assert.equal(status, 'completed');
  assert.ok(data[0].url || data[0].b64_json, 'the answer holds a picture');
  console.log(`ok: ${name}`);
  return data[0];
}

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
  const pictures = [];
  for (const request of REQUESTS) {
    assert.ok(listed.has(request.model), `${request.model} is in the list`);
    pictures.push(check(await client.generateAndWait(request), request.model));
  }
  const image = await toBlob(pictures[0]);
  check(await client.editAndWait({ prompt: 'Make it a lime', image, ...EDITOR }), `${EDITOR.model}, edit`);
}
