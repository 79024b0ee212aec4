import { getSecret } from 'astro:env/server';
import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from '../../../exercise.js';

export const prerender = false;

export async function GET() {
  const options = { apiKey: getSecret('LEMONDATA_API_KEY'), baseUrl: getSecret('LEMONDATA_BASE_URL') };
  return Response.json(await exercise({ generate, waitForTask }, options));
}
