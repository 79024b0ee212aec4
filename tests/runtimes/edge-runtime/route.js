import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from './exercise.js';

addEventListener('fetch', (event) => event.respondWith(handle()));

async function handle() {
  const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
  return Response.json(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
}
