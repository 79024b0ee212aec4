import { generate, waitForTask } from 'lemondata-wasm';
import { expect, test } from 'vitest';
import { exercise, print } from './exercise.js';

test('generates', async () => {
  const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
  const result = await exercise({ generate, waitForTask }, { apiKey, baseUrl });
  expect(result.done.status).toBe('completed');
  print(result);
});
