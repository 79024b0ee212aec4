import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from '../../../exercise.js';

export async function POST() {
  const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
  return Response.json(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
}
