import { generate, InvalidRequestError } from 'lemondata-wasm';
import { cover } from './cover.js';

test('the package works as in a page, where it takes no key', async () => {
  expect(document.title).toBe('');
  const url = 'https://pictures.example/cover.png';
  const answers = [
    { task_id: 'img_1', status: 'pending' },
    { task_id: 'img_1', status: 'completed', data: [{ url }] },
  ];
  const fetch = async () => Response.json(answers.shift());
  const options = { baseUrl: '/api/lemondata', fetch, pollInterval: { min: 1, max: 2 } };
  expect(await cover('The Lemon Table', options)).toBe(url);
  const refused = generate({ prompt: 'a lemon' }, { apiKey: 'sk-test', fetch });
  await expect(refused).rejects.toThrow(InvalidRequestError);
});
