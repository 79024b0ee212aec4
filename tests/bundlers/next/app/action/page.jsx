import { generateAndWait } from 'lemondata-wasm';
import { Draw } from './draw';

/** A server action: it runs on the server, and the page calls it like a function. */
async function draw() {
  'use server';
  const { data } = await generateAndWait(
    { model: 'gpt-image-2', prompt: 'A lemon' },
    { apiKey: process.env.LEMONDATA_API_KEY, baseUrl: process.env.LEMONDATA_BASE_URL },
  );
  return data[0].url;
}

export default function Page() {
  return <Draw action={draw} />;
}
