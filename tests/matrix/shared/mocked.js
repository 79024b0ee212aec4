/** What a runtime does with the service in memory: a task, a form, a broken connection, a picture. */

import { editAndWait, generate, generateAndWait, toBlob } from 'lemondata-wasm';
import { mockService } from 'lemondata-wasm/testing';

export async function mocked() {
  const mock = mockService({ now: () => 0 });
  const options = {
    // Without a key, which a page must not have.
    baseUrl: 'https://mock.example/api',
    fetch: mock.fetch,
    pollInterval: { min: 1, max: 2 },
    onUpdate: () => mock.advance(3000),
  };
  const { data } = await generateAndWait({ model: 'ideogram-v3', prompt: 'A lemon' }, options);
  const { type } = await toBlob(data[0], { fetch: mock.fetch });
  const image = new Blob([new Uint8Array([0xff, 0xd8, 0xff, 0])], { type: 'image/jpeg' });
  await editAndWait({ model: 'gpt-image-2', prompt: 'A lime', image }, options);
  mock.respondWith({ reset: true });
  const request = { model: 'gpt-image-2', prompt: 'A lemon' };
  const { outcome } = await generate(request, options).catch((error) => error);
  return { type, outcome, requests: mock.requests.map(({ kind, status, body }) => [kind, status, body]) };
}
