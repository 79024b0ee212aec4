import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from '../../exercise.js';

export default defineEventHandler(({ context }) => {
  const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = context.cloudflare.env;
  return exercise({ generate, waitForTask }, { apiKey, baseUrl });
});
