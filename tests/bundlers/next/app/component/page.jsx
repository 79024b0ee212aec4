import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from '../../exercise.js';

export const dynamic = 'force-dynamic';

export default async function Page() {
  const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
  const result = await exercise({ generate, waitForTask }, { apiKey, baseUrl });
  return <p data-result={encodeURIComponent(JSON.stringify(result))}>A lemon</p>;
}
