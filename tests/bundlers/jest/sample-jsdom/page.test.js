import { generate, generateAndWait, InvalidRequestError, toBlob } from 'lemondata-wasm';
import { mockService } from 'lemondata-wasm/testing';
import { cover } from './cover.js';

test('the package works as in a page, where it takes no key', async () => {
  expect(document.title).toBe('');
  const { fetch, requests } = mockService({ taskMs: 0, models: { 'gpt-image-2': 'task' } });
  const { signal } = new AbortController();
  const options = { baseUrl: '/api/lemondata', fetch, signal, pollInterval: { min: 1, max: 2 } };
  expect(await cover('The Lemon Table', options)).toMatch(
    /^http:\/\/localhost\/api\/lemondata\/files\/.*png$/,
  );
  expect(requests.map(({ kind }) => kind)).toEqual(['create', 'poll']);
  const refused = generate({ prompt: 'a lemon' }, { apiKey: 'sk-test', fetch });
  await expect(refused).rejects.toThrow(InvalidRequestError);
});

const page = {
  baseUrl: process.env.LEMONDATA_BASE_URL,
  apiKey: process.env.LEMONDATA_API_KEY,
  dangerouslyAllowBrowser: true,
  pollInterval: { min: 1, max: 2 },
};

test('a real fetch brings a picture', async () => {
  const { signal } = new AbortController();
  const { data } = await generateAndWait({ prompt: 'a lemon', model: 'ideogram-v3' }, { ...page, signal });
  expect((await toBlob(data[0])).type).toBe('image/png');
});

test('a signal of the page ends a real fetch, and its listeners', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 50);
  const request = { prompt: 'a lemon', model: 'test-hang' };
  await expect(generate(request, { ...page, signal: controller.signal })).rejects.toBe(reason);
  const button = document.createElement('button');
  const clicked = () => {
    throw reason;
  };
  button.addEventListener('click', clicked, { signal: controller.signal });
  button.click();
});
