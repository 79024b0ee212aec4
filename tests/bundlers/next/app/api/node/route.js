import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from '../../../exercise.js';

export const dynamic = 'force-dynamic';

export async function GET() {
  const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
  return Response.json(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
}
